//! Single characters, and runs of them that need no frame on the stack for each.

use super::{Frame, Machine};
use crate::regex::OutOfSteps;
use crate::regex::ast::{Kind, Reads};
use crate::regex::points::{is_pair, point_at};
use crate::regex::program::{Address, Instruction, One, Run};

impl<'p> Machine<'p, '_, '_> {
    #[inline]
    pub(super) fn take(&self, one: One, place: u32) -> Option<u32> {
        let unit = *self.text.get(place as usize)?;
        let (is_member, length) = match one {
            One::Unit(expected) => (unit == expected, 1),
            One::Set(set, Reads::Units) => {
                (self.program.sets[set as usize].contains(unit.into()), 1)
            }
            One::Set(set, Reads::Points) => {
                let (point, length) = point_at(self.text, place as usize);
                (self.program.sets[set as usize].contains(point), length)
            }
        };
        is_member.then_some(place + length)
    }

    #[inline]
    pub(super) fn take_back(&self, one: One, place: u32) -> Option<u32> {
        let before = place.checked_sub(1)?;
        self.take(one, before).map(|_| before)
    }

    pub(super) fn take_units(
        &mut self,
        units: &[u16],
        place: u32,
    ) -> Result<Option<u32>, OutOfSteps> {
        self.meter.count(units.len() as u64 / 8)?;
        let is_there = self.text[place as usize..].starts_with(units);
        Ok(is_there.then(|| place + units.len() as u32))
    }

    #[inline]
    pub(super) fn step(&self, run: &Run, place: u32) -> Option<u32> {
        if run.back {
            self.take_back(run.one, place)
        } else {
            self.take(run.one, place)
        }
    }

    /// A single character, repeated: as often as it goes, or as it must.
    pub(super) fn run(
        &mut self,
        run: &Run,
        at: Address,
        start: u32,
    ) -> Result<Option<u32>, OutOfSteps> {
        let wanted = if run.kind == Kind::Lazy {
            run.least
        } else {
            run.most
        };
        let (mut place, mut taken) = (start, 0);
        let mut least = (run.least == 0).then_some(start);
        while taken < wanted {
            let Some(next) = self.step(run, place) else {
                break;
            };
            (place, taken) = (next, taken + 1);
            if taken == run.least {
                least = Some(place);
            }
        }
        self.meter.count(u64::from(taken) / 4)?;
        let Some(least) = least else {
            return Ok(None);
        };
        match run.kind {
            Kind::Greedy if taken > run.least => self.push(Frame::Shorter { at, least, place })?,
            Kind::Lazy if taken < run.most => self.push(Frame::Longer { at, place, taken })?,
            _ => {}
        }
        Ok(Some(place))
    }

    /// The run at an address, and the code unit that must follow it, where that is known.
    fn run_at(&self, at: Address) -> Option<(&'p Run, Option<u16>)> {
        let Instruction::Run(run) = &self.program.code[at as usize] else {
            return None;
        };
        let wanted = match self.program.code[at as usize + 1] {
            Instruction::One(One::Unit(unit)) if !run.back => Some(unit),
            _ => None,
        };
        Some((run, wanted))
    }

    /// A greedy run gives characters back, until what follows can match.
    pub(super) fn shorter(
        &mut self,
        at: Address,
        least: u32,
        from: u32,
    ) -> Result<Option<(Address, u32)>, OutOfSteps> {
        let Some((run, wanted)) = self.run_at(at) else {
            return Ok(None);
        };
        let mut place = from;
        while place != least {
            place = match run.back {
                true => place + 1,
                false => self.before(run.one, place, least),
            };
            if wanted.is_none() || wanted == self.text.get(place as usize).copied() {
                break;
            }
        }
        self.meter.count(1 + u64::from(from.abs_diff(place)) / 4)?;
        if place == least && wanted.is_some() && wanted != self.text.get(place as usize).copied() {
            return Ok(None);
        }
        if place != least {
            self.push(Frame::Shorter { at, least, place })?;
        }
        Ok(Some((at + 1, place)))
    }

    /// The place one character before `place`.
    pub(super) fn before(&self, one: One, place: u32, least: u32) -> u32 {
        let by_points = matches!(one, One::Set(_, Reads::Points));
        let is_pair = place >= least + 2 && is_pair(self.text, place as usize - 2);
        if by_points && is_pair {
            place - 2
        } else {
            place - 1
        }
    }

    /// A lazy run takes characters, until what follows can match.
    pub(super) fn longer(
        &mut self,
        at: Address,
        from: u32,
        taken: u32,
    ) -> Result<Option<(Address, u32)>, OutOfSteps> {
        let Some((run, wanted)) = self.run_at(at) else {
            return Ok(None);
        };
        let (mut place, mut taken) = (from, taken);
        loop {
            let next = if taken < run.most {
                self.step(run, place)
            } else {
                None
            };
            let Some(next) = next else {
                self.meter.count(1 + u64::from(from.abs_diff(place)) / 4)?;
                return Ok(None);
            };
            (place, taken) = (next, taken + 1);
            if wanted.is_none() || wanted == self.text.get(place as usize).copied() {
                break;
            }
        }
        self.meter.count(1 + u64::from(from.abs_diff(place)) / 4)?;
        if taken < run.most {
            self.push(Frame::Longer { at, place, taken })?;
        }
        Ok(Some((at + 1, place)))
    }
}
