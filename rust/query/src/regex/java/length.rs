//! How long a match can be, as Java works it out: a look-behind needs a bound.
//!
//! Its numbers have 32 bits and a sign, and they may overflow. Which look-behinds Java takes, and how far back
//! they look, depends on that.

use crate::regex::ast::{Kind, Node, Repeat, Sign, UNBOUNDED};

#[derive(Clone, Copy, Debug)]
pub(super) struct Lengths {
    pub least: i32,
    pub most: i32,
    pub is_bounded: bool,
    /// There is one way only to match.
    pub is_deterministic: bool,
}

const NOTHING: Lengths = Lengths {
    least: 0,
    most: 0,
    is_bounded: true,
    is_deterministic: true,
};

/// The lengths of a node and those after it: `current` since the last choice, `before` up to it.
struct Study {
    before: Lengths,
    current: Lengths,
}

pub(super) fn lengths(node: &Node) -> Lengths {
    let mut study = Study {
        before: NOTHING,
        current: NOTHING,
    };
    study.add(node);
    study.total()
}

impl Study {
    fn total(&self) -> Lengths {
        let (before, current) = (self.before, self.current);
        Lengths {
            least: before.least.wrapping_add(current.least),
            most: before.most.wrapping_add(current.most),
            is_bounded: before.is_bounded && current.is_bounded,
            is_deterministic: before.is_deterministic && current.is_deterministic,
        }
    }

    fn lengthen(&mut self, least: i32, most: i32) {
        self.current.least = self.current.least.wrapping_add(least);
        self.current.most = self.current.most.wrapping_add(most);
    }

    fn add(&mut self, node: &Node) {
        match node {
            Node::Empty | Node::Look(_) | Node::Assert(_) => {}
            Node::Unit(_) | Node::Set(..) => self.lengthen(1, 1),
            Node::LineEnding => self.lengthen(1, 2),
            Node::Grapheme => self.lengthen(1, 0),
            Node::Sequence(nodes) => nodes.iter().for_each(|node| self.add(node)),
            Node::Alternatives(nodes) => {
                let each: Vec<Lengths> = nodes.iter().map(lengths).collect();
                self.choice(&each);
            }
            Node::Capture(_, inner) | Node::Atomic(inner) => self.add(inner),
            Node::BackReference(..) => self.current.is_bounded = false,
            Node::Repeat(repeat) => self.repeat(repeat),
        }
    }

    fn choice(&mut self, each: &[Lengths]) {
        let least = each.iter().map(|lengths| lengths.least).min().unwrap_or(0);
        let most = each.iter().map(|lengths| lengths.most).max().unwrap_or(0);
        self.lengthen(least, most);
        self.current.is_bounded &= each.iter().all(|lengths| lengths.is_bounded);
        self.current.is_deterministic = false;
        self.before = self.total();
        self.current = NOTHING;
    }

    fn repeat(&mut self, repeat: &Repeat) {
        let is_single = matches!(repeat.node, Node::Unit(_) | Node::Set(..));
        match repeat.sign {
            Sign::Optional if repeat.is_group && repeat.kind != Kind::Possessive => {
                let inner = lengths(&repeat.node);
                self.choice(&[inner, NOTHING]);
            }
            Sign::Optional => {
                let least = self.current.least;
                self.add(&repeat.node);
                self.current.least = least;
                self.current.is_deterministic = false;
            }
            Sign::Counted
                if is_single && repeat.most == UNBOUNDED && repeat.kind == Kind::Greedy =>
            {
                self.lengthen(repeat.least as i32, i32::MAX);
                self.current.is_deterministic = false;
            }
            Sign::Counted => self.counted(repeat),
        }
    }

    fn counted(&mut self, repeat: &Repeat) {
        let inner = lengths(&repeat.node);
        let is_simple = !repeat.is_group || repeat.kind == Kind::Possessive;
        if !is_simple && !inner.is_deterministic {
            self.current.is_bounded = false;
            self.current.is_deterministic = false;
            return;
        }
        let before = self.current;
        let least = inner
            .least
            .wrapping_mul(repeat.least as i32)
            .wrapping_add(before.least);
        let times = if repeat.most == UNBOUNDED {
            i32::MAX
        } else {
            repeat.most as i32
        };
        let most = inner.most.wrapping_mul(times).wrapping_add(before.most);
        self.current.least = if least < before.least {
            0x0FFF_FFFF
        } else {
            least
        };
        self.current.most = most;
        self.current.is_bounded = before.is_bounded && inner.is_bounded && most >= before.most;
        self.current.is_deterministic =
            inner.is_deterministic && repeat.least == repeat.most && before.is_deterministic;
    }
}
