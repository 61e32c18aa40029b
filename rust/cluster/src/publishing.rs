//! Publishes one message for certain.
//!
//! Whatever the servers answer, the message is published again with the same expected sequence, until it is known what the
//! stream holds there: this message, which may have been taken at an earlier attempt, or another one. So it is taken at
//! most once, and this returns only what is certain.
//!
//! Only one message of a partition is under way at a time. With several, a later one could be taken although the one
//! before it was not: it expects the sequence that a new leader's mark has taken meanwhile.

use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::wire::{ANSWER, Abort, Published, Wire};

/// The pauses between attempts.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// A stream that ends before what it had is given this long to show that its server is only behind.
pub const GRACE: Duration = Duration::from_secs(15);

/// What the stream holds behind the expected sequence, for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This message; the sequence of its last part.
    Ours(u64),
    /// Another message.
    Other,
    /// Less than it had: it ends at this sequence, for longer than a server takes to catch up.
    Shortened(u64),
    /// The caller was asked to stop, or the deadline has passed: nobody knows.
    Aborted(String),
}

/// Publishes the parts of a message behind sequence `after`, which the stream had.
pub fn publish(
    wire: &dyn Wire,
    parts: &[Bytes],
    after: u64,
    deadline: Option<Instant>,
    abort: &Abort,
) -> Outcome {
    let mut pause = SHORTEST_PAUSE;
    let mut short_since: Option<Instant> = None;
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = left.map_or(ANSWER, |left| left.min(ANSWER));
        let reason = match wire.publish(parts, after, timeout, abort) {
            Published::Stored(last) if last == after + parts.len() as u64 => {
                return Outcome::Ours(last);
            }
            Published::Stored(last) => format!("it was taken at sequence {last}"),
            Published::Aborted => return Outcome::Aborted("it was to stop".to_owned()),
            Published::WrongLast(last) if last < after => {
                let since = *short_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= GRACE {
                    return Outcome::Shortened(last);
                }
                format!("the stream ends at sequence {last}")
            }
            Published::WrongLast(last) => {
                short_since = None;
                match look(wire, parts, after, timeout, abort) {
                    Ok(Some(outcome)) => return outcome,
                    Ok(None) => {
                        format!("the stream ends at sequence {last}, which cannot be read yet")
                    }
                    Err(reason) => reason,
                }
            }
            Published::Unknown(reason) => reason,
        };
        if abort.is_set() || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Outcome::Aborted(reason);
        }
        thread::sleep(pause);
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// What is behind sequence `after`; nothing if the server that answers does not have it yet.
fn look(
    wire: &dyn Wire,
    parts: &[Bytes],
    after: u64,
    timeout: Duration,
    abort: &Abort,
) -> Result<Option<Outcome>, String> {
    let bytes: usize = parts.iter().map(Bytes::len).sum();
    let found = wire.read(after + 1, bytes.max(1), timeout, abort)?;
    let Some((sequence, first)) = found.first() else {
        return Ok(None);
    };
    // The first part is enough: the others were taken with it, directly behind.
    let is_ours = *sequence == after + 1 && *first == parts[0];
    Ok(Some(match is_ours {
        true => Outcome::Ours(after + parts.len() as u64),
        false => Outcome::Other,
    }))
}
