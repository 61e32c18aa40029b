//! A pattern as a tree, which both dialects are read into.

use std::sync::Arc;

use super::ranges::Ranges;

/// No upper bound of a quantifier, or of the length of a match.
pub(super) const UNBOUNDED: u32 = u32::MAX;

/// A pattern that was read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub node: Node,
    /// The number of groups, the whole match among them.
    pub groups: u32,
    pub names: Vec<(String, usize)>,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Empty,
    /// A code unit.
    Unit(u16),
    /// One character out of a set.
    Set(Arc<Ranges>, Reads),
    Sequence(Vec<Node>),
    Alternatives(Vec<Node>),
    Capture(u32, Box<Node>),
    Repeat(Box<Repeat>),
    Look(Box<Look>),
    Atomic(Box<Node>),
    BackReference(u32, Fold),
    Assert(Assertion),
    /// Java's `\R`.
    LineEnding,
    /// Java's `\X`: an extended grapheme cluster.
    Grapheme,
}

/// What one character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    Units,
    Points,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Greedy,
    Lazy,
    Possessive,
}

#[derive(Clone, Debug)]
pub(super) struct Repeat {
    pub node: Node,
    pub least: u32,
    pub most: u32,
    pub kind: Kind,
    /// The groups within: from the first to before the last.
    pub groups: (u32, u32),
    pub empty: EmptyIteration,
    pub sign: Sign,
    /// Whether it stands after a group (Java).
    pub is_group: bool,
}

/// What becomes of an iteration that took no characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EmptyIteration {
    /// It fails, unless it was needed.
    Fails,
    /// It is the last one.
    Leaves,
}

/// How a quantifier is written: `?`, or any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Optional,
    Counted,
}

#[derive(Clone, Debug)]
pub(super) struct Look {
    pub node: Node,
    pub negated: bool,
    pub direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ahead,
    /// ECMAScript: the pattern is matched from its end to its start.
    Behind,
    /// Java: a match of bounded length that ends here is looked for, the shortest first.
    Within {
        least: i32,
        most: i32,
        /// Lengths are in code points.
        by_points: bool,
    },
}

/// Which characters are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    Exact,
    EcmaScript,
    JavaAscii,
    JavaUnicode,
}

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    EcmaScript,
    Java,
    /// `\n` alone.
    Unix,
}

/// What a word is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    Ascii,
    /// Java's letters and digits, `_`, and marks that follow one of them.
    Java,
    /// Those of Unicode, with marks.
    Unicode,
}

/// A place, which takes no characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assertion {
    TextStart,
    TextEnd,
    LineStart(Lines),
    LineEnd(Lines),
    /// The end of the text, or before the line end that ends it (Java).
    LastLineEnd(Lines),
    WordBoundary(Words),
    NoWordBoundary(Words),
    /// Where the search began (Java's `\G`).
    SearchStart,
    GraphemeBoundary,
}
