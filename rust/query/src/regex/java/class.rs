//! Character classes in brackets: unions, intersections, classes within classes.

use super::escape::Escape;
use super::{Parser, Problem, Result2, fold};
use crate::regex::MAX_DEPTH;
use crate::regex::ast::Fold;
use crate::regex::ranges::Ranges;

/// A member of a class.
enum Member {
    Set(Ranges),
    /// A character that Java keeps in a table of the first 256.
    Bit(Ranges),
}

/// A class that is being read.
#[derive(Default)]
struct Reading {
    so_far: Option<Ranges>,
    /// What was read last.
    last: Option<Ranges>,
    /// The table. It stays, and counts once more when something is added to it after an intersection.
    bits: Ranges,
    has_bits: bool,
}

impl Reading {
    fn add(&mut self, set: Ranges) {
        self.so_far = Some(match self.so_far.take() {
            None => set.clone(),
            Some(before) => before.union(&set),
        });
        self.last = Some(set);
    }

    fn add_bits(&mut self) {
        if !self.has_bits {
            return;
        }
        self.has_bits = false;
        match self.so_far.take() {
            None => {
                self.last = Some(self.bits.clone());
                self.so_far = Some(self.bits.clone());
            }
            Some(before) => self.so_far = Some(before.union(&self.bits)),
        }
    }

    fn is_empty(&self) -> bool {
        self.so_far.is_none() && !self.has_bits
    }

    fn finish(mut self, is_negated: bool) -> Ranges {
        self.add_bits();
        let set = self.so_far.unwrap_or_default();
        if is_negated { set.negate() } else { set }
    }
}

impl Parser {
    /// A class, at the place before its first member. `consume`: its `]` is read too.
    pub(super) fn class(&mut self, consume: bool, depth: usize) -> Result2<Ranges> {
        if depth > MAX_DEPTH {
            return Err(Problem::new("The classes are nested too deeply"));
        }
        let mut reading = Reading::default();
        let mut is_negated = false;
        let mut point = self.cursor.next();
        loop {
            match u8::try_from(point).unwrap_or(0xFF) {
                b'^' if self.cursor.at(self.cursor.place().saturating_sub(1))
                    == u32::from(b'[') =>
                {
                    point = self.cursor.next();
                    is_negated = true;
                    continue;
                }
                b'[' => {
                    let inner = self.class(true, depth + 1)?;
                    reading.add(inner);
                    point = self.cursor.peek();
                    continue;
                }
                b'&' => {
                    if self.cursor.next() == u32::from(b'&') {
                        self.intersection(&mut reading, depth)?;
                        point = self.cursor.peek();
                        continue;
                    }
                    self.cursor.unread();
                }
                0 if self.cursor.at_end() => return Err(Problem::new("Unclosed character class")),
                b']' if !reading.is_empty() => {
                    if consume {
                        self.cursor.next();
                    }
                    return Ok(reading.finish(is_negated));
                }
                _ => {}
            }
            match self.member()? {
                Member::Set(set) => reading.add(set),
                Member::Bit(set) => {
                    reading.bits = reading.bits.union(&set);
                    reading.has_bits = true;
                }
            }
            point = self.cursor.peek();
        }
    }

    /// `&&`, at its second sign, and what it is the intersection with.
    fn intersection(&mut self, reading: &mut Reading, depth: usize) -> Result2<()> {
        let mut point = self.cursor.next();
        let mut right: Option<Ranges> = None;
        while point != u32::from(b']') && point != u32::from(b'&') {
            let is_nested = point == u32::from(b'[');
            if !is_nested {
                self.cursor.unread();
            }
            let next = self.class(is_nested, depth + 1)?;
            right = Some(match right {
                None => next,
                Some(before) => before.union(&next),
            });
            point = self.cursor.peek();
        }
        reading.add_bits();
        let is_missing = right.is_none();
        if right.is_some() {
            reading.last = right;
        }
        reading.so_far = match (reading.so_far.take(), &reading.last) {
            (None, _) if is_missing => return Err(Problem::new("Bad class syntax")),
            (None, last) => last.clone(),
            (Some(before), None) => Some(before),
            (Some(before), Some(last)) => Some(before.intersect(last)),
        };
        Ok(())
    }

    /// A character, a range or a predefined class.
    fn member(&mut self) -> Result2<Member> {
        let mut point = self.cursor.peek();
        if point == u32::from(b'\\') {
            if let Some(set) = self.property()? {
                return Ok(Member::Set(set));
            }
            let begins_range = self.cursor.at(self.cursor.place() + 2) == u32::from(b'-');
            match self.escape(true, begins_range)? {
                Escape::Point(escaped) => point = escaped,
                Escape::Set(set) => return Ok(Member::Set(set)),
                Escape::Node(_) => return Err(Problem::new("Illegal/unsupported escape sequence")),
            }
        } else {
            self.cursor.next();
        }
        if self.cursor.peek() == u32::from(b'-') {
            let end = self.cursor.at(self.cursor.place() + 1);
            if end != u32::from(b'[') && end != u32::from(b']') {
                return self.range(point).map(Member::Set);
            }
        }
        Ok(self.bit_or_single(point))
    }

    /// A range from `first`, at its hyphen.
    fn range(&mut self, first: u32) -> Result2<Ranges> {
        self.cursor.next();
        let mut last = Some(self.cursor.peek());
        if last == Some(u32::from(b'\\')) {
            last = match self.escape(true, true)? {
                Escape::Point(point) => Some(point),
                _ => None,
            };
        } else {
            self.cursor.next();
        }
        match last {
            Some(last) if last >= first => Ok(fold::range(first, last, self.fold())),
            _ => Err(Problem::new("Illegal character range")),
        }
    }

    fn bit_or_single(&self, point: u32) -> Member {
        let fold = self.fold();
        // These equal characters that are not in the table.
        let is_special = fold == Fold::JavaUnicode
            && matches!(
                point,
                0xFF | 0xB5 | 0x49 | 0x69 | 0x53 | 0x73 | 0x4B | 0x6B | 0xC5 | 0xE5
            );
        if point < 256 && !is_special {
            Member::Bit(fold::bit(point, fold))
        } else {
            Member::Set(fold::member(point, fold))
        }
    }
}
