//! JSON: values as texts, and texts as values.

use super::error::{Answer, Fault};
use super::evaluator::Evaluator;
use super::number;
use super::operators;
use super::text::{Text, push_point};
use super::value::{self, Fields, Object, Value};

/// `JSON.stringify(value)` for a message: without limits but on the length.
pub fn plain(value: &Value) -> String {
    const LONGEST: usize = 1 << 20;
    let mut bytes = Vec::new();
    match value {
        Value::Undefined | Value::Function(_) => return "undefined".to_owned(),
        value => write_plain(&mut bytes, value, LONGEST, 0),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn write_plain(bytes: &mut Vec<u8>, value: &Value, longest: usize, depth: usize) {
    if bytes.len() > longest || depth > super::limits::MAX_NESTING {
        return;
    }
    stacker::maybe_grow(64 << 10, 1 << 20, || match value {
        Value::Array(items) => {
            bytes.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    bytes.push(b',');
                }
                match item {
                    Value::Undefined | Value::Function(_) => bytes.extend_from_slice(b"null"),
                    item => write_plain(bytes, item, longest, depth + 1),
                }
            }
            bytes.push(b']');
        }
        Value::Object(object) => {
            bytes.push(b'{');
            let mut is_first = true;
            object.each(|name, value| {
                if matches!(value, Value::Undefined | Value::Function(_)) {
                    return;
                }
                if !std::mem::replace(&mut is_first, false) {
                    bytes.push(b',');
                }
                write_text(bytes, name);
                bytes.push(b':');
                write_plain(bytes, value, longest, depth + 1);
            });
            bytes.push(b'}');
        }
        value => write_scalar(bytes, value),
    });
}

fn write_scalar(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Bool(flag) => bytes.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Text(text) => write_text(bytes, text),
        value => match value.as_number() {
            Some(number) if number.is_finite() => {
                bytes.extend_from_slice(number::to_text(number).as_bytes())
            }
            _ => bytes.extend_from_slice(b"null"),
        },
    }
}

/// A text in quotes; halves of surrogate pairs as escapes.
fn write_text(bytes: &mut Vec<u8>, text: &Text) {
    bytes.push(b'"');
    let mut rest = text.bytes();
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'"' => bytes.extend_from_slice(b"\\\""),
            b'\\' => bytes.extend_from_slice(b"\\\\"),
            8 => bytes.extend_from_slice(b"\\b"),
            9 => bytes.extend_from_slice(b"\\t"),
            10 => bytes.extend_from_slice(b"\\n"),
            12 => bytes.extend_from_slice(b"\\f"),
            13 => bytes.extend_from_slice(b"\\r"),
            0..=31 => bytes.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            0xED if after.first().is_some_and(|&next| next >= 0xA0) => {
                let unit = 0xD000 | u32::from(after[0] & 0x3F) << 6 | u32::from(after[1] & 0x3F);
                bytes.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                rest = &after[2..];
                continue;
            }
            byte => bytes.push(byte),
        }
        rest = after;
    }
    bytes.push(b'"');
}

/// `'' + value` of what is no object.
pub fn display(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_lossy(),
        Value::Number(number) => number::to_text(*number),
        value => plain(value),
    }
}

/// `$string(value, pretty)`, of what is not undefined.
pub fn string(evaluator: &mut Evaluator, value: &Value, pretty: bool) -> Answer<Text> {
    match value {
        Value::Text(text) => return Ok(text.clone()),
        Value::Function(_) => return Ok(Text::EMPTY),
        Value::Number(number) if !number.is_finite() => {
            return Err(Fault::new("D3001").value(value));
        }
        _ => {}
    }
    let value = match value {
        Value::Array(items) if items.has(value::OUTER_WRAPPER) => items.first().unwrap_or(value),
        value => value,
    };
    let mut writer = Writer {
        evaluator,
        bytes: Vec::new(),
        pretty,
        spent: 0,
    };
    writer.value(value, 0)?;
    let length = writer.bytes.len();
    let bytes = writer.bytes;
    evaluator.budget.text(length)?;
    Ok(Text::from_vec(bytes))
}

struct Writer<'e, 'a> {
    evaluator: &'e mut Evaluator<'a>,
    bytes: Vec<u8>,
    pretty: bool,
    spent: usize,
}

impl Writer<'_, '_> {
    fn value(&mut self, value: &Value, depth: usize) -> Answer<()> {
        self.evaluator.budget.refuse_nesting(depth)?;
        self.evaluator.budget.spend(1)?;
        if self.bytes.len() > self.evaluator.budget.limits.value_bytes {
            return self.evaluator.budget.text(self.bytes.len());
        }
        if self.bytes.len() > self.spent + 4096 {
            self.evaluator.budget.bytes(self.bytes.len() - self.spent)?;
            self.spent = self.bytes.len();
        }
        match value {
            Value::Array(items) => self.array(items, depth),
            Value::Object(object) => self.object(object, depth),
            Value::Undefined => {
                self.bytes.extend_from_slice(b"null");
                Ok(())
            }
            Value::Function(_) => {
                self.bytes.extend_from_slice(b"\"\"");
                Ok(())
            }
            value => {
                match operators::is_numeric(value)? {
                    true => {
                        let number = number::to_15_digits(value.as_number().unwrap_or(0.0));
                        write_scalar(&mut self.bytes, &Value::Number(number));
                    }
                    false => write_scalar(&mut self.bytes, value),
                }
                Ok(())
            }
        }
    }

