//! Groups with names, and references to them.

use super::{Parser, Result2, digit};
use crate::regex::ast::Node;
use crate::regex::points::point_at;
use crate::regex::unicode;

/// The first of the numbers that stand for names until all are known.
const NAMED: u32 = 1 << 24;

/// The number of groups of a pattern, the whole match among them, and whether one has a name.
pub(super) fn count_groups(pattern: &[u16]) -> (u32, bool) {
    let (mut count, mut has_names, mut in_class, mut place) = (1u32, false, false, 0);
    while let Some(&unit) = pattern.get(place) {
        place += 1;
        match u8::try_from(unit).unwrap_or(0) {
            b'\\' => place += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'(' if !in_class => {
                let at = |ahead: usize| pattern.get(place + ahead).copied().map_or(0, u32::from);
                if at(0) != u32::from(b'?') {
                    count += 1;
                } else if at(1) == u32::from(b'<') && !matches!(at(2), 0x3D | 0x21) {
                    count += 1;
                    has_names = true;
                }
            }
            _ => {}
        }
    }
    (count, has_names)
}

impl Parser<'_> {
    /// The name after `<`, and its `>`.
    pub(super) fn group_name(&mut self) -> Result2<String> {
        let problem = "Invalid capture group name";
        let mut name = String::new();
        loop {
            if self.place >= self.pattern.len() {
                return Err(problem);
            }
            let (mut point, length) = point_at(self.pattern, self.place);
            self.place += length as usize;
            if point == u32::from(b'>') {
                break;
            }
            if point == u32::from(b'\\') {
                if !self.take("u") {
                    return Err(problem);
                }
                point = self.name_escape().ok_or("Invalid Unicode escape")?;
            }
            let is_first = name.is_empty();
            match char::from_u32(point) {
                Some(character) if is_name_part(character, is_first) => name.push(character),
                _ => return Err(problem),
            }
        }
        if name.is_empty() {
            Err(problem)
        } else {
            Ok(name)
        }
    }

    /// `\uXXXX`, a pair of them, or `\u{…}`, after the `u`.
    fn name_escape(&mut self) -> Option<u32> {
        if self.take("{") {
            let mut value: Option<u32> = None;
            while let Some(digit) = self.peek().and_then(|unit| digit(unit, 16)) {
                let next = value.unwrap_or(0) * 16 + digit;
                value = Some(next).filter(|&value| value <= 0x10_FFFF);
                value?;
                self.place += 1;
            }
            return if self.take("}") { value } else { None };
        }
        let high = self.hex(4)?;
        let place = self.place;
        if (0xD800..0xDC00).contains(&high) && self.take("\\u") {
            match self.hex(4) {
                Some(low @ 0xDC00..=0xDFFF) => {
                    return Some(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00));
                }
                _ => self.place = place,
            }
        }
        Some(high)
    }

    /// `\k<name>`, after the `k`.
    pub(super) fn named_reference(&mut self) -> Result2<Node> {
        if !self.take("<") {
            return Err("Invalid named reference");
        }
        let name = self.group_name()?;
        self.named_references.push(name);
        let index = self.named_references.len() as u32 - 1;
        Ok(Node::BackReference(NAMED + index, self.fold()))
    }

    /// Gives references by name their numbers.
    pub(super) fn resolve(&self, node: &mut Node) -> Result2<()> {
        match node {
            Node::BackReference(group, _) if *group >= NAMED => {
                let name = &self.named_references[(*group - NAMED) as usize];
                let known = self.names.iter().find(|(known, _)| known == name);
                *group = known.ok_or("Invalid named capture referenced")?.1 as u32;
                Ok(())
            }
            Node::Sequence(nodes) | Node::Alternatives(nodes) => {
                nodes.iter_mut().try_for_each(|node| self.resolve(node))
            }
            Node::Capture(_, inner) | Node::Atomic(inner) => self.resolve(inner),
            Node::Repeat(repeat) => self.resolve(&mut repeat.node),
            Node::Look(look) => self.resolve(&mut look.node),
            _ => Ok(()),
        }
    }
}

fn is_name_part(character: char, is_first: bool) -> bool {
    match character {
        '$' | '_' => true,
        '\u{200C}' | '\u{200D}' => !is_first,
        _ if is_first => unicode::is_id_start(character),
        _ => unicode::is_id_continue(character),
    }
}
