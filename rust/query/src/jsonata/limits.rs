//! The bounds of one evaluation: AWS's on depth and size (ASL A4.20), and a budget of steps.
//!
//! Whatever an evaluation does spends steps, so that it ends at the same place on each machine. The
//! time is a last resort only.

use std::time::{Duration, Instant};

use super::charge;
use super::error::{Answer, Bound, Fault};
use super::value::Value;
use crate::regex::Steps;

/// The largest single value that AWS holds: `[1..873782]` passes, one element more does not.
pub const MAX_VALUE_BYTES: usize = MAX_SEQUENCE * SCALAR_BYTES;
/// The longest sequence that fits into [`MAX_VALUE_BYTES`].
pub const MAX_SEQUENCE: usize = 873_782;
/// The most elements that `$range` gives.
pub const MAX_RANGE: u64 = 360_145;
/// How deeply values may be nested for what looks at each level of them.
pub const MAX_NESTING: usize = 5_000;

const SCALAR_BYTES: usize = 8;
/// How often the clock is looked at.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 16;

/// The bounds of one evaluation.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many nodes may be under evaluation at once, one below the other.
    pub depth: usize,
    pub steps: u64,
    /// How many items a sequence may have.
    pub sequence: usize,
    /// How large one value may be, as [`value_bytes`] counts.
    pub value_bytes: usize,
    /// How many bytes all values may hold.
    pub memory: usize,
    /// The last resort.
    pub time: Duration,
    /// What to do once after so many steps: the evaluation is a long one.
    pub when_long: Option<(u64, fn())>,
}

impl Limits {
    /// AWS's bounds, and ours where AWS's are not known.
    pub const AWS: Limits = Limits {
        depth: 100,
        steps: 10_000_000,
        sequence: MAX_SEQUENCE,
        value_bytes: MAX_VALUE_BYTES,
        memory: 256 << 20,
        time: Duration::from_secs(30),
        when_long: None,
    };

    /// The language alone.
    pub const LANGUAGE: Limits = Limits {
        depth: 1_000,
        steps: 50_000_000,
        sequence: 10_000_000,
        value_bytes: 512 << 20,
        memory: 1 << 30,
        time: Duration::from_secs(30),
        when_long: None,
    };
}

/// What is left of the bounds during an evaluation.
pub struct Budget {
    pub limits: Limits,
    pub depth: usize,
    steps: u64,
    next_look: u64,
    held_before: usize,
    deadline: Instant,
}

impl Budget {
    /// `given`: what this thread's values hold before those of the evaluation.
    pub fn new(limits: &Limits, given: usize) -> Budget {
        Budget {
            limits: limits.clone(),
            depth: 0,
            steps: limits.steps,
            next_look: limits.steps.saturating_sub(first_look(limits)),
            held_before: given,
            deadline: Instant::now() + limits.time,
        }
    }

    /// How many steps are left.
    pub fn left(&self) -> u64 {
        self.steps
    }

    /// Takes `steps` off the budget.
    #[inline]
    pub fn spend(&mut self, steps: u64) -> Answer<()> {
        if steps > self.steps {
            self.steps = 0;
            return Err(Fault::bound(Bound::Steps));
        }
        self.steps -= steps;
        if charge::held().wrapping_sub(self.held_before) as isize > self.limits.memory as isize {
            return Err(Fault::bound(Bound::Memory));
        }
        if self.steps < self.next_look {
            self.look_at_clock()?;
        }
        Ok(())
    }

    #[cold]
    fn look_at_clock(&mut self) -> Answer<()> {
        self.next_look = self.steps.saturating_sub(STEPS_BETWEEN_LOOKS);
        if let Some((_, act)) = self.limits.when_long.take() {
            act();
        }
        match Instant::now() > self.deadline {
            true => Err(Fault::bound(Bound::Time)),
            false => Ok(()),
        }
    }

