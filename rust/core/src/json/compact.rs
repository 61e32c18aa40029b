//! A JSON text written compactly: without spaces, with characters in place of needless escapes, each key once.
//!
//! Numbers stay as they were written. Of a key that an object has twice, the last value counts, at the first one's
//! place: so do JSON parsers read it, AWS's and Python's too.

use std::collections::HashMap;
use std::ops::Range;

/// The compact form of a JSON text; `None` if it has this form already.
///
/// The result for text that is not JSON is meaningless.
pub fn compact(text: &[u8]) -> Option<Vec<u8>> {
    let mut writer = Writer {
        out: Vec::with_capacity(text.len()),
        ..Writer::default()
    };
    writer.write(text);
    (writer.out != text).then_some(writer.out)
}

#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    open: Vec<Open>,
    /// Of all open objects, the inner ones last.
    members: Vec<Member>,
    expects_key: bool,
}

/// An object or an array whose end was not reached yet.
struct Open {
    is_object: bool,
    /// Where its members begin in `out` and in `members`.
    start: usize,
    first: usize,
}

/// A member of an object, by its place in `out`. Its value comes after the key and a colon.
struct Member {
    key: Range<usize>,
    end: usize,
}

impl Writer {
    fn write(&mut self, text: &[u8]) {
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            at += 1;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'"' => {
                    let start = self.out.len();
                    at = self.write_string(text, at);
                    if self.expects_key {
                        let key = start..self.out.len();
                        self.members.push(Member { key, end: start });
                        self.expects_key = false;
                    }
                }
                b'{' | b'[' => self.begin(byte),
                b'}' | b']' => self.end(byte),
                b',' => {
                    self.end_member();
                    self.out.push(byte);
                    self.expects_key = self.open.last().is_some_and(|open| open.is_object);
                }
                _ => self.out.push(byte),
            }
        }
    }

    fn begin(&mut self, byte: u8) {
        self.out.push(byte);
        let is_object = byte == b'{';
        self.open.push(Open {
            is_object,
            start: self.out.len(),
            first: self.members.len(),
        });
        self.expects_key = is_object;
    }

    fn end(&mut self, byte: u8) {
        self.end_member();
        if let Some(open) = self.open.pop() {
            if open.is_object {
                let members = &self.members[open.first..];
                if let Some(once) = each_key_once(&self.out, members) {
                    self.out.truncate(open.start);
                    self.out.extend_from_slice(&once);
                }
            }
            self.members.truncate(open.first);
        }
        self.out.push(byte);
        self.expects_key = false;
    }

    fn end_member(&mut self) {
        if let Some(open) = self.open.last().filter(|open| open.is_object)
            && let Some(member) = self.members[open.first..].last_mut()
        {
            member.end = self.out.len();
        }
    }

    /// Writes the string whose contents begin at `at`, and returns where the text goes on after it.
    fn write_string(&mut self, text: &[u8], mut at: usize) -> usize {
        self.out.push(b'"');
        loop {
            let rest = &text[at..];
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            let plain = plain.unwrap_or(rest.len());
            self.out.extend_from_slice(&rest[..plain]);
            at += plain;
            match text.get(at) {
                Some(b'\\') => at += self.write_escape(&text[at..]),
                Some(_) => {
                    self.out.push(b'"');
                    return at + 1;
                }
                None => return at,
            }
        }
    }

    /// Writes what an escape stands for, and returns its length.
    fn write_escape(&mut self, text: &[u8]) -> usize {
        match text.get(1) {
            Some(b'/') => self.out.push(b'/'),
            Some(b'u') => {
                if let Some((character, length)) = escaped_character(text) {
                    self.write_character(character);
                    return length;
                }
                self.out.extend_from_slice(&text[..2]);
            }
            _ => self.out.extend_from_slice(&text[..text.len().min(2)]),
        }
        text.len().min(2)
    }

    fn write_character(&mut self, character: char) {
        let short = match character {
            '"' => b'"',
            '\\' => b'\\',
            '\u{8}' => b'b',
            '\t' => b't',
            '\n' => b'n',
            '\u{c}' => b'f',
            '\r' => b'r',
            '\0'..'\u{20}' => {
                let escape = format!("\\u{:04x}", u32::from(character));
                return self.out.extend_from_slice(escape.as_bytes());
            }
            _ => {
                let mut utf8 = [0; 4];
                let bytes = character.encode_utf8(&mut utf8).as_bytes();
                return self.out.extend_from_slice(bytes);
            }
        };
        self.out.extend_from_slice(&[b'\\', short]);
    }
}

