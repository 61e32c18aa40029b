//! What stands after a backslash.

use std::sync::Arc;

use super::property::{self, Context};
use super::{Parser, Problem, Result2};
use crate::regex::ast::{Assertion, Node, Reads};
use crate::regex::ranges::Ranges;
use crate::regex::unicode;

/// An escape that was read.
pub(super) enum Escape {
    Point(u32),
    Set(Ranges),
    Node(Node),
}

const HORIZONTAL: &str = "\t \u{A0}\u{1680}\u{180E}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\
    \u{2008}\u{2009}\u{200A}\u{202F}\u{205F}\u{3000}";
const VERTICAL: &str = "\n\u{B}\u{C}\r\u{85}\u{2028}\u{2029}";

fn unsupported() -> Problem {
    Problem::new("Illegal/unsupported escape sequence")
}

impl Parser {
    /// A term that begins with a backslash.
    pub(super) fn backslash(&mut self) -> Result2<Node> {
        if let Some(set) = self.property()? {
            return Ok(self.points(set));
        }
        Ok(match self.escape(false, false)? {
            Escape::Point(point) => self.literal(point),
            Escape::Set(set) => self.points(set),
            Escape::Node(node) => node,
        })
    }

    /// `\p…` or `\P…`, if it is one; else the place is at the backslash still.
    pub(super) fn property(&mut self) -> Result2<Option<Ranges>> {
        let letter = self.cursor.next_escaped();
        if letter != u32::from(b'p') && letter != u32::from(b'P') {
            self.cursor.unread();
            return Ok(None);
        }
        let in_braces = self.cursor.next() == u32::from(b'{');
        if !in_braces {
            self.cursor.unread();
        }
        let set = self.family(in_braces)?;
        Ok(Some(if letter == u32::from(b'P') {
            set.negate()
        } else {
            set
        }))
    }

    fn family(&mut self, in_braces: bool) -> Result2<Ranges> {
        self.cursor.next();
        let context = Context {
            ignore_case: self.flags().ignore_case,
            unicode_class: self.flags().unicode_class,
        };
        let name = if in_braces {
            self.name_in_braces()?
        } else {
            let place = self.cursor.place();
            self.cursor.read();
            match self.cursor.at(place) {
                0 => "\0".to_owned(),
                _ => self.cursor.slice(place, place + 1),
            }
        };
        if let Some((name, value)) = name.split_once('=') {
            let name = name.to_lowercase();
            return property::by_value(&name, value, context).ok_or_else(|| {
                Problem::new(format!(
                    "Unknown Unicode property {{name=<{name}>, value=<{value}>}}"
                ))
            });
        }
        property::by_name(&name, context)
            .ok_or_else(|| Problem::new(format!("Unknown character property name {{{name}}}")))
    }

    fn name_in_braces(&mut self) -> Result2<String> {
        let start = self.cursor.place();
        loop {
            // Beyond the end Java finds a bracket that it put there itself.
            if self.cursor.at_end() {
                self.cursor.set_place(self.cursor.length() + 1);
                return Err(Problem::new("Unclosed character family"));
            }
            if self.cursor.read() == u32::from(b'}') {
                break;
            }
        }
        let end = self.cursor.place();
        if end > self.cursor.length() {
            return Err(Problem::new("Unclosed character family"));
        }
        if start + 1 >= end {
            return Err(Problem::new("Empty character family"));
        }
        Ok(self.cursor.slice(start, end - 1))
    }

    /// An escape, at its backslash. `begins_range`: a hyphen follows it in a class.
    pub(super) fn escape(&mut self, in_class: bool, begins_range: bool) -> Result2<Escape> {
        let point = self.cursor.skip();
        let letter = u8::try_from(point).unwrap_or(0xFF);
        if !letter.is_ascii_alphanumeric() {
            return Ok(Escape::Point(point));
        }
        if let Some(set) = self.predefined(letter, in_class && begins_range) {
            return Ok(Escape::Set(set));
        }
        let point = match letter {
            b'0' => self.octal()?,
            b'a' => 0x07,
            b'e' => 0x1B,
            b'f' => 0x0C,
            b'n' => 0x0A,
            b'r' => 0x0D,
            b't' => 0x09,
            b'v' => 0x0B,
            b'c' => self.control()?,
            b'u' => self.unicode()?,
            b'x' => self.hexadecimal()?,
            b'N' => return Err(self.character_name()),
            _ if in_class => return Err(unsupported()),
            _ => return self.place_or_reference(letter).map(Escape::Node),
        };
        Ok(Escape::Point(point))
    }

    /// What is wrong with `\N{…}`: the names of all characters are not at hand.
    fn character_name(&mut self) -> Problem {
        if self.cursor.read() != u32::from(b'{') {
            return Problem::new("Illegal character name escape sequence");
        }
        while self.cursor.read() != u32::from(b'}') {
            if self.cursor.at_end() {
                return Problem::new("Unclosed character name escape sequence");
            }
        }
        Problem::new("Character names (\\N{…}) are not supported")
    }

