//! Regular expressions as ECMAScript and Java have them, over UTF-16 code units.
//!
//! A backtracking matcher. It counts every step against the caller's budget ([`Steps`]), so that a
//! pattern that takes exponential time fails at the same step on each machine.

mod analysis;
mod ast;
mod case;
mod compile;
mod ecmascript;
mod grapheme;
mod java;
mod machine;
mod meter;
mod places;
mod points;
mod program;
mod ranges;
mod steps;
mod unicode;

use std::sync::Arc;

use machine::Machine;
use program::{NONE, Program};
pub use steps::{OutOfSteps, Steps, StepsLeft};

/// Whose syntax and meaning a pattern has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// ECMAScript without the `u` flag, with Annex B, as V8 has it.
    EcmaScript,
    /// `java.util.regex.Pattern` of Java 17.
    Java,
}

/// What a pattern's flags turn on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `i`
    pub ignore_case: bool,
    /// `m`: `^` and `$` match at line ends too.
    pub multiline: bool,
    /// `s`: `.` matches line ends too.
    pub dot_all: bool,
    /// Java's `d`: only `\n` ends a line.
    pub unix_lines: bool,
    /// Java's `u`: `i` is about all letters of Unicode, not of ASCII alone.
    pub unicode_case: bool,
    /// Java's `x`: blanks and comments are allowed.
    pub comments: bool,
    /// Java's `U`: `\w`, `\d`, `\s`, `\b` and the POSIX classes are Unicode's. It implies `u`.
    pub unicode_class: bool,
}

/// What is wrong with a pattern. Java's `message` is that of its `PatternSyntaxException`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub message: String,
    /// In code units.
    pub position: usize,
}

/// Where a match and its groups are, in code units; group 0 is the whole match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captures {
    pub groups: Vec<Option<(usize, usize)>>,
}

/// How deeply groups and classes may be nested.
const MAX_DEPTH: usize = 400;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Regex {
    program: Arc<Program>,
    names: Vec<(String, usize)>,
}

impl Regex {
    /// Compiles a pattern.
    pub fn compile(pattern: &[u16], dialect: Dialect, flags: Flags) -> Result<Regex, SyntaxError> {
        let (parsed, by_points) = match dialect {
            Dialect::EcmaScript => (ecmascript::parse(pattern, flags)?, false),
            Dialect::Java => java::parse(pattern, flags)?,
        };
        let program = compile::compile(&parsed, dialect, by_points);
        Ok(Regex {
            program: Arc::new(program),
            names: parsed.names,
        })
    }

    /// The first match that begins at `start` or later.
    pub fn find_at(
        &self,
        text: &[u16],
        start: usize,
        steps: &mut dyn Steps,
    ) -> Result<Option<Captures>, OutOfSteps> {
        if start > text.len() || u32::try_from(text.len()).is_err() {
            return Ok(None);
        }
        let found = Machine::new(&self.program, text, steps).search(start)?;
        Ok(found.map(|ends| Captures {
            groups: ends
                .chunks_exact(2)
                .map(|group| place(group[0], group[1]))
                .collect(),
        }))
    }

    /// Whether the whole text matches.
    pub fn matches_whole(&self, text: &[u16], steps: &mut dyn Steps) -> Result<bool, OutOfSteps> {
        Machine::new(&self.program, text, steps).match_whole()
    }

    /// The groups that have names, with their numbers, in the order of the numbers.
    pub fn group_names(&self) -> &[(String, usize)] {
        &self.names
    }
}

fn place(start: u32, end: u32) -> Option<(usize, usize)> {
    (start != NONE && end != NONE).then_some((start as usize, end as usize))
}
