//! JSON: values as texts, and texts as values.

use super::error::{Answer, Fault};
use super::evaluator::Evaluator;
use super::number;
use super::operators;
use super::text::Text;
use super::value::{self, Object, Value};

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
