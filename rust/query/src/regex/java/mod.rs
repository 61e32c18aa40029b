//! Reads patterns of `java.util.regex.Pattern`, as Java 17 does.
//!
//! Where Java's errors are, and what a blank means with the `x` flag, depends on how its reader goes over
//! the pattern; [`cursor`] has the same ways to go on.

mod class;
mod cursor;
mod escape;
mod fold;
mod groups;
mod length;
mod property;
mod quantifier;
mod quote;

use std::sync::Arc;

pub(super) use escape::line_ending;

use super::analysis;
use super::ast::{Assertion, Fold, Lines, Node, Parsed, Reads, Words};
use super::ranges::{LAST, Ranges};
use super::{Flags, SyntaxError};
use cursor::{Cursor, Problem, Result2};

/// A pattern, and whether a search goes by code points.
pub(super) fn parse(pattern: &[u16], flags: Flags) -> Result<(Parsed, bool), SyntaxError> {
    let flags = Flags {
        unicode_case: flags.unicode_case || flags.unicode_class,
        ..flags
    };
    let mut parser = Parser {
        cursor: Cursor::new(pattern, flags),
        groups: 1,
        names: Vec::new(),
        open: vec![Open::new(GroupKind::Pattern, flags, 1)],
    };
    match parser.run() {
        Ok(parsed) => {
            let by_points =
                parser.cursor.has_supplementary() || analysis::has_wide_set(&parsed.node);
            Ok((parsed, by_points))
        }
        Err(problem) => Err(cursor::error(problem, pattern, &parser.cursor)),
    }
}

struct Parser {
    cursor: Cursor,
    /// The number of the next group.
    groups: u32,
    names: Vec<(String, usize)>,
    open: Vec<Open>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GroupKind {
    Pattern,
    Plain,
    Capture(u32),
    Atomic,
    Ahead {
        negated: bool,
    },
    /// With the place after its start, for what Java asks of the rest of the pattern.
    Behind {
        negated: bool,
        start: usize,
    },
}

/// A group that is not closed yet.
struct Open {
    kind: GroupKind,
    /// The flags outside, which hold again after it.
    flags: Flags,
    first_group: u32,
    alternatives: Vec<Node>,
    terms: Vec<Node>,
}

impl Open {
    fn new(kind: GroupKind, flags: Flags, first_group: u32) -> Open {
        Open {
            kind,
            flags,
            first_group,
            alternatives: Vec::new(),
            terms: Vec::new(),
        }
    }

    fn end_alternative(&mut self) {
        let mut terms = std::mem::take(&mut self.terms);
        self.alternatives.push(match terms.len() {
            0 => Node::Empty,
            1 => terms.remove(0),
            _ => Node::Sequence(terms),
        });
    }

    fn body(&mut self) -> Node {
        self.end_alternative();
        let mut alternatives = std::mem::take(&mut self.alternatives);
        match alternatives.len() {
            1 => alternatives.remove(0),
            _ => Node::Alternatives(alternatives),
        }
    }
}

impl Parser {
    fn flags(&self) -> Flags {
        self.cursor.flags
    }

    fn top(&mut self) -> &mut Open {
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    fn push(&mut self, node: Node) {
        self.top().terms.push(node);
    }

    fn run(&mut self) -> Result2<Parsed> {
        loop {
            let point = self.cursor.peek();
            match u8::try_from(point).unwrap_or(0xFF) {
                b'|' => {
                    self.cursor.next();
                    self.top().end_alternative();
                }
                b'(' => self.open_group()?,
                b')' if self.open.len() > 1 => self.close_group()?,
                b')' => {
                    self.cursor.peek();
                    return Err(if self.cursor.at_end() {
                        Problem::new("Unexpected internal error")
                    } else {
                        Problem::new("Unmatched closing ')'")
                    });
                }
                b'?' | b'*' | b'+' => {
                    self.cursor.next();
                    let sign = char::from(point as u8);
                    return Err(Problem::new(format!("Dangling meta character '{sign}'")));
                }
                0 if self.cursor.at_end() => break,
                _ => self.term(point)?,
            }
        }
        self.finish()
    }

    fn finish(&mut self) -> Result2<Parsed> {
        if self.open.len() > 1 {
            self.cursor.accept(b')', "Unclosed group")?;
        }
        if !self.cursor.is_exactly_at_end() {
            return Err(Problem::new("Unexpected internal error"));
        }
        let node = self.top().body();
        let mut names = std::mem::take(&mut self.names);
        names.sort_by_key(|(_, group)| *group);
        Ok(Parsed {
            node,
            groups: self.groups,
            names,
        })
    }

    /// A term that is no group, with its quantifier.
    fn term(&mut self, point: u32) -> Result2<()> {
        let node = match u8::try_from(point).unwrap_or(0xFF) {
            b'[' => {
                let set = self.class(true, 0)?;
                self.points(set)
            }
            b'^' => {
                self.cursor.next();
                Node::Assert(match self.flags().multiline {
                    true => Assertion::LineStart(self.lines()),
                    false => Assertion::TextStart,
                })
            }
            b'$' => {
                self.cursor.next();
                Node::Assert(match self.flags().multiline {
                    true => Assertion::LineEnd(self.lines()),
                    false => Assertion::LastLineEnd(self.lines()),
                })
            }
            b'.' => {
                self.cursor.next();
                self.dot()
            }
            b'\\' => self.backslash()?,
            // What a quantifier without a number is about is found out when it is read.
            b'{' => Node::Empty,
            _ => {
                self.cursor.next();
                self.literal(point)
            }
        };
        let groups = self.groups;
        let node = self.quantified(node, groups)?;
        self.push(node);
        Ok(())
    }

    fn lines(&self) -> Lines {
        if self.flags().unix_lines {
            Lines::Unix
        } else {
            Lines::Java
        }
    }

    fn words(&self) -> Words {
        if self.flags().unicode_class {
            Words::Unicode
        } else {
            Words::Java
        }
    }

    fn fold(&self) -> Fold {
        match (self.flags().ignore_case, self.flags().unicode_case) {
            (false, _) => Fold::Exact,
            (true, false) => Fold::JavaAscii,
            (true, true) => Fold::JavaUnicode,
        }
    }

    fn dot(&self) -> Node {
        let set = match (self.flags().dot_all, self.flags().unix_lines) {
            (true, _) => Ranges::new(vec![(0, LAST)]),
            (false, true) => Ranges::of("\n").negate(),
            (false, false) => Ranges::of("\n\r\u{85}\u{2028}\u{2029}").negate(),
        };
        self.points(set)
    }

    fn points(&self, set: Ranges) -> Node {
        Node::Set(Arc::new(set), Reads::Points)
    }

    fn literal(&self, point: u32) -> Node {
        let set = fold::single(point, self.fold());
        match set.only() {
            Some(only) if only < 0xD800 || (0xE000..=0xFFFF).contains(&only) => {
                Node::Unit(only as u16)
            }
            _ => self.points(set),
        }
    }
}
