//! Reads a stream before a copy has its role: what its files lost, and what a new leader lacks.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use stepwell_core::log::LogStream as _;
use stepwell_core::storage::Storage;
use stepwell_core::store::Store;
use stepwell_core::{Error, Result};

use crate::log::ReplicatedLog;
use crate::roles::apply;
use crate::wire::{ANSWER, Abort};

/// How long a copy that has just been opened waits for records that its storage has and its files lost.
const FILL: Duration = Duration::from_secs(30);
/// The pause before a server that is behind is asked again.
const PAUSE: Duration = Duration::from_millis(5);

/// Brings the files of a copy to where its storage is. They were not synced, and after a power cut they may end before.
pub(crate) fn fill(log: &ReplicatedLog, storage: &Storage) -> Result<()> {
    let applied = storage.applied()?.position;
    let deadline = Instant::now() + FILL;
    while log.tail() < applied {
        match log.next(&Abort::default()) {
            Ok(messages) => {
                for message in &messages {
                    log.take(message)?;
                    for batch in message
                        .batches
                        .iter()
                        .filter(|batch| batch.position > applied)
                    {
                        storage.apply(batch)?;
                    }
                }
                if messages.is_empty() {
                    thread::sleep(PAUSE);
                }
            }
            Err(error @ Error::Unavailable { .. }) if Instant::now() >= deadline => {
                return Err(error);
            }
            Err(Error::Unavailable { .. }) => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
        if Instant::now() >= deadline {
            break; // storage and log are compared next, which says what is wrong
        }
    }
    Ok(())
}

/// Begins an epoch of `node` once the copy has applied all that the stream has; returns it.
pub(crate) fn take_over(
    log: &ReplicatedLog,
    store: &Store,
    node: &str,
    deadline: Instant,
    abort: &Arc<Abort>,
) -> Result<u64> {
    let mut was_refused = false;
    while Instant::now() < deadline {
        match log.next(abort) {
            Ok(messages) if messages.is_empty() => {
                if !is_behind(log, abort) {
                    if let Some(epoch) = log.begin(node, deadline, abort.clone())? {
                        return Ok(epoch);
                    }
                    was_refused = true;
                }
                thread::sleep(PAUSE);
            }
            Ok(messages) => {
                let (epoch, current) = (log.link().epoch, apply(log, store, &messages)?);
                if was_refused && current > epoch {
                    return Err(Error::Fenced { epoch, current });
                }
            }
            Err(error @ Error::Unavailable { .. }) => {
                if Instant::now() >= deadline {
                    return Err(error);
                }
                thread::sleep(PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
    let reason = "it could not be read to its end in time".to_owned();
    Err(log.reader().unavailable("lead", reason))
}

/// Whether the server that was read from is behind the one that leads the stream.
fn is_behind(log: &ReplicatedLog, abort: &Abort) -> bool {
    let ends = log.wire().ends(ANSWER, abort);
    ends.is_ok_and(|(_, last)| last > log.link().sequence)
}
