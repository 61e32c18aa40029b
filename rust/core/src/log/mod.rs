//! The log: batches of records, in the order of their positions.
//!
//! Positions count records from 1. A batch is written, read, truncated and lost as a whole.
//! [`FileLogStream`] keeps the log in files, [`MemoryLogStream`] in memory; both implement
//! [`LogStream`].
//!
//! Writing has two steps, so that one sync can serve many batches: [`LogStream::append`] passes the
//! batches to the operating system, [`LogStream::sync`] makes all of them durable. Readers see only
//! what is durable.

mod ahead;
mod blank;
mod copied;
mod copy;
mod cursor;
mod displaced;
mod fence;
mod file;
mod followed;
mod follower_position;
mod frame;
#[cfg(test)]
mod golden;
mod inspect;
mod judge;
mod memory;
mod place;
mod reader;
mod recovery;
mod repair;
mod scan;
mod segment;
mod shared;
mod writer;

use crate::error::Result;
use crate::identity::StoreId;

pub use copied::{check_copy, end};
pub use copy::copy;
pub use fence::{Fence, check as check_fence};
pub use file::FileLogStream;
pub use followed::{FollowedLog, FollowedTail, Follower};
pub use frame::MAX_PAYLOAD;
pub use inspect::{Dump, Report, batch_that_holds, dump, dump_of, verify};
pub use memory::MemoryLogStream;
pub use recovery::Recovered;
pub use repair::{Repaired, repair};
pub use segment::lock;
pub use segment::stores;
pub use shared::LogOptions;

/// A batch to be written: `count` records, and their bytes in as many pieces as the writer has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Batch<'a> {
    /// How many records the payload holds; 0 in a mark, which only names an epoch.
    pub count: u32,
    /// The pieces of the payload, which are written back to back.
    pub payload: &'a [&'a [u8]],
}

/// A batch that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The epoch of the leader that wrote it.
    pub epoch: u64,
    /// The position of its first record.
    pub first: u64,
    /// How many records the payload holds.
    pub count: u32,
    /// The records: turns back to back for the engine, plain bytes for the log.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The position of its last record (one less than `first` where it has none).
    pub fn last(&self) -> u64 {
        self.first + u64::from(self.count) - 1
    }
}

/// Frames in the order of their positions. The iterator ends at the last durable frame, and continues
/// from there after a later sync. After an error it yields nothing more.
pub type Frames = Box<dyn Iterator<Item = Result<Frame>> + Send>;

/// An append-only sequence of batches, with one writer and any number of readers.
///
/// One thread appends and syncs; every method may be called by others meanwhile.
pub trait LogStream: Send + Sync {
    /// Writes batches behind position `expected_last` and returns the position of the last record.
    /// They are durable after the next [`sync`](Self::sync), not before.
    ///
    /// Refused, with nothing written: [`Fenced`](crate::Error::Fenced) if the log has seen a later
    /// `epoch`, [`Superseded`](crate::Error::Superseded) if a follower took over from it,
    /// [`Conflict`](crate::Error::Conflict) if it ends at another position,
    /// [`TooLarge`](crate::Error::TooLarge), [`Poisoned`](crate::Error::Poisoned). Any other error
    /// poisons the log: nothing can be appended until it is opened again.
    fn append(&self, batches: &[Batch<'_>], epoch: u64, expected_last: u64) -> Result<u64>;

    /// Whether [`append_with_rows`](Self::append_with_rows) writes the rows, which others need who apply the log.
    fn takes_rows(&self) -> bool {
        false
    }

    /// As [`append`](Self::append), with the rows that each batch changes, as
    /// [`Batch::rows`](crate::storage::Batch::rows) encodes them.
    fn append_with_rows(
        &self,
        batches: &[Batch<'_>],
        _rows: &[Vec<u8>],
        epoch: u64,
        expected_last: u64,
    ) -> Result<u64> {
        self.append(batches, epoch, expected_last)
    }

    /// Makes durable all that was appended before the call, and returns the last durable position.
    /// A failure poisons the log. The sync is not repeated, because a second success proves nothing.
    /// After [`Superseded`](crate::Error::Superseded) the appended batches are never confirmed.
    fn sync(&self) -> Result<u64>;

    /// The id of the store whose log it is.
    fn store(&self) -> StoreId;

    /// The last durable position; 0 in an empty log.
    fn durable(&self) -> u64;

    /// The last position written, durable or not.
    fn tail(&self) -> u64;

    /// The first position that the log still holds, or will hold if it is empty.
    fn start(&self) -> u64;

    /// The highest epoch seen.
    fn epoch(&self) -> u64;

    /// The batches from the one that holds `from`. [`Truncated`](crate::Error::Truncated) if that was cut
    /// off; if `from` is behind the tail, the iterator yields nothing until the log reaches it.
    fn read(&self, from: u64) -> Result<Frames>;

    /// Removes batches that hold only positions before `position`, as far as that is cheap: a file log
    /// removes whole segments. Returns the new [`start`](Self::start).
    fn truncate_before(&self, position: u64) -> Result<u64>;

    /// Called before storage is flushed: what is durable elsewhere is made durable in this folder too, so that
    /// storage is never ahead of the log beside it.
    fn persist(&self) -> Result<()> {
        Ok(())
    }

    /// Why nothing more can be appended, if the log is poisoned.
    fn poisoned(&self) -> Option<String>;

    /// Ends the epochs before `epoch`, durably: appends of their leaders are refused from now on.
    fn fence(&self, epoch: u64) -> Result<()> {
        self.append(&[Batch::default()], epoch, self.tail())?;
        self.sync().map(drop)
    }
}

/// Batches from the one that holds `from`, until they hold `max_bytes`; at least one if there is one.
pub fn read_up_to(log: &dyn LogStream, from: u64, max_bytes: usize) -> Result<Vec<Frame>> {
    let mut frames = Vec::new();
    let mut bytes = 0;
    for frame in log.read(from)? {
        let frame = frame?;
        bytes += frame.payload.len();
        if frame.count > 0 {
            frames.push(frame);
        }
        if bytes >= max_bytes {
            break;
        }
    }
    Ok(frames)
}
