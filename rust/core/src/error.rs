//! Everything that can go wrong in this crate. A message says what was wrong, where, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::identity::StoreId;

/// The result of a fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One enum for the crate; the binding maps its variants to exceptions.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: "open", "write".
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },

    /// Another process, or another open handle in this one, holds the folder.
    #[error(
        "{} is in use{holder}; close the other one, use its engine (`connect=True`), \
         or give this one a folder of its own",
        path.display()
    )]
    Locked {
        path: PathBuf,
        /// " by process 123", or empty where it is not known.
        holder: String,
    },

    /// Bytes that were durable are not what was written. Nothing at or after `position` was returned.
    #[error(
        "damage in {} at byte {offset}, position {position}: {reason}; nothing from there on was read: \
         restore the folder from a backup, or cut the log there with `stepwell log repair`",
        path.display()
    )]
    Corruption {
        path: PathBuf,
        offset: u64,
        position: u64,
        reason: String,
    },

    /// Written by a newer version of this software.
    #[error("{} has format {found}, and this version knows {known} and older; upgrade it", path.display())]
    Format {
        path: PathBuf,
        found: u32,
        known: u32,
    },

    /// An earlier write or sync failed; what the disk holds since then is unknown.
    #[error(
        "the log takes no more records, because of an earlier failure ({reason}); fix the cause and open it again"
    )]
    Poisoned { reason: String },

    /// A leader of an earlier epoch tried to write.
    #[error(
        "epoch {epoch} is over: the log is at epoch {current}; stop writing: another leader took over"
    )]
    Fenced { epoch: u64, current: u64 },

    /// The log belongs to a former leader: a follower was promoted, and continues with its own log.
    #[error(
        "the log in {} is over: {by} took over at epoch {epoch}, and nothing more can be written here; \
         continue there", path.display()
    )]
    Superseded {
        path: PathBuf,
        epoch: u64,
        /// The new leader's folder.
        by: String,
    },

    /// A file of one store stands where one of another store should be.
    #[error(
        "{} is of store {found}, and should be of store {expected}: another store's files were put here; \
         put each store's files back together, or restore a backup into a new folder",
        path.display()
    )]
    OtherStore {
        path: PathBuf,
        found: StoreId,
        expected: StoreId,
    },

    /// An open folder or file is no longer at its path: whoever opens the path finds something else.
    #[error(
        "{} is not what was opened there: {reason} (it was moved or removed, or a link on its path was changed); \
         nothing more is confirmed, and nothing was written anywhere else: open the right folder again",
        path.display()
    )]
    Displaced { path: PathBuf, reason: &'static str },

    /// The log does not end at the position that the writer expected.
    #[error("the log ends at position {last}, not at {expected}; read on to its end and try again")]
    Conflict { expected: u64, last: u64 },

    /// A position that the log no longer holds.
    #[error("position {position} was cut off: the log begins at {start}; start from a snapshot")]
    Truncated { position: u64, start: u64 },

    /// A log that is not an earlier state of its leader's log.
    #[error(
        "{} is no copy of {}: {reason}; begin with a new folder, or with a backup",
        copy.display(),
        of.display()
    )]
    NotACopy {
        copy: PathBuf,
        of: PathBuf,
        reason: String,
    },

    /// A stream of a cluster that is not the one whose copy this is: it was rewritten, shortened or forked.
    #[error(
        "the stream {stream} is not what it was: {reason} (at sequence {sequence}, behind position {position}; \
         the hash here is {here}, there {there}); nothing from there on is applied or confirmed: \
         run `stepwell cluster check`, which says what node has the longest true copy"
    )]
    Diverged {
        stream: String,
        sequence: u64,
        position: u64,
        here: String,
        there: String,
        reason: String,
    },

    /// The servers of a cluster do not answer, or refuse.
    #[error("cannot {action} {stream}: {reason}")]
    Unavailable {
        action: &'static str,
        /// The stream, or the servers.
        stream: String,
        reason: String,
    },

    /// A message of a stream that a newer version wrote.
    #[error(
        "the stream {stream} has a message of {what} {found} at sequence {sequence}, and this version knows {known} \
         and older; nothing of it was applied: upgrade this node"
    )]
    Newer {
        stream: String,
        sequence: u64,
        what: &'static str,
        found: u32,
        known: u32,
    },

    /// A copy that does not lead, or does not any more.
    #[error(
        "this node does not lead the partition, or not any more: another one continues; ask that one"
    )]
    Following,

    /// A folder that belongs to a cluster, where only its node may write.
    #[error(
        "{} is a node's copy of the stream {stream}: open it as a node of that cluster, or restore a backup of it into \
         another folder", path.display()
    )]
    OfACluster { path: PathBuf, stream: String },

    /// A batch that is too large for a frame.
    #[error("a batch of {bytes} bytes is over the limit of {limit}; split it")]
    TooLarge { bytes: u64, limit: u64 },

    /// A text that is not an id, or a name that an id may not contain.
    #[error("{text:?} is not a valid {what}: {reason}")]
    InvalidId {
        /// What it should have been: "id", "tenant", "timestamp".
        what: &'static str,
        text: String,
        reason: &'static str,
    },

    /// A clock is further off than the drift bound.
    #[error(
        "the {whose} clock is {seconds} s {direction}, beyond the drift bound of {bound} s; \
         set the clock right, or raise the bound"
    )]
    ClockDrift {
        /// "local" or "remote".
        whose: &'static str,
        seconds: u64,
        /// "behind the last timestamp" or "ahead of the local one".
        direction: &'static str,
        bound: u32,
    },

    /// A time that does not fit into a timestamp.
    #[error(
        "{seconds} s after 1970 is past the last time that a timestamp holds (2^32 s, in 2106)"
    )]
    ClockExhausted { seconds: u64 },

    /// Bytes that are not the record, row or turn that they should be.
    #[error("byte {offset}: {reason}")]
    Record { offset: usize, reason: String },

    /// The storage's files are not what was written.
    #[error(
        "the storage in {} is damaged: {reason}; restore the folder from a backup",
        path.display()
    )]
    Damaged { path: PathBuf, reason: String },

    /// A log that ends before what its storage has: its last records are gone, however well it ends.
    #[error(
        "the log in {} ends at position {last}, and the storage beside it is at position {stored}: the records between, \
         which were durable, are missing; bring back the log's files, or restore the folder from a backup",
        path.display()
    )]
    LogCut {
        path: PathBuf,
        last: u64,
        stored: u64,
    },

    /// A key that storage cannot encode, or a kind of row that it does not know.
    #[error("no such key: {reason}")]
    Key { reason: String },

    /// A batch that does not continue at the applied position.
    #[error(
        "position {position} does not follow {applied}, the last applied one; apply what the log holds first"
    )]
    OutOfOrder { position: u64, applied: u64 },

    /// A resource that another process opened, from which this one was forked.
    #[error(
        "this belongs to the process from which this one was forked; \
         start processes by spawn or forkserver, or fork before the first executor is opened"
    )]
    Forked,

    /// The store was closed.
    #[error("the store is closed; open it again")]
    Closed,

    /// The storage refused an operation.
    #[error("cannot {action} the storage: {reason}")]
    Storage {
        action: &'static str,
        reason: String,
    },
}

impl Error {
    /// For `map_err` on a file operation.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io {
            action,
            path,
            source,
        }
    }
}