    fn predefined(&self, letter: u8, begins_range: bool) -> Option<Ranges> {
        let is_unicode = self.flags().unicode_class;
        let set = match letter.to_ascii_lowercase() {
            b'd' if is_unicode => property::digits(),
            b'd' => Ranges::new(vec![(0x30, 0x39)]),
            b's' if is_unicode => property::white_space(),
            b's' => Ranges::of("\t\n\u{B}\u{C}\r "),
            b'w' if is_unicode => (*unicode::word()).clone(),
            b'w' => Ranges::new(vec![(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]),
            b'h' => Ranges::of(HORIZONTAL),
            // As the start of a range it is a character.
            b'v' if letter == b'V' || !begins_range => Ranges::of(VERTICAL),
            _ => return None,
        };
        Some(if letter.is_ascii_uppercase() {
            set.negate()
        } else {
            set
        })
    }

    fn place_or_reference(&mut self, letter: u8) -> Result2<Node> {
        Ok(match letter {
            b'1'..=b'9' => self.reference(u32::from(letter - b'0')),
            b'A' => Node::Assert(Assertion::TextStart),
            b'B' => Node::Assert(Assertion::NoWordBoundary(self.words())),
            b'b' => Node::Assert(self.boundary()?),
            b'G' => Node::Assert(Assertion::SearchStart),
            b'R' => Node::LineEnding,
            b'X' => Node::Grapheme,
            b'Z' => Node::Assert(Assertion::LastLineEnd(self.lines())),
            b'z' => Node::Assert(Assertion::TextEnd),
            b'k' => self.named_reference()?,
            _ => return Err(unsupported()),
        })
    }

    /// `\b`, or `\b{g}`.
    fn boundary(&mut self) -> Result2<Assertion> {
        if self.cursor.peek() == u32::from(b'{') {
            let start = self.cursor.place();
            if self.cursor.skip() == u32::from(b'g') {
                return match self.cursor.read() == u32::from(b'}') {
                    true => Ok(Assertion::GraphemeBoundary),
                    false => Err(unsupported()),
                };
            }
            self.cursor.set_place(start);
        }
        Ok(Assertion::WordBoundary(self.words()))
    }

    /// A back reference; more digits belong to it as long as there are that many groups so far.
    fn reference(&mut self, first: u32) -> Node {
        let mut group = first;
        while let Some(digit) = char::from_u32(self.cursor.peek()).and_then(|c| c.to_digit(10)) {
            let longer = group.saturating_mul(10).saturating_add(digit);
            if longer >= self.groups {
                break;
            }
            group = longer;
            self.cursor.read();
        }
        Node::BackReference(group, self.fold())
    }

    fn named_reference(&mut self) -> Result2<Node> {
        if self.cursor.read() != u32::from(b'<') {
            return Err(Problem::new(
                "\\k is not followed by '<' for named capturing group",
            ));
        }
        let first = self.cursor.read();
        let name = self.group_name(first)?;
        match self.names.iter().find(|(known, _)| *known == name) {
            Some(&(_, group)) => Ok(Node::BackReference(group as u32, self.fold())),
            None => Err(Problem::new(format!(
                "named capturing group <{name}> does not exist"
            ))),
        }
    }

    fn octal(&mut self) -> Result2<u32> {
        let first = self
            .octal_digit()
            .ok_or_else(|| Problem::new("Illegal octal escape sequence"))?;
        let Some(second) = self.octal_digit() else {
            self.cursor.unread();
            return Ok(first);
        };
        let third = self.octal_digit();
        match third {
            Some(third) if first <= 3 => Ok(first * 64 + second * 8 + third),
            _ => {
                self.cursor.unread();
                Ok(first * 8 + second)
            }
        }
    }

    fn octal_digit(&mut self) -> Option<u32> {
        char::from_u32(self.cursor.read()).and_then(|c| c.to_digit(8))
    }

    fn control(&mut self) -> Result2<u32> {
        if self.cursor.at_end() {
            return Err(Problem::new("Illegal control escape sequence"));
        }
        Ok(self.cursor.read() ^ 64)
    }

    /// `\uXXXX`; two that are the halves of a surrogate pair are one character.
    fn unicode(&mut self) -> Result2<u32> {
        let high = self.four_digits()?;
        if (0xD800..0xDC00).contains(&high) {
            let place = self.cursor.place();
            if self.cursor.read() == u32::from(b'\\') && self.cursor.read() == u32::from(b'u') {
                let low = self.four_digits()?;
                if (0xDC00..0xE000).contains(&low) {
                    return Ok(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00));
                }
            }
            self.cursor.set_place(place);
        }
        Ok(high)
    }

    fn four_digits(&mut self) -> Result2<u32> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = hex_digit(self.cursor.read());
            value = value * 16
                + digit.ok_or_else(|| Problem::new("Illegal Unicode escape sequence"))?;
        }
        Ok(value)
    }

    /// `\xhh` or `\x{h…h}`.
    fn hexadecimal(&mut self) -> Result2<u32> {
        let problem = || Problem::new("Illegal hexadecimal escape sequence");
        let first = self.cursor.read();
        if let Some(high) = hex_digit(first) {
            let low = hex_digit(self.cursor.read()).ok_or_else(problem)?;
            return Ok(high * 16 + low);
        }
        if first != u32::from(b'{') || hex_digit(self.cursor.peek()).is_none() {
            return Err(problem());
        }
        let mut value = 0;
        loop {
            let point = self.cursor.read();
            let Some(digit) = hex_digit(point) else {
                return match point == u32::from(b'}') {
                    true => Ok(value),
                    false => Err(Problem::new("Unclosed hexadecimal escape sequence")),
                };
            };
            value = value * 16 + digit;
            if value > 0x10_FFFF {
                return Err(Problem::new("Hexadecimal codepoint is too big"));
            }
        }
    }
}

fn hex_digit(point: u32) -> Option<u32> {
    char::from_u32(point).and_then(|c| c.to_digit(16))
}

/// `\R`: a line end, where "\r\n" is one.
pub(in crate::regex) fn line_ending() -> Node {
    let pair = Node::Sequence(vec![Node::Unit(0x0D), Node::Unit(0x0A)]);
    let single = Node::Set(Arc::new(Ranges::of(VERTICAL)), Reads::Units);
    Node::Alternatives(vec![pair, single])
}
