//! Reads patterns of `java.util.regex.Pattern`, as Java 17 does.
//!
//! Where Java's errors are, and what a blank means with the `x` flag, depends on how its reader goes over
//! the pattern; [`cursor`] has the same ways to go on.

mod class;
mod cursor;
mod escape;
mod fold;
mod length;
mod property;
mod quantifier;
mod quote;

use std::sync::Arc;

pub(super) use escape::line_ending;

use super::analysis;
use super::ast::{Assertion, Direction, Fold, Lines, Look, Node, Parsed, Reads, Words};
use super::ranges::{LAST, Ranges};
use super::{Flags, MAX_DEPTH, SyntaxError};
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

    fn open_group(&mut self) -> Result2<()> {
        let flags = self.flags();
        let first_group = self.groups;
        let kind = if self.cursor.next() == u32::from(b'?') {
            match self.group_kind()? {
                Some(kind) => kind,
                // Flags alone: they hold up to the end of the group around them.
                None => return Ok(()),
            }
        } else {
            self.next_group()
        };
        if self.open.len() > MAX_DEPTH {
            return Err(Problem::new("The groups are nested too deeply"));
        }
        self.open.push(Open::new(kind, flags, first_group));
        Ok(())
    }

    fn next_group(&mut self) -> GroupKind {
        self.groups += 1;
        GroupKind::Capture(self.groups - 1)
    }

    /// What kind of group begins, at its `?`. None: it is flags alone.
    fn group_kind(&mut self) -> Result2<Option<GroupKind>> {
        let kind = match u8::try_from(self.cursor.skip()).unwrap_or(0xFF) {
            b':' => GroupKind::Plain,
            b'=' => GroupKind::Ahead { negated: false },
            b'!' => GroupKind::Ahead { negated: true },
            b'>' => GroupKind::Atomic,
            b'<' => self.named_or_behind()?,
            b'$' | b'@' => return Err(Problem::new("Unknown group type")),
            _ => {
                self.cursor.unread();
                self.inline_flags();
                match u8::try_from(self.cursor.read()).unwrap_or(0xFF) {
                    b')' => return Ok(None),
                    b':' => GroupKind::Plain,
                    _ => return Err(Problem::new("Unknown inline modifier")),
                }
            }
        };
        Ok(Some(kind))
    }

    fn named_or_behind(&mut self) -> Result2<GroupKind> {
        let point = self.cursor.read();
        if point == u32::from(b'=') || point == u32::from(b'!') {
            return Ok(GroupKind::Behind {
                negated: point == u32::from(b'!'),
                start: self.cursor.place(),
            });
        }
        let name = self.group_name(point)?;
        if self.names.iter().any(|(known, _)| *known == name) {
            return Err(Problem::new(format!(
                "Named capturing group <{name}> is already defined"
            )));
        }
        self.names.push((name, self.groups as usize));
        Ok(self.next_group())
    }

    /// A name that begins with `point`, and its `>`.
    fn group_name(&mut self, point: u32) -> Result2<String> {
        let mut name = String::new();
        let mut point = point;
        let is_letter =
            |point: u32| u8::try_from(point).is_ok_and(|byte| byte.is_ascii_alphabetic());
        if !is_letter(point) {
            return Err(Problem::new(
                "capturing group name does not start with a Latin letter",
            ));
        }
        while let Some(byte) = u8::try_from(point).ok().filter(u8::is_ascii_alphanumeric) {
            name.push(byte.into());
            point = self.cursor.read();
        }
        if point != u32::from(b'>') {
            return Err(Problem::new(
                "named capturing group is missing trailing '>'",
            ));
        }
        Ok(name)
    }

    fn inline_flags(&mut self) {
        let mut on = true;
        loop {
            let letter = u8::try_from(self.cursor.peek()).unwrap_or(0xFF);
            let flags = &mut self.cursor.flags;
            match letter {
                b'i' => flags.ignore_case = on,
                b'm' => flags.multiline = on,
                b's' => flags.dot_all = on,
                b'd' => flags.unix_lines = on,
                b'u' => flags.unicode_case = on,
                b'x' => flags.comments = on,
                // Canonical equivalence has no effect once the pattern is being read.
                b'c' => {}
                b'U' => {
                    flags.unicode_class = on;
                    flags.unicode_case = on;
                }
                b'-' if on => on = false,
                _ => return,
            }
            self.cursor.next();
        }
    }

    fn close_group(&mut self) -> Result2<()> {
        let Some(mut closed) = self.open.pop() else {
            return Ok(());
        };
        let body = closed.body();
        let node = match closed.kind {
            GroupKind::Behind { negated, start } => self.behind(body, negated, start)?,
            kind => wrap(kind, body),
        };
        self.cursor.accept(b')', "Unclosed group")?;
        self.cursor.flags = closed.flags;
        let is_place = matches!(
            closed.kind,
            GroupKind::Atomic | GroupKind::Ahead { .. } | GroupKind::Behind { .. }
        );
        let node = match is_place {
            true => self.quantified(node, closed.first_group)?,
            false => self.quantified_group(
                node,
                closed.first_group,
                matches!(closed.kind, GroupKind::Capture(_)),
            )?,
        };
        self.push(node);
        Ok(())
    }

    fn behind(&mut self, body: Node, negated: bool, start: usize) -> Result2<Node> {
        let lengths = length::lengths(&body);
        if !lengths.is_bounded {
            return Err(Problem::new(
                "Look-behind group does not have an obvious maximum length",
            ));
        }
        Ok(Node::Look(Box::new(Look {
            node: body,
            negated,
            direction: Direction::Within {
                least: lengths.least,
                most: lengths.most,
                by_points: self.cursor.has_supplementary_from(start),
            },
        })))
    }
}

fn wrap(kind: GroupKind, body: Node) -> Node {
    match kind {
        GroupKind::Capture(group) => Node::Capture(group, Box::new(body)),
        GroupKind::Atomic => Node::Atomic(Box::new(body)),
        GroupKind::Ahead { negated } => Node::Look(Box::new(Look {
            node: body,
            negated,
            direction: Direction::Ahead,
        })),
        _ => body,
    }
}
