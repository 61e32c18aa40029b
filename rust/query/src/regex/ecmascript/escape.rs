//! What stands after a backslash.

use super::{Parser, Result2, digit};
use crate::regex::ast::Node;
use crate::regex::ranges::Ranges;

/// Blanks and line ends, as ECMAScript has them.
const SPACES: &str = "\t\n\u{B}\u{C}\r \u{A0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\
    \u{2008}\u{2009}\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";

/// The set of `\d`, `\w`, `\s` and their opposites.
pub(super) fn class_of(letter: u16) -> Option<Ranges> {
    let letter = u8::try_from(letter).ok()?;
    let set = match letter.to_ascii_lowercase() {
        b'd' => Ranges::new(vec![(0x30, 0x39)]),
        b'w' => Ranges::new(vec![(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]),
        b's' => Ranges::of(SPACES),
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() {
        set.negate()
    } else {
        set
    })
}

impl Parser<'_> {
    /// An escape outside of a class, after its backslash.
    pub(super) fn atom_escape(&mut self) -> Result2<Node> {
        let Some(unit) = self.peek() else {
            return Err("\\ at end of pattern");
        };
        if let Some(set) = class_of(unit) {
            self.place += 1;
            return Ok(self.set(set));
        }
        if (0x31..=0x39).contains(&unit)
            && let Some(group) = self.group_number()
        {
            return Ok(Node::BackReference(group, self.fold()));
        }
        if unit == u16::from(b'k') && self.has_names {
            self.place += 1;
            return self.named_reference();
        }
        let unit = self.character_escape(false)?;
        Ok(self.literal(unit))
    }

    /// The number of a group that exists; digits that name none are read otherwise.
    fn group_number(&mut self) -> Option<u32> {
        let (mut place, mut value) = (self.place, 0u32);
        while let Some(digit) = self.pattern.get(place).and_then(|&unit| digit(unit, 10)) {
            value = value * 10 + digit;
            if value > super::MAX_GROUPS {
                break;
            }
            place += 1;
        }
        if value >= self.total {
            return None;
        }
        self.place = place;
        Some(value)
    }

    /// A character, after the backslash of its escape.
    pub(super) fn character_escape(&mut self, in_class: bool) -> Result2<u16> {
        let Some(unit) = self.peek() else {
            return Err("\\ at end of pattern");
        };
        let start = self.place;
        self.place += 1;
        Ok(match u8::try_from(unit).unwrap_or(0) {
            b'f' => 0x0C,
            b'n' => 0x0A,
            b'r' => 0x0D,
            b't' => 0x09,
            b'v' => 0x0B,
            b'c' => self.control(in_class).unwrap_or_else(|| {
                // Not an escape: the backslash stands for itself, and `c` follows.
                self.place = start;
                u16::from(b'\\')
            }),
            b'0'..=b'7' => self.octal(start),
            b'x' => self.hex(2).map_or(unit, |value| value as u16),
            b'u' => self.hex(4).map_or(unit, |value| value as u16),
            b'k' if self.has_names => return Err("Invalid escape"),
            _ => unit,
        })
    }

    fn control(&mut self, in_class: bool) -> Option<u16> {
        let unit = self.peek()?;
        let byte = u8::try_from(unit).ok()?;
        let is_control =
            byte.is_ascii_alphabetic() || (in_class && (byte.is_ascii_digit() || byte == b'_'));
        self.place += usize::from(is_control);
        is_control.then_some(unit & 0x1F)
    }

    /// Up to three octal digits, up to 377.
    fn octal(&mut self, start: usize) -> u16 {
        self.place = start;
        let mut value = 0;
        while let Some(digit) = self.peek().and_then(|unit| digit(unit, 8)) {
            if self.place - start == 3 || value * 8 + digit > 0xFF {
                break;
            }
            value = value * 8 + digit;
            self.place += 1;
        }
        value as u16
    }

    /// Exactly `length` hexadecimal digits.
    pub(super) fn hex(&mut self, length: usize) -> Option<u32> {
        let digits = self.pattern.get(self.place..self.place + length)?;
        let mut value = 0;
        for &unit in digits {
            value = value * 16 + digit(unit, 16)?;
        }
        self.place += length;
        Some(value)
    }
}
