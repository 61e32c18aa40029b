//! Character classes in brackets.

use super::escape::class_of;
use super::{Parser, Result2};
use crate::regex::ast::Node;
use crate::regex::case;
use crate::regex::ranges::Ranges;

/// One member of a class.
enum Member {
    Unit(u16),
    Set(Ranges),
}

impl Parser<'_> {
    /// A class, after its `[`.
    pub(super) fn class(&mut self) -> Result2<Node> {
        let is_negated = self.take("^");
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        loop {
            if self.take("]") {
                break;
            }
            let first = self.member()?;
            if !self.take("-") {
                add(&mut pairs, &first);
                continue;
            }
            // A hyphen at the end, or beside a set, is a member itself.
            if self.looking_at("]") {
                add(&mut pairs, &first);
                pairs.push((0x2D, 0x2D));
                continue;
            }
            match (first, self.member()?) {
                (Member::Unit(first), Member::Unit(last)) if first > last => {
                    return Err("Range out of order in character class");
                }
                (Member::Unit(first), Member::Unit(last)) => {
                    pairs.push((first.into(), last.into()))
                }
                (first, last) => {
                    add(&mut pairs, &first);
                    add(&mut pairs, &last);
                    pairs.push((0x2D, 0x2D));
                }
            }
        }
        let mut set = Ranges::new(pairs);
        if self.flags.ignore_case {
            set = case::close_ecmascript(&set);
        }
        Ok(self.set(if is_negated { set.negate() } else { set }))
    }

    fn member(&mut self) -> Result2<Member> {
        let Some(unit) = self.peek() else {
            return Err("Unterminated character class");
        };
        self.place += 1;
        if unit != u16::from(b'\\') {
            return Ok(Member::Unit(unit));
        }
        let Some(escaped) = self.peek() else {
            return Err("\\ at end of pattern");
        };
        if let Some(set) = class_of(escaped) {
            self.place += 1;
            return Ok(Member::Set(set));
        }
        if escaped == u16::from(b'b') {
            self.place += 1;
            return Ok(Member::Unit(0x08));
        }
        self.character_escape(true).map(Member::Unit)
    }
}

fn add(pairs: &mut Vec<(u32, u32)>, member: &Member) {
    match member {
        Member::Unit(unit) => pairs.push((u32::from(*unit), u32::from(*unit))),
        Member::Set(set) => pairs.extend(set.pairs()),
    }
}
