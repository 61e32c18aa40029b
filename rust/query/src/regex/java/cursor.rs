//! The ways in which Java's reader goes over a pattern, and its errors.

use super::quote;
use crate::regex::points::point_at;
use crate::regex::{Flags, SyntaxError};

/// What is wrong, in Java's words.
#[derive(Debug)]
pub(super) struct Problem(String);

impl Problem {
    pub fn new(description: impl Into<String>) -> Problem {
        Problem(description.into())
    }
}

pub(super) type Result2<T> = std::result::Result<T, Problem>;

/// A place in the code points of a pattern. Beyond its end there are zeros.
pub(super) struct Cursor {
    points: Vec<u32>,
    place: usize,
    pub flags: Flags,
}

impl Cursor {
    pub fn new(pattern: &[u16], flags: Flags) -> Cursor {
        let mut points = Vec::with_capacity(pattern.len());
        let mut place = 0;
        while place < pattern.len() {
            let (point, length) = point_at(pattern, place);
            points.push(point);
            place += length as usize;
        }
        Cursor {
            points: quote::expand(points),
            place: 0,
            flags,
        }
    }

    pub fn place(&self) -> usize {
        self.place
    }

    pub fn set_place(&mut self, place: usize) {
        self.place = place;
    }

    pub fn at(&self, place: usize) -> u32 {
        self.points.get(place).copied().unwrap_or(0)
    }

    pub fn length(&self) -> usize {
        self.points.len()
    }

    pub fn at_end(&self) -> bool {
        self.place >= self.points.len()
    }

    pub fn is_exactly_at_end(&self) -> bool {
        self.place == self.points.len()
    }

    /// The code points from a place to another.
    pub fn slice(&self, from: usize, to: usize) -> String {
        let points = self.points.get(from..to).unwrap_or_default();
        points
            .iter()
            .map(|&point| char::from_u32(point).unwrap_or('\u{FFFD}'))
            .collect()
    }

    /// What is here; blanks and comments before it are passed over if there may be any.
    pub fn peek(&mut self) -> u32 {
        self.pass_blanks();
        self.at(self.place)
    }

    /// What is here, and go on.
    pub fn read(&mut self) -> u32 {
        self.pass_blanks();
        self.place += 1;
        self.at(self.place - 1)
    }

    /// Go on, and what is there.
    pub fn next(&mut self) -> u32 {
        self.place += 1;
        self.peek()
    }

    /// Go on, and what is there, blanks too.
    pub fn next_escaped(&mut self) -> u32 {
        self.place += 1;
        self.at(self.place)
    }

    /// What comes after the next code point; and go on after it.
    pub fn skip(&mut self) -> u32 {
        self.place += 2;
        self.at(self.place - 1)
    }

    pub fn unread(&mut self) {
        self.place = self.place.saturating_sub(1);
    }

    pub fn accept(&mut self, expected: u8, description: &str) -> Result2<()> {
        if self.read() == u32::from(expected) {
            Ok(())
        } else {
            Err(Problem::new(description))
        }
    }

    pub fn has_supplementary_from(&self, start: usize) -> bool {
        self.points
            .iter()
            .skip(start)
            .any(|&point| is_supplementary(point))
    }

    pub fn has_supplementary(&self) -> bool {
        self.has_supplementary_from(0)
    }

    fn pass_blanks(&mut self) {
        if !self.flags.comments {
            return;
        }
        loop {
            match self.at(self.place) {
                0x09..=0x0D | 0x20 => self.place += 1,
                0x23 => self.pass_line(),
                _ => return,
            }
        }
    }

    fn pass_line(&mut self) {
        while self.place < self.points.len() && !self.ends_line(self.at(self.place)) {
            self.place += 1;
        }
    }

    fn ends_line(&self, point: u32) -> bool {
        match point {
            0x0A => true,
            0x0D | 0x85 | 0x2028 | 0x2029 => !self.flags.unix_lines,
            _ => false,
        }
    }
}

fn is_supplementary(point: u32) -> bool {
    point > 0xFFFF || (0xD800..0xE000).contains(&point)
}

/// The message of Java's `PatternSyntaxException`: what, where, the pattern, and a sign below the place.
pub(super) fn error(problem: Problem, pattern: &[u16], cursor: &Cursor) -> SyntaxError {
    let mut message = problem.0;
    let index = cursor.place as i64 - 1;
    if index >= 0 {
        message.push_str(&format!(" near index {index}"));
    }
    message.push('\n');
    message.push_str(&String::from_utf16_lossy(pattern));
    let position = usize::try_from(index).unwrap_or(0);
    if index >= 0 && position < pattern.len() {
        message.push('\n');
        let blank = |&unit: &u16| if unit == 0x09 { '\t' } else { ' ' };
        message.extend(pattern[..position].iter().map(blank));
        message.push('^');
    }
    SyntaxError { message, position }
}