/// The character of `\uXXXX` or of two of them that are a surrogate pair, and how long the escape is.
fn escaped_character(text: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    let second = unit(6).filter(|second| (0xDC00..0xE000).contains(second))?;
    let high = first.checked_sub(0xD800).filter(|high| *high < 0x400)?;
    let character = char::from_u32(0x10000 + (high << 10) + (second - 0xDC00))?;
    Some((character, 12))
}

/// Up to so many keys are compared with each other: that is quicker than a table.
const FEW: usize = 12;

/// The members of an object with each key once; `None` if no key is there twice.
fn each_key_once(out: &[u8], members: &[Member]) -> Option<Vec<u8>> {
    let key_of = |member: &Member| &out[member.key.clone()];
    if members.len() <= FEW {
        let is_new = |at: usize| {
            members[..at]
                .iter()
                .all(|m| key_of(m) != key_of(&members[at]))
        };
        if (1..members.len()).all(is_new) {
            return None;
        }
    }
    let mut places = HashMap::with_capacity(members.len());
    let mut kept: Vec<&Member> = Vec::with_capacity(members.len());
    for member in members {
        let place = *places.entry(key_of(member)).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(earlier) => *earlier = member,
            None => kept.push(member),
        }
    }
    if kept.len() == members.len() {
        return None;
    }
    let texts: Vec<&[u8]> = kept
        .iter()
        .map(|member| &out[member.key.start..member.end])
        .collect();
    Some(texts.join(&b','))
}

#[cfg(test)]
mod tests {
    use super::compact;

    fn written(text: &str) -> String {
        let compacted = compact(text.as_bytes()).unwrap_or_else(|| text.as_bytes().to_vec());
        String::from_utf8(compacted).unwrap()
    }

    #[test]
    fn removes_spaces_outside_of_strings() {
        for (text, expected) in [
            ("", ""),
            (" 17\n", "17"),
            (
                "{ \"a b\" :\t[ 1 ,\r\n 2 ] , \"c\" : { } }",
                r#"{"a b":[1,2],"c":{}}"#,
            ),
            (r#"[ "\" , \\" , "x" ]"#, r#"["\" , \\","x"]"#),
        ] {
            assert_eq!(written(text), expected);
        }
    }

    #[test]
    fn keeps_numbers_as_they_were_written() {
        assert_eq!(
            written("[ 0.0, -2.50, 1e3, 1E+03, 12345678901234567890 ]"),
            "[0.0,-2.50,1e3,1E+03,12345678901234567890]"
        );
    }

    #[test]
    fn writes_characters_in_place_of_needless_escapes() {
        for (text, expected) in [
            (r#""\u00e9\/\u20ac\uD83D\ude00""#, "\"é/€😀\""),
            (
                r#""\u0022\u005c\u000a\u0001\u001F\b\f""#,
                r#""\"\\\n\u0001\u001f\b\f""#,
            ),
            (r#""\ud800x\uzzzz\u12""#, r#""\ud800x\uzzzz\u12""#), // not JSON: unharmed
        ] {
            assert_eq!(written(text), expected);
        }
    }

    #[test]
    fn a_key_has_its_last_value_at_its_first_place() {
        for (text, expected) in [
            (r#"{"a":1.0,"a":2.0}"#, r#"{"a":2.0}"#),
            (
                r#"{"a":1,"b":2,"\u0061":{"c":3,"c":[]},"d":4}"#,
                r#"{"a":{"c":[]},"b":2,"d":4}"#,
            ),
            (
                r#"[{"a":1},{"a":1},{"a":{"a":1}}]"#,
                r#"[{"a":1},{"a":1},{"a":{"a":1}}]"#,
            ),
        ] {
            assert_eq!(written(text), expected);
        }
        let many: Vec<String> = (0..100).map(|n| format!("\"k{}\":{n}", n % 50)).collect();
        let once: Vec<String> = (0..50).map(|n| format!("\"k{n}\":{}", n + 50)).collect();
        assert_eq!(
            written(&format!("{{{}}}", many.join(","))),
            format!("{{{}}}", once.join(","))
        );
    }

    #[test]
    fn gives_nothing_for_what_is_compact() {
        for text in ["", "1.50", r#"{"a":"b c\n\\","d":[{"a":null}]}"#] {
            assert_eq!(compact(text.as_bytes()), None);
        }
    }

    #[test]
    fn text_that_is_not_json_does_no_harm() {
        for text in [
            "\"", "\"\\", "}}]]", "{,,}", "{\"a\"", "[\"a\",}", "{]\"a\":", "\"\\u", ",\"a\"",
        ] {
            compact(text.as_bytes());
        }
    }
}
