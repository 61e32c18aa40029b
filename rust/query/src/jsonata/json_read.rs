//! JSON for `$parse`: as strict as AWS, which refuses a name that stands twice in an object.

use super::text::{Text, push_point};
use super::value::{Fields, Value};

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
