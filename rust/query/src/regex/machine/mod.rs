//! Runs a program over a text: a backtracking matcher with a stack of its own, each step counted.

mod parts;
mod runs;

use super::grapheme;
use super::meter::Meter;
use super::places;
use super::points::is_pair;
use super::program::{Address, First, Instruction, Loop, NONE, Program, Register};
use super::{OutOfSteps, Steps};

/// What the stack may hold (64 MB). A match that needs more counts as one without steps left.
const MAX_FRAMES: usize = 4_000_000;

/// What to do when the current attempt fails.
#[derive(Clone, Copy, Debug)]
enum Frame {
    /// Go on at another instruction.
    Try { at: Address, place: u32 },
    /// Give a register its value back, and fail further.
    Restore { register: Register, value: u32 },
    /// Take one character less of a run, down to `least`.
    Shorter { at: Address, least: u32, place: u32 },
    /// Take one character more of a lazy run.
    Longer { at: Address, place: u32, taken: u32 },
    /// Begin one character further back (Java's look-behind).
    Earlier { at: Address, place: u32, limit: u32 },
}

/// A match under way.
pub(super) struct Machine<'p, 't, 's> {
    program: &'p Program,
    text: &'t [u16],
    registers: Vec<u32>,
    stack: Vec<Frame>,
    meter: Meter<'s>,
    /// Where the search began.
    origin: u32,
    /// Only a match up to the end of the text counts.
    whole: bool,
}

impl<'p, 't, 's> Machine<'p, 't, 's> {
    pub fn new(program: &'p Program, text: &'t [u16], steps: &'s mut dyn Steps) -> Self {
        Machine {
            program,
            text,
            registers: vec![NONE; program.registers],
            stack: Vec::new(),
            meter: Meter::new(steps),
            origin: 0,
            whole: false,
        }
    }

    /// Whether the whole text matches.
    pub fn match_whole(mut self) -> Result<bool, OutOfSteps> {
        self.whole = true;
        let result = self.attempt(0)?.is_some();
        self.meter.flush()?;
        Ok(result)
    }

    /// The ends of the groups of the first match from `start` on.
    pub fn search(mut self, start: usize) -> Result<Option<Vec<u32>>, OutOfSteps> {
        self.origin = start as u32;
        let mut place = start;
        let mut found = None;
        while let Some(candidate) = self.candidate(place)? {
            if let Some(end) = self.attempt(candidate as u32)? {
                self.registers[0] = candidate as u32;
                self.registers[1] = end;
                self.registers.truncate(self.program.groups * 2);
                found = Some(std::mem::take(&mut self.registers));
                break;
            }
            place = self.following(candidate);
        }
        self.meter.flush()?;
        Ok(found)
    }

    /// The next place, from `place` on, where a match can begin.
    fn candidate(&mut self, place: usize) -> Result<Option<usize>, OutOfSteps> {
        if place > self.text.len() || (self.program.anchored && place > 0) {
            return Ok(None);
        }
        let Some(first) = &self.program.first else {
            return Ok(Some(place));
        };
        let mut from = place;
        loop {
            let rest = self.text.get(from..).unwrap_or_default();
            let skipped = match first {
                First::Unit(unit) => rest.iter().position(|other| other == unit),
                First::Set(set) => rest.iter().position(|&other| set.contains(other.into())),
            };
            self.meter.count(skipped.unwrap_or(rest.len()) as u64 / 8)?;
            let Some(skipped) = skipped else {
                return Ok(None);
            };
            let candidate = from + skipped;
            let is_within_pair = candidate > place && is_pair(self.text, candidate - 1);
            if !(self.program.by_points && is_within_pair) {
                return Ok(Some(candidate));
            }
            from = candidate + 1;
            self.meter.count(1)?;
        }
    }

    fn following(&self, place: usize) -> usize {
        if self.program.by_points && is_pair(self.text, place) {
            place + 2
        } else {
            place + 1
        }
    }

    /// The end of a match that begins at `start`.
    fn attempt(&mut self, start: u32) -> Result<Option<u32>, OutOfSteps> {
        self.meter.count(1 + self.registers.len() as u64 / 16)?;
        // Java keeps what an independent part left in its groups, for the next place too.
        if !self.program.commits_groups {
            self.registers.fill(NONE);
        }
        self.stack.clear();
        let program = self.program;
        let (mut at, mut place) = (0 as Address, start);
        loop {
            self.meter.count(1)?;
            let next = match &program.code[at as usize] {
                Instruction::One(one) => self.take(*one, place).map(|place| (at + 1, place)),
                Instruction::OneBack(one) => {
                    self.take_back(*one, place).map(|place| (at + 1, place))
                }
                Instruction::Units(units) => {
                    self.take_units(units, place)?.map(|place| (at + 1, place))
                }
                Instruction::Run(run) => self.run(run, at, place)?.map(|place| (at + 1, place)),
                Instruction::Try(other) => {
                    self.push(Frame::Try { at: *other, place })?;
                    Some((at + 1, place))
                }
                Instruction::TryAt(other) => {
                    self.push(Frame::Try { at: at + 1, place })?;
                    Some((*other, place))
                }
                Instruction::Jump(other) => Some((*other, place)),
                Instruction::Accept if self.whole && place as usize != self.text.len() => None,
                Instruction::Accept => return Ok(Some(place)),
                Instruction::Loop(test) => self.test(test, at, place)?.map(|at| (at, place)),
                other => self.rest(other, at, place)?,
            };
            (at, place) = match next {
                Some(next) => next,
                None => match self.backtrack()? {
                    Some(next) => next,
                    None => return Ok(None),
                },
            };
        }
    }

