//! Shows records as JSON, one line each, with their documents embedded.

use std::fmt::{Display, Write as _};

use serde::de::IgnoredAny;

/// Builds a JSON text.
#[derive(Debug, Default)]
pub struct Json<'a> {
    out: String,
    /// The last document of the turn, which records that repeat it refer to.
    pub repeated: &'a [u8],
}

impl Json<'_> {
    /// Takes the text out and leaves it empty.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Adds what `value` displays.
    pub fn display(&mut self, value: &dyn Display) {
        write!(self.out, "{value}").expect("a string takes all text");
    }

    /// Adds a string. Control characters that a terminal would obey are escaped.
    pub fn text(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' | '\\' => self.out.extend(['\\', character]),
                '\n' => self.out.push_str("\\n"),
                c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                    self.display(&format_args!("\\u{:04x}", u32::from(c)));
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    /// Adds a document without the white space around its values; `null` if there is none, and
    /// `{"$bytes": hex}` for bytes that are not JSON.
    pub fn document(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return self.out.push_str("null");
        }
        if serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            return self.compact(text);
        }
        self.out.push_str("{\"$bytes\":\"");
        for byte in bytes {
            self.display(&format_args!("{byte:02x}"));
        }
        self.out.push_str("\"}");
    }

    /// Adds an array.
    pub fn array<T>(
        &mut self,
        values: impl Iterator<Item = T>,
        mut show: impl FnMut(&mut Self, T),
    ) {
        self.out.push('[');
        for (index, value) in values.enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            show(self, value);
        }
        self.out.push(']');
    }

    /// Adds an object.
    pub fn object(&mut self, show: impl FnOnce(&mut Self)) {
        self.out.push('{');
        show(self);
        self.out.push('}');
    }

    /// Adds the name of an object's next member.
    pub fn name(&mut self, name: &str) {
        if !self.out.ends_with('{') {
            self.out.push(',');
        }
        self.text(name.trim_start_matches("r#"));
        self.out.push(':');
    }

    /// Adds a JSON text without white space between its parts.
    fn compact(&mut self, text: &str) {
        let (mut is_in_string, mut is_escaped) = (false, false);
        for character in text.chars() {
            match character {
                '"' if !is_escaped => is_in_string = !is_in_string,
                ' ' | '\t' | '\n' | '\r' if !is_in_string => continue,
                // JSON allows these control characters in strings, but a terminal obeys them.
                c if c.is_control() => {
                    self.display(&format_args!("\\u{:04x}", u32::from(c)));
                    continue;
                }
                _ => {}
            }
            is_escaped = character == '\\' && !is_escaped;
            self.out.push(character);
        }
    }
}
