//! Groups and looks.

use super::{GroupKind, MAX_GROUPS, Open, Parser, Result2};
use crate::regex::MAX_DEPTH;

impl Parser<'_> {
    pub(super) fn open_group(&mut self) -> Result2<()> {
        self.place += 1;
        let first_group = self.groups;
        let mut name = None;
        let kind = if !self.looking_at("?") {
            self.next_group()?
        } else if self.take("?:") {
            GroupKind::Plain
        } else if self.take("?=") {
            GroupKind::Look {
                negated: false,
                behind: false,
            }
        } else if self.take("?!") {
            GroupKind::Look {
                negated: true,
                behind: false,
            }
        } else if self.take("?<=") {
            GroupKind::Look {
                negated: false,
                behind: true,
            }
        } else if self.take("?<!") {
            GroupKind::Look {
                negated: true,
                behind: true,
            }
        } else if self.take("?<") {
            let group = self.next_group()?;
            name = Some(self.group_name()?);
            group
        } else {
            return Err("Invalid group");
        };
        if self.open.len() > MAX_DEPTH {
            return Err("Regular expression too large");
        }
        self.open.push(Open {
            name,
            ..Open::new(kind, first_group)
        });
        Ok(())
    }

    pub(super) fn next_group(&mut self) -> Result2<GroupKind> {
        if self.groups > MAX_GROUPS {
            return Err("Too many captures");
        }
        self.groups += 1;
        Ok(GroupKind::Capture(self.groups - 1))
    }

    pub(super) fn close_group(&mut self) -> Result2<()> {
        let closed = match self.open.pop() {
            Some(closed) if !self.open.is_empty() => closed,
            _ => return Err("Unmatched ')'"),
        };
        self.place += 1;
        let is_behind = matches!(closed.kind, GroupKind::Look { behind: true, .. });
        let first_group = closed.first_group;
        if let Some(name) = &closed.name {
            if self.names.iter().any(|(known, _)| known == name) {
                return Err("Duplicate capture group name");
            }
            self.names.push((name.clone(), first_group as usize));
        }
        let node = closed.into_node();
        self.quantified(node, first_group, is_behind)
    }
}
