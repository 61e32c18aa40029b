//! Reads patterns of ECMAScript without the `u` flag, with the additions of Annex B, as V8 does.

mod class;
mod escape;
mod groups;
mod names;

use std::sync::Arc;

use super::ast::{
    Assertion, Direction, EmptyIteration, Fold, Kind, Lines, Look, Node, Parsed, Reads, Repeat,
    Sign, UNBOUNDED,
};
use super::case;
use super::ranges::{LAST, Ranges};
use super::{Flags, SyntaxError};

/// How many groups V8 allows.
const MAX_GROUPS: u32 = 65_535;

pub(super) fn parse(pattern: &[u16], flags: Flags) -> Result<Parsed, SyntaxError> {
    let (total, has_names) = names::count_groups(pattern);
    let mut parser = Parser {
        pattern,
        flags,
        place: 0,
        total,
        has_names,
        groups: 1,
        names: Vec::new(),
        named_references: Vec::new(),
        open: vec![Open::new(GroupKind::Pattern, 1)],
    };
    parser.run().map_err(|problem| parser.error(problem))
}

/// What is wrong, in V8's words.
type Problem = &'static str;

type Result2<T> = std::result::Result<T, Problem>;

struct Parser<'p> {
    pattern: &'p [u16],
    flags: Flags,
    place: usize,
    /// How many groups the whole pattern has, the whole match among them.
    total: u32,
    has_names: bool,
    /// The number of the next group.
    groups: u32,
    names: Vec<(String, usize)>,
    /// Where in the tree `\k<name>` stands is known by a number that no group has, until all names are read.
    named_references: Vec<String>,
    open: Vec<Open>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GroupKind {
    Pattern,
    Plain,
    Capture(u32),
    Look { negated: bool, behind: bool },
}

/// A group that is not closed yet.
struct Open {
    kind: GroupKind,
    name: Option<String>,
    first_group: u32,
    alternatives: Vec<Node>,
    terms: Vec<Node>,
}

impl Open {
    fn new(kind: GroupKind, first_group: u32) -> Open {
        Open {
            kind,
            name: None,
            first_group,
            alternatives: Vec::new(),
            terms: Vec::new(),
        }
    }

    fn end_alternative(&mut self) {
        let terms = std::mem::take(&mut self.terms);
        self.alternatives.push(sequence(terms));
    }

    fn into_node(mut self) -> Node {
        self.end_alternative();
        let inner = alternatives(self.alternatives);
        match self.kind {
            GroupKind::Pattern | GroupKind::Plain => inner,
            GroupKind::Capture(group) => Node::Capture(group, Box::new(inner)),
            GroupKind::Look { negated, behind } => Node::Look(Box::new(Look {
                node: inner,
                negated,
                direction: if behind {
                    Direction::Behind
                } else {
                    Direction::Ahead
                },
            })),
        }
    }
}

fn sequence(mut terms: Vec<Node>) -> Node {
    match terms.len() {
        0 => Node::Empty,
        1 => terms.remove(0),
        _ => Node::Sequence(terms),
    }
}

fn alternatives(mut nodes: Vec<Node>) -> Node {
    match nodes.len() {
        1 => nodes.remove(0),
        _ => Node::Alternatives(nodes),
    }
}

