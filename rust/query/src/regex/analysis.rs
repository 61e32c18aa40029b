//! What can be said of a pattern before it is matched.

use super::Dialect;
use super::ast::{Assertion, Node};
use super::ranges::Ranges;

/// Whether a node may take no characters.
pub(super) fn may_be_empty(node: &Node) -> bool {
    match node {
        Node::Unit(_) | Node::Set(..) | Node::LineEnding | Node::Grapheme => false,
        Node::Empty | Node::Look(_) | Node::BackReference(..) | Node::Assert(_) => true,
        Node::Sequence(nodes) => nodes.iter().all(may_be_empty),
        Node::Alternatives(nodes) => nodes.iter().any(may_be_empty),
        Node::Capture(_, inner) | Node::Atomic(inner) => may_be_empty(inner),
        Node::Repeat(repeat) => repeat.least == 0 || may_be_empty(&repeat.node),
    }
}

/// Whether a set has characters beyond 16 bits, or halves of surrogate pairs.
pub(super) fn has_wide_set(node: &Node) -> bool {
    match node {
        Node::Set(ranges, _) => {
            let is_wide =
                |&(first, last): &(u32, u32)| last > 0xFFFF || (first < 0xE000 && last >= 0xD800);
            ranges.pairs().iter().any(is_wide)
        }
        Node::Sequence(nodes) | Node::Alternatives(nodes) => nodes.iter().any(has_wide_set),
        Node::Capture(_, inner) | Node::Atomic(inner) => has_wide_set(inner),
        Node::Repeat(repeat) => has_wide_set(&repeat.node),
        Node::Look(look) => has_wide_set(&look.node),
        _ => false,
    }
}

/// Whether each match begins at the start of the text.
pub(super) fn is_anchored(node: &Node) -> bool {
    match node {
        Node::Assert(Assertion::TextStart) => true,
        Node::Sequence(nodes) => nodes.first().is_some_and(is_anchored),
        Node::Alternatives(nodes) => nodes.iter().all(is_anchored),
        Node::Capture(_, inner) | Node::Atomic(inner) => is_anchored(inner),
        _ => false,
    }
}

/// The code units that a match can begin with; None if it may be empty or may begin with any.
pub(super) fn first(node: &Node, dialect: Dialect) -> Option<Ranges> {
    let mut units = Vec::new();
    let is_known = collect(node, dialect, &mut units) == Begins::Here;
    is_known.then(|| Ranges::new(units))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    /// A match begins with one of the units collected.
    Here,
    /// Or it is empty, and what follows begins.
    Later,
    Unknown,
}

fn collect(node: &Node, dialect: Dialect, units: &mut Vec<(u32, u32)>) -> Begins {
    match node {
        Node::Empty | Node::Assert(_) | Node::Look(_) => Begins::Later,
        Node::BackReference(..) | Node::LineEnding | Node::Grapheme => Begins::Unknown,
        Node::Unit(unit) => {
            units.push((u32::from(*unit), u32::from(*unit)));
            Begins::Here
        }
        Node::Set(ranges, _) => {
            units.extend(ranges.pairs().iter().map(|&pair| as_units(pair)));
            if dialect == Dialect::Java && ranges.last() > Some(0xFFFF) {
                units.push((0xD800, 0xDBFF));
            }
            Begins::Here
        }
        Node::Sequence(nodes) => {
            for node in nodes {
                match collect(node, dialect, units) {
                    Begins::Later => {}
                    other => return other,
                }
            }
            Begins::Later
        }
        Node::Alternatives(nodes) => {
            let mut result = Begins::Here;
            for node in nodes {
                match collect(node, dialect, units) {
                    Begins::Here => {}
                    Begins::Later => result = Begins::Later,
                    Begins::Unknown => return Begins::Unknown,
                }
            }
            result
        }
        Node::Capture(_, inner) | Node::Atomic(inner) => collect(inner, dialect, units),
        Node::Repeat(repeat) if repeat.most == 0 => Begins::Later,
        Node::Repeat(repeat) => match collect(&repeat.node, dialect, units) {
            Begins::Here if repeat.least == 0 => Begins::Later,
            other => other,
        },
    }
}

fn as_units((first, last): (u32, u32)) -> (u32, u32) {
    if first > 0xFFFF {
        return (0xD800, 0xDBFF);
    }
    (first, last.min(0xFFFF))
}
