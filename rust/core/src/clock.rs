//! Hybrid logical clock: wall-clock seconds made monotone by a counter.
//!
//! As a `u64` a timestamp is `wall_time << 32 | logical`, so integer order, big-endian byte order
//! and hex order are all causal order.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::hex::parse_hex;

/// The default drift bound, in seconds: a clock may differ by a day before that is an error.
pub const MAX_DRIFT: u32 = 24 * 60 * 60;

/// A moment in causal order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since the Unix epoch, or later ones where the counter ran over.
    pub wall_time: u32,
    /// Orders the timestamps of one second.
    pub logical: u32,
}

impl Timestamp {
    /// 16 lower-case hex digits.
    pub fn hex(self) -> String {
        format!("{:016x}", u64::from(self))
    }
}

impl From<u64> for Timestamp {
    fn from(value: u64) -> Timestamp {
        Timestamp {
            wall_time: (value >> 32) as u32,
            logical: value as u32,
        }
    }
}

impl From<Timestamp> for u64 {
    fn from(timestamp: Timestamp) -> u64 {
        u64::from(timestamp.wall_time) << 32 | u64::from(timestamp.logical)
    }
}

impl fmt::Display for Timestamp {
    /// The dotted form, `wall_time.logical` in decimal.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.wall_time, self.logical)
    }
}

/// Parses the three forms of a timestamp: 16 hex digits (which may be in upper case, after `0x` or
/// not), the dotted form `wall_time.logical`, and the `u64` in decimal.
///
/// Sixteen digits without a letter are hex: no `u64` of a real moment has so few in decimal.
pub fn parse_timestamp(text: &str) -> Result<Timestamp> {
    parse(text).ok_or_else(|| Error::InvalidId {
        what: "timestamp",
        text: text.to_owned(),
        reason: "it must be 16 hex digits, seconds.counter, or a 64-bit number",
    })
}

fn parse(text: &str) -> Option<Timestamp> {
    if let Some((wall_time, logical)) = text.split_once('.') {
        return Some(Timestamp {
            wall_time: parse_decimal(wall_time)?.try_into().ok()?,
            logical: parse_decimal(logical)?.try_into().ok()?,
        });
    }
    let hex = text.strip_prefix("0x").unwrap_or(text);
    match hex.len() {
        16 => parse_hex(&hex.to_ascii_lowercase(), 16).map(Timestamp::from),
        _ => parse_decimal(text).map(Timestamp::from),
    }
}

fn parse_decimal(text: &str) -> Option<u64> {
    if text.starts_with('+') {
        return None;
    }
    text.parse().ok()
}

/// Gives timestamps, each later than every one that it gave or saw before. Threads may share it.
///
/// `last` is the high-water mark. A clock that starts from it after a restart continues after the
/// old clock, whatever the wall clock says by then.
#[derive(Debug)]
pub struct Clock {
    last: AtomicU64,
    max_drift: u32,
}

impl Clock {
    /// A clock that continues after `last`.
    pub fn new(last: Timestamp, max_drift: u32) -> Clock {
        Clock {
            last: AtomicU64::new(last.into()),
            max_drift,
        }
    }

    /// The last timestamp given or seen.
    pub fn last(&self) -> Timestamp {
        self.last.load(Ordering::Acquire).into()
    }

    /// The next timestamp, at `wall` seconds since the Unix epoch.
    ///
    /// A wall clock that stands still or goes back does not break the order: the counter continues
    /// from the last timestamp, and carries into the next second when it overflows. A wall clock that is
    /// further behind than the drift bound is refused. One that jumps ahead is accepted: the process may
    /// have been suspended.
    pub fn tick(&self, wall: u64) -> Result<Timestamp> {
        self.advance(wall, Timestamp::default(), 0)
    }

    /// Reserves `count` timestamps in a row for the caller, and returns the first.
    pub fn reserve(&self, wall: u64, count: u32) -> Result<Timestamp> {
        self.advance(wall, Timestamp::default(), count.saturating_sub(1).into())
    }

    /// Merges a timestamp that came from elsewhere: the result is later than it, too. A timestamp that
    /// is further ahead of `wall` than the drift bound is refused and changes nothing.
    pub fn update(&self, remote: Timestamp, wall: u64) -> Result<Timestamp> {
        let ahead = u64::from(remote.wall_time).saturating_sub(wall);
        self.check_drift("remote", ahead, "ahead of the local one")?;
        self.advance(wall, remote, 0)
    }

    /// The next timestamp; the `more` timestamps behind it are reserved as well.
    fn advance(&self, wall: u64, seen: Timestamp, more: u64) -> Result<Timestamp> {
        let now = u32::try_from(wall).map_err(|_| Error::ClockExhausted { seconds: wall })?;
        let mut last = self.last.load(Ordering::Acquire);
        loop {
            let next = self.following(now, last.max(seen.into()))?;
            let end = next
                .checked_add(more)
                .ok_or(Error::ClockExhausted { seconds: wall })?;
            match self
                .last
                .compare_exchange_weak(last, end, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Ok(next.into()),
                Err(current) => last = current,
            }
        }
    }

    /// The timestamp after `last`, which is `wall`'s own if that is later.
    fn following(&self, wall: u32, last: u64) -> Result<u64> {
        let behind = (last >> 32).saturating_sub(u64::from(wall));
        self.check_drift("local", behind, "behind the last timestamp")?;
        let own = u64::from(wall) << 32;
        if own > last {
            return Ok(own);
        }
        last.checked_add(1).ok_or(Error::ClockExhausted {
            seconds: u64::from(wall),
        })
    }

    fn check_drift(
        &self,
        whose: &'static str,
        seconds: u64,
        direction: &'static str,
    ) -> Result<()> {
        if seconds <= u64::from(self.max_drift) {
            return Ok(());
        }
        Err(Error::ClockDrift {
            whose,
            seconds,
            direction,
            bound: self.max_drift,
        })
    }
}

#[cfg(test)]
mod tests;
