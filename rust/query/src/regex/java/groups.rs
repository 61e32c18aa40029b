//! Groups, looks, and flags within a pattern.

use super::{GroupKind, Open, Parser, Problem, Result2, length};
use crate::regex::MAX_DEPTH;
use crate::regex::ast::{Direction, Look, Node};

impl Parser {
    pub(super) fn open_group(&mut self) -> Result2<()> {
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

    pub(super) fn next_group(&mut self) -> GroupKind {
        self.groups += 1;
        GroupKind::Capture(self.groups - 1)
    }

    /// What kind of group begins, at its `?`. None: it is flags alone.
    pub(super) fn group_kind(&mut self) -> Result2<Option<GroupKind>> {
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

    pub(super) fn named_or_behind(&mut self) -> Result2<GroupKind> {
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
    pub(super) fn group_name(&mut self, point: u32) -> Result2<String> {
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

    pub(super) fn inline_flags(&mut self) {
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

    pub(super) fn close_group(&mut self) -> Result2<()> {
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

    pub(super) fn behind(&mut self, body: Node, negated: bool, start: usize) -> Result2<Node> {
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