impl Parser<'_> {
    fn peek(&self) -> Option<u16> {
        self.pattern.get(self.place).copied()
    }

    fn looking_at(&self, ascii: &str) -> bool {
        let rest = &self.pattern[self.place..];
        rest.len() >= ascii.len()
            && ascii
                .bytes()
                .zip(rest)
                .all(|(byte, &unit)| unit == byte.into())
    }

    fn take(&mut self, ascii: &str) -> bool {
        let is_there = self.looking_at(ascii);
        if is_there {
            self.place += ascii.len();
        }
        is_there
    }

    fn error(&self, problem: Problem) -> SyntaxError {
        let pattern = String::from_utf16_lossy(self.pattern);
        let letters = [
            (true, 'g'),
            (self.flags.ignore_case, 'i'),
            (self.flags.multiline, 'm'),
            (self.flags.dot_all, 's'),
        ];
        let flags: String = letters
            .iter()
            .filter(|flag| flag.0)
            .map(|flag| flag.1)
            .collect();
        SyntaxError {
            message: format!("Invalid regular expression: /{pattern}/{flags}: {problem}"),
            position: self.place.min(self.pattern.len()),
        }
    }

    fn top(&mut self) -> &mut Open {
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    fn push(&mut self, node: Node) {
        self.top().terms.push(node);
    }

    fn run(&mut self) -> Result2<Parsed> {
        while let Some(unit) = self.peek() {
            match u8::try_from(unit).unwrap_or(0) {
                b'|' => {
                    self.place += 1;
                    self.top().end_alternative();
                }
                b'(' => self.open_group()?,
                b')' => self.close_group()?,
                b'^' | b'$' => self.line_assertion(unit == u16::from(b'^')),
                b'*' | b'+' | b'?' => return Err("Nothing to repeat"),
                b'{' if self.bounds()?.is_some() => return Err("Nothing to repeat"),
                b'\\' if self.word_assertion() => {}
                _ => self.term()?,
            }
        }
        let pattern = match (self.open.pop(), self.open.is_empty()) {
            (Some(pattern), true) => pattern,
            _ => return Err("Unterminated group"),
        };
        let mut node = pattern.into_node();
        if !self.named_references.is_empty() {
            self.resolve(&mut node)?;
        }
        Ok(Parsed {
            node,
            groups: self.groups,
            names: self.sorted_names(),
        })
    }

    /// Names in the order of the groups' numbers; they were added in the order of the groups' ends.
    fn sorted_names(&mut self) -> Vec<(String, usize)> {
        let mut names = std::mem::take(&mut self.names);
        names.sort_by_key(|(_, group)| *group);
        names
    }

    fn line_assertion(&mut self, is_start: bool) {
        self.place += 1;
        self.push(Node::Assert(match (is_start, self.flags.multiline) {
            (true, false) => Assertion::TextStart,
            (true, true) => Assertion::LineStart(Lines::EcmaScript),
            (false, false) => Assertion::TextEnd,
            (false, true) => Assertion::LineEnd(Lines::EcmaScript),
        }));
    }

    /// `\b` and `\B`, which no quantifier may follow.
    fn word_assertion(&mut self) -> bool {
        let assertion = match self.pattern.get(self.place + 1) {
            Some(0x62) => Assertion::WordBoundary(super::ast::Words::Ascii),
            Some(0x42) => Assertion::NoWordBoundary(super::ast::Words::Ascii),
            _ => return false,
        };
        self.place += 2;
        self.push(Node::Assert(assertion));
        true
    }

    /// A term of one character, a class, or a back reference.
    fn term(&mut self) -> Result2<()> {
        let Some(unit) = self.peek() else {
            return Ok(());
        };
        let first_group = self.groups;
        self.place += 1;
        let node = match u8::try_from(unit).unwrap_or(0) {
            b'.' => self.dot(),
            b'[' => self.class()?,
            b'\\' => self.atom_escape()?,
            _ => self.literal(unit),
        };
        self.quantified(node, first_group, false)
    }

    fn dot(&self) -> Node {
        let set = if self.flags.dot_all {
            Ranges::new(vec![(0, LAST)])
        } else {
            Ranges::of("\n\r\u{2028}\u{2029}").negate()
        };
        Node::Set(Arc::new(set), Reads::Units)
    }

    fn literal(&self, unit: u16) -> Node {
        if self.flags.ignore_case {
            let closed = case::close_ecmascript(&Ranges::single(unit.into()));
            if closed.only().is_none() {
                return Node::Set(Arc::new(closed), Reads::Units);
            }
        }
        Node::Unit(unit)
    }

    fn set(&self, ranges: Ranges) -> Node {
        Node::Set(Arc::new(ranges), Reads::Units)
    }

    fn fold(&self) -> Fold {
        if self.flags.ignore_case {
            Fold::EcmaScript
        } else {
            Fold::Exact
        }
    }

    /// Adds a term, with the quantifier that follows it.
    fn quantified(&mut self, node: Node, first_group: u32, is_behind: bool) -> Result2<()> {
        let bounds = if self.take("*") {
            (0, UNBOUNDED)
        } else if self.take("+") {
            (1, UNBOUNDED)
        } else if self.take("?") {
            (0, 1)
        } else if let Some((bounds, end)) = self.bounds()? {
            self.place = end;
            if bounds.0 > bounds.1 {
                return Err("numbers out of order in {} quantifier");
            }
            bounds
        } else {
            self.push(node);
            return Ok(());
        };
        let kind = if self.take("?") {
            Kind::Lazy
        } else {
            Kind::Greedy
        };
        if is_behind {
            return Err("Invalid quantifier");
        }
        let groups = (first_group, self.groups);
        self.push(Node::Repeat(Box::new(Repeat {
            node,
            least: bounds.0,
            most: bounds.1,
            kind,
            groups,
            empty: EmptyIteration::Fails,
            sign: Sign::Counted,
            is_group: false,
        })));
        Ok(())
    }

    /// The bounds of `{n}`, `{n,}` or `{n,m}` here, and where they end; else `{` is a literal.
    #[allow(clippy::type_complexity)]
    fn bounds(&self) -> Result2<Option<((u32, u32), usize)>> {
        let mut place = self.place;
        if self.pattern.get(place) != Some(&0x7B) {
            return Ok(None);
        }
        place += 1;
        let Some(least) = self.digits(&mut place) else {
            return Ok(None);
        };
        let mut most = least;
        if self.pattern.get(place) == Some(&0x2C) {
            place += 1;
            most = self.digits(&mut place).unwrap_or(UNBOUNDED);
        }
        if self.pattern.get(place) != Some(&0x7D) {
            return Ok(None);
        }
        Ok(Some(((least, most), place + 1)))
    }

    fn digits(&self, place: &mut usize) -> Option<u32> {
        let mut value = None;
        while let Some(digit) = self.pattern.get(*place).and_then(|&unit| digit(unit, 10)) {
            value = Some(
                value
                    .unwrap_or(0u32)
                    .saturating_mul(10)
                    .saturating_add(digit),
            );
            *place += 1;
        }
        value
    }
}

/// The value of a digit.
fn digit(unit: u16, radix: u32) -> Option<u32> {
    char::from_u32(unit.into())
        .filter(char::is_ascii)
        .and_then(|c| c.to_digit(radix))
}