    fn array(&mut self, items: &[Value], depth: usize) -> Answer<()> {
        self.bytes.push(b'[');
        for (at, item) in items.iter().enumerate() {
            self.separate(at, depth + 1);
            stacker::maybe_grow(64 << 10, 1 << 20, || self.value(item, depth + 1))?;
        }
        self.end(b']', items.is_empty(), depth);
        Ok(())
    }

    fn object(&mut self, object: &Object, depth: usize) -> Answer<()> {
        self.bytes.push(b'{');
        let mut count = 0;
        object.try_each(|(name, value)| {
            if value.is_undefined() {
                return Ok(());
            }
            self.separate(count, depth + 1);
            write_text(&mut self.bytes, name);
            self.bytes
                .extend_from_slice(if self.pretty { b": " } else { b":" });
            count += 1;
            stacker::maybe_grow(64 << 10, 1 << 20, || self.value(value, depth + 1))
        })?;
        self.end(b'}', count == 0, depth);
        Ok(())
    }

    fn separate(&mut self, at: usize, depth: usize) {
        if at > 0 {
            self.bytes.push(b',');
        }
        self.new_line(depth);
    }

    fn end(&mut self, bracket: u8, is_empty: bool, depth: usize) {
        if !is_empty {
            self.new_line(depth);
        }
        self.bytes.push(bracket);
    }

    fn new_line(&mut self, depth: usize) {
        if self.pretty {
            self.bytes.push(b'\n');
            self.bytes.resize(self.bytes.len() + 2 * depth, b' ');
        }
    }
}

/// The value that `text` is, or None where AWS says "Invalid JSON": no text behind it, no name twice.
pub fn parse(text: &Text) -> Option<Value> {
    let mut reader = Reader {
        bytes: text.bytes(),
        at: 0,
    };
    let value = reader.value(0)?;
    reader.blanks();
    (reader.at == reader.bytes.len()).then_some(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn passes(&mut self, byte: u8) -> bool {
        self.blanks();
        let is_here = self.peek() == Some(byte);
        self.at += usize::from(is_here);
        is_here
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let is_here = self.bytes[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        is_here.then_some(value)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > 128 {
            return None;
        }
        self.blanks();
        match self.peek()? {
            b'n' => self.word("null", Value::Null),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'"' => self.text().map(Value::Text),
            b'[' => self.array(depth),
            b'{' => self.object(depth),
            _ => self.number(),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut items = Vec::new();
        if self.passes(b']') {
            return Some(Value::array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.passes(b']') {
                return Some(Value::array(items));
            }
            if !self.passes(b',') {
                return None;
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut fields = Fields::default();
        if self.passes(b'}') {
            return Some(Value::object(fields));
        }
        loop {
            self.blanks();
            let name = self.text()?;
            if !self.passes(b':') || fields.get(name.bytes()).is_some() {
                return None;
            }
            let value = self.value(depth + 1)?;
            fields.set(name, value);
            if self.passes(b'}') {
                return Some(Value::object(fields));
            }
            if !self.passes(b',') {
                return None;
            }
        }
    }

    fn text(&mut self) -> Option<Text> {
        if self.peek() != Some(b'"') {
            return None;
        }
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return Some(Text::from_vec(bytes)),
                b'\\' => self.escape(&mut bytes)?,
                0..=31 => return None,
                byte => bytes.push(byte),
            }
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let letter = self.peek()?;
        self.at += 1;
        match letter {
            b'"' | b'\\' | b'/' => bytes.push(letter),
            b'b' => bytes.push(8),
            b'f' => bytes.push(12),
            b'n' => bytes.push(10),
            b'r' => bytes.push(13),
            b't' => bytes.push(9),
            b'u' => {
                let digits = std::str::from_utf8(self.bytes.get(self.at..self.at + 4)?).ok()?;
                self.at += 4;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                push_point(bytes, u32::from_str_radix(digits, 16).ok()?);
            }
            _ => return None,
        }
        Some(())
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let first = self.peek()?;
        let digits = self.digits();
        if digits == 0 || (first == b'0' && digits > 1) {
            return None;
        }
        let mut is_integer = true;
        if self.peek() == Some(b'.') {
            (self.at, is_integer) = (self.at + 1, false);
            (self.digits() > 0).then_some(())?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            (self.at, is_integer) = (self.at + 1, false);
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            (self.digits() > 0).then_some(())?;
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).ok()?;
        if is_integer && let Ok(integer) = text.parse::<i64>() {
            return Some(integer_value(integer));
        }
        let number: f64 = text.parse().ok()?;
        number.is_finite().then_some(Value::Number(number))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }
}

/// An integer: as a double where that holds it.
#[inline]
pub fn integer_value(integer: i64) -> Value {
    const ALL_EXACT: u64 = 1 << 53;
    match integer.unsigned_abs() <= ALL_EXACT {
        true => Value::Number(integer as f64),
        false => Value::Long(integer),
    }
}