    /// The instructions that are rarer.
    fn rest(
        &mut self,
        instruction: &Instruction,
        at: Address,
        place: u32,
    ) -> Result<Option<(Address, u32)>, OutOfSteps> {
        let mut next = Some((at + 1, place));
        match *instruction {
            Instruction::Save(register) => self.set(register, place)?,
            Instruction::Close(group, opened) => {
                let start = self.registers[opened as usize];
                self.set(group * 2, start)?;
                self.set(group * 2 + 1, place)?;
            }
            Instruction::Clear(from, to) => self.clear(from, to)?,
            Instruction::Enter(count) => self.set(count, 0)?,
            Instruction::Iterate { count, start } => {
                let iteration = self.registers[count as usize].saturating_add(1);
                self.set(count, iteration)?;
                self.set(start, place)?;
            }
            Instruction::EndNeeded {
                count,
                start,
                least,
            } => {
                let is_needed = self.registers[count as usize] <= least;
                if !is_needed && self.registers[start as usize] == place {
                    next = None;
                }
            }
            Instruction::FailIfEmpty(start) if self.registers[start as usize] == place => {
                next = None
            }
            Instruction::LeaveIfEmpty(start, exit) if self.registers[start as usize] == place => {
                next = Some((exit, place));
            }
            // An independent part is not entered again while it is under way: these need no way back.
            Instruction::Mark(height) => self.registers[height as usize] = self.stack.len() as u32,
            Instruction::Unless(height, at) => {
                self.registers[height as usize] = self.stack.len() as u32;
                self.push(Frame::Try { at, place })?;
            }
            Instruction::Cut(height) => self.cut(height)?,
            Instruction::Found(height) => {
                self.abandon(height)?;
                next = None;
            }
            Instruction::Return(register) => {
                next = Some((at + 1, self.registers[register as usize]))
            }
            Instruction::Within(ref within) => next = self.within(within, at, place)?,
            Instruction::At(register) if self.registers[register as usize] != place => next = None,
            Instruction::BackReference { group, fold, back } => {
                next = self
                    .back_reference(group, fold, back, place)?
                    .map(|place| (at + 1, place));
            }
            Instruction::Assert(assertion) => {
                let (text, origin) = (self.text, self.origin as usize);
                let holds =
                    places::holds(assertion, text, place as usize, origin, &mut self.meter)?;
                next = next.filter(|_| holds);
            }
            Instruction::Grapheme => {
                let end = grapheme::next(self.text, place as usize, &mut self.meter)?;
                next = end.map(|end| (at + 1, end as u32));
            }
            _ => {}
        }
        Ok(next)
    }

    fn push(&mut self, frame: Frame) -> Result<(), OutOfSteps> {
        if self.stack.len() >= MAX_FRAMES {
            return Err(OutOfSteps);
        }
        self.stack.push(frame);
        Ok(())
    }

    /// Gives a register a value, which it loses if what follows fails.
    fn set(&mut self, register: Register, value: u32) -> Result<(), OutOfSteps> {
        let before = std::mem::replace(&mut self.registers[register as usize], value);
        // With nothing else to try the attempt is over, and no one reads the register again.
        let is_read_again = !self.stack.is_empty() || self.program.commits_groups;
        if before != value && is_read_again {
            self.push(Frame::Restore {
                register,
                value: before,
            })?;
        }
        Ok(())
    }

    fn clear(&mut self, from: Register, to: Register) -> Result<(), OutOfSteps> {
        self.meter.count(u64::from(to - from) / 16)?;
        (from..to).try_for_each(|register| self.set(register, NONE))
    }

    /// The next thing to try, after the attempt so far failed.
    fn backtrack(&mut self) -> Result<Option<(Address, u32)>, OutOfSteps> {
        while let Some(frame) = self.stack.pop() {
            match frame {
                Frame::Try { at, place } => return Ok(Some((at, place))),
                Frame::Restore { register, value } => self.registers[register as usize] = value,
                Frame::Shorter { at, least, place } => {
                    if let Some(next) = self.shorter(at, least, place)? {
                        return Ok(Some(next));
                    }
                }
                Frame::Longer { at, place, taken } => {
                    if let Some(next) = self.longer(at, place, taken)? {
                        return Ok(Some(next));
                    }
                }
                Frame::Earlier { at, place, limit } => {
                    if let Some(next) = self.earlier(at, place, limit)? {
                        return Ok(Some(next));
                    }
                }
            }
        }
        Ok(None)
    }

    fn test(
        &mut self,
        test: &Loop,
        at: Address,
        place: u32,
    ) -> Result<Option<Address>, OutOfSteps> {
        let count = self.registers[test.count as usize];
        if count < test.least {
            return Ok(Some(at + 1));
        }
        if count >= test.most {
            return Ok(Some(test.exit));
        }
        let (next, other) = if test.lazy {
            (test.exit, at + 1)
        } else {
            (at + 1, test.exit)
        };
        self.push(Frame::Try { at: other, place })?;
        Ok(Some(next))
    }
}
