//! What a pattern is compiled to.

use super::ast::{Assertion, Fold, Kind, Reads};
use super::ranges::CharSet;

/// Where an instruction is.
pub(super) type Address = u32;

/// A number that a match keeps: the end of a group, a loop's count, a height of the stack.
pub(super) type Register = u32;

/// A register without a value.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub(super) struct Program {
    pub code: Vec<Instruction>,
    pub sets: Vec<CharSet>,
    pub registers: usize,
    pub groups: usize,
    /// The code units that a match can begin with; None if it may be empty or begin with any.
    pub first: Option<First>,
    /// A match begins at the start of the text only.
    pub anchored: bool,
    /// A search does not begin between the halves of a surrogate pair.
    pub by_points: bool,
    /// An independent part keeps the groups it set even where what follows fails (Java).
    pub commits_groups: bool,
}

#[derive(Clone, Debug)]
pub(super) enum First {
    Unit(u16),
    Set(CharSet),
}

/// One character: a code unit, or one out of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum One {
    Unit(u16),
    Set(u32, Reads),
}

#[derive(Clone, Debug)]
pub(super) enum Instruction {
    One(One),
    /// The same, of the character before.
    OneBack(One),
    Units(Box<[u16]>),
    Run(Box<Run>),
    /// Go on with the next instruction; if that fails, at the address.
    Try(Address),
    /// Go on at the address; if that fails, with the next instruction.
    TryAt(Address),
    Jump(Address),
    /// A loop's count becomes 0.
    Enter(Register),
    /// Whether another iteration begins.
    Loop(Box<Loop>),
    /// An iteration begins: count it, and keep where it began.
    Iterate {
        count: Register,
        start: Register,
    },
    /// The end of an iteration. An empty one that was not needed fails (ECMAScript).
    EndNeeded {
        count: Register,
        start: Register,
        least: u32,
    },
    /// Fail if nothing was taken since the register was set.
    FailIfEmpty(Register),
    /// Go on at the address if nothing was taken since the register was set.
    LeaveIfEmpty(Register, Address),
    /// Keep the place.
    Save(Register),
    /// The end of a group, the start of which is in the second register.
    Close(u32, Register),
    /// The registers from the first to before the second lose their values.
    Clear(Register, Register),
    /// Keep how high the stack is, for an independent part.
    Mark(Register),
    /// The end of an independent part: forget what else could be tried in it.
    Cut(Register),
    /// Go back to where the register says.
    Return(Register),
    /// A negative look begins; where it goes on if nothing is found.
    Unless(Register, Address),
    /// A negative look found something.
    Found(Register),
    /// Java's look-behind: try the places from `least` to `most` characters back.
    Within(Box<Within>),
    /// Fail unless at the place that the register holds.
    At(Register),
    BackReference {
        group: u32,
        fold: Fold,
        back: bool,
    },
    Assert(Assertion),
    Grapheme,
    Accept,
}

/// A single character, repeated.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub one: One,
    pub least: u32,
    pub most: u32,
    pub kind: Kind,
    pub back: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Loop {
    pub count: Register,
    pub least: u32,
    pub most: u32,
    pub lazy: bool,
    pub exit: Address,
}

#[derive(Clone, Debug)]
pub(super) struct Within {
    pub least: i32,
    pub most: i32,
    /// Lengths are in code points.
    pub by_points: bool,
}
