//! Independent parts (looks, atomic groups), look-behinds of Java, back references.

use super::{Frame, Machine};
use crate::regex::OutOfSteps;
use crate::regex::ast::Fold;
use crate::regex::case;
use crate::regex::points::{is_pair, point_at};
use crate::regex::program::{Address, Instruction, NONE, Register, Within};

impl Machine<'_, '_, '_> {
    /// Forgets what else could be tried since the mark. Values of registers can still be given back.
    pub(super) fn cut(&mut self, height: Register) -> Result<(), OutOfSteps> {
        let height = self.registers[height as usize] as usize;
        if self.program.commits_groups {
            self.stack.truncate(height);
            return Ok(());
        }
        self.meter.count((self.stack.len() - height) as u64 / 4)?;
        let mut kept = height;
        for index in height..self.stack.len() {
            if matches!(self.stack[index], Frame::Restore { .. }) {
                self.stack[kept] = self.stack[index];
                kept += 1;
            }
        }
        self.stack.truncate(kept);
        Ok(())
    }

    /// Forgets what a negative look did.
    pub(super) fn abandon(&mut self, height: Register) -> Result<(), OutOfSteps> {
        let height = self.registers[height as usize] as usize;
        if !self.program.commits_groups {
            self.meter.count((self.stack.len() - height) as u64 / 4)?;
            for index in (height..self.stack.len()).rev() {
                if let Frame::Restore { register, value } = self.stack[index] {
                    self.registers[register as usize] = value;
                }
            }
        }
        self.stack.truncate(height);
        Ok(())
    }

    /// Java's look-behind: the pattern has to match from here, `least` characters back, or from further back.
    pub(super) fn within(
        &mut self,
        within: &Within,
        at: Address,
        place: u32,
    ) -> Result<Option<(Address, u32)>, OutOfSteps> {
        let (start, limit) = if within.by_points {
            (
                self.points_back(place, within.least)?,
                self.points_back(place, within.most)?,
            )
        } else {
            let here = place as i32;
            (
                here.wrapping_sub(within.least),
                here.wrapping_sub(within.most).max(0),
            )
        };
        if start < limit || start > place as i32 {
            return Ok(None);
        }
        self.push(Frame::Earlier {
            at,
            place: start as u32,
            limit: limit as u32,
        })?;
        Ok(Some((at + 1, start as u32)))
    }

    /// The place `count` code points back, or the start of the text.
    pub(super) fn points_back(&mut self, place: u32, count: i32) -> Result<i32, OutOfSteps> {
        let mut back = place;
        for _ in 0..count.max(0) {
            if back == 0 {
                break;
            }
            back = self.point_back(back);
        }
        self.meter.count(u64::from(place - back) / 4)?;
        Ok(back as i32)
    }

    pub(super) fn earlier(
        &mut self,
        at: Address,
        place: u32,
        limit: u32,
    ) -> Result<Option<(Address, u32)>, OutOfSteps> {
        let program = self.program;
        self.meter.count(1)?;
        let Instruction::Within(within) = &program.code[at as usize] else {
            return Ok(None);
        };
        if place <= limit {
            return Ok(None);
        }
        let start = if within.by_points {
            self.point_back(place)
        } else {
            place - 1
        };
        self.push(Frame::Earlier {
            at,
            place: start,
            limit,
        })?;
        Ok(Some((at + 1, start)))
    }

    pub(super) fn point_back(&self, place: u32) -> u32 {
        if place >= 2 && is_pair(self.text, place as usize - 2) {
            place - 2
        } else {
            place - 1
        }
    }

    pub(super) fn back_reference(
        &mut self,
        group: u32,
        fold: Fold,
        back: bool,
        place: u32,
    ) -> Result<Option<u32>, OutOfSteps> {
        let ends = (group * 2 + 1 < self.program.groups as u32 * 2).then(|| {
            (
                self.registers[group as usize * 2],
                self.registers[group as usize * 2 + 1],
            )
        });
        let Some((start, end)) = ends.filter(|&(start, end)| start != NONE && end != NONE) else {
            // ECMAScript: a group without a value is empty. Java: it never matches.
            return Ok((!self.program.commits_groups).then_some(place));
        };
        let length = end - start;
        self.meter.count(u64::from(length) / 4)?;
        let from = match back {
            true if place < length => return Ok(None),
            true => place - length,
            false => place,
        };
        let text = self.text;
        let Some(candidate) = text.get(from as usize..(from + length) as usize) else {
            return Ok(None);
        };
        let expected = &text[start as usize..end as usize];
        let is_equal = match fold {
            Fold::Exact => candidate == expected,
            Fold::JavaUnicode | Fold::JavaAscii => equal_points(candidate, expected, fold),
            Fold::EcmaScript => candidate
                .iter()
                .zip(expected)
                .all(|(&left, &right)| case::canonical(left) == case::canonical(right)),
        };
        Ok(is_equal.then_some(if back { from } else { from + length }))
    }
}

fn equal_points(left: &[u16], right: &[u16], fold: Fold) -> bool {
    let mut place = 0;
    while place < left.len() {
        let ((a, length), (b, _)) = (point_at(left, place), point_at(right, place));
        if !case::equal(a, b, fold) {
            return false;
        }
        place += length as usize;
    }
    true
}