    /// Spends what it takes to touch so many items.
    pub fn items(&mut self, count: usize) -> Answer<()> {
        self.spend(1 + count as u64 / 4)
    }

    /// Spends what it takes to touch so many bytes.
    pub fn bytes(&mut self, count: usize) -> Answer<()> {
        self.spend(1 + count as u64 / 64)
    }

    /// Refuses a sequence that would be too long.
    #[inline]
    pub fn refuse_length(&self, items: usize) -> Answer<()> {
        match items > self.limits.sequence {
            true => Err(Fault::bound(Bound::Memory)),
            false => Ok(()),
        }
    }

    /// Refuses a text that would be too long, and spends what it takes to write it.
    pub fn text(&mut self, bytes: usize) -> Answer<()> {
        match bytes > self.limits.value_bytes {
            true => Err(Fault::bound(Bound::Memory)),
            false => self.bytes(bytes),
        }
    }

    /// The same while a text grows: only what is new is spent.
    pub fn refuse_text_growth(&mut self, bytes: usize, new: usize) -> Answer<()> {
        match bytes > self.limits.value_bytes {
            true => Err(Fault::bound(Bound::Memory)),
            false => self.bytes(new),
        }
    }

    pub fn refuse_nesting(&self, depth: usize) -> Answer<()> {
        match depth > MAX_NESTING {
            true => Err(Fault::bound(Bound::Depth)),
            false => Ok(()),
        }
    }
}

/// After how many steps the clock is looked at first.
fn first_look(limits: &Limits) -> u64 {
    limits
        .when_long
        .map_or(STEPS_BETWEEN_LOOKS, |(steps, _)| steps)
}

impl Steps for Budget {
    /// A step of a regular expression is small.
    fn spend(&mut self, steps: u64) -> bool {
        Budget::spend(self, steps / 4 + 1).is_ok()
    }
}

/// The bytes of a value as AWS counts them: 8 a number, boolean or null, 1 a character.
///
/// Stops soon after `limit`, so a value that shares its parts a million times over costs no more
/// to refuse than one just over the limit.
pub fn value_bytes(value: &Value, limit: usize) -> usize {
    let mut bytes = 0;
    let mut open = Vec::new();
    let mut next = Some(value.clone());
    while let Some(value) = next {
        match value {
            Value::Text(text) => bytes += text.bytes().len(),
            // What holds nothing counts too, or nests of it would cost nothing.
            Value::Array(items) if !items.is_empty() => {
                if bytes.saturating_add(items.len()) > limit {
                    return bytes + items.len();
                }
                for item in items.iter() {
                    match item {
                        Value::Array(_) | Value::Object(_) => open.push(item.clone()),
                        Value::Text(text) => bytes += text.bytes().len(),
                        _ => bytes += SCALAR_BYTES,
                    }
                }
            }
            Value::Object(object) if !object.is_empty() => object.each(|name, field| {
                bytes += name.bytes().len();
                open.push(field.clone());
            }),
            _ => bytes += SCALAR_BYTES,
        }
        if bytes > limit {
            break;
        }
        next = open.pop();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_parts_count_as_often_as_they_stand_and_cost_nothing_past_the_limit() {
        let mut value = Value::array(vec![Value::Null; 2]);
        for _ in 0..100 {
            value = Value::array(vec![value.clone(), value]);
        }
        assert!(value_bytes(&value, MAX_VALUE_BYTES) > MAX_VALUE_BYTES);
    }

    #[test]
    fn the_largest_sequence_is_just_within_the_limit() {
        let sequence = |length| Value::array(vec![Value::Null; length]);
        assert!(value_bytes(&sequence(MAX_SEQUENCE), MAX_VALUE_BYTES) <= MAX_VALUE_BYTES);
        assert!(value_bytes(&sequence(MAX_SEQUENCE + 1), MAX_VALUE_BYTES) > MAX_VALUE_BYTES);
    }
}
