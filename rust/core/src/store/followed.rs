//! A store that another process has open, or had: its log, held against what its storage has on disk.
//!
//! Storage is never ahead of the durable log. So where it is, the log has lost its last records, however well it ends.

use std::path::Path;
use std::sync::Arc;

use super::folder::STORAGE;
use crate::env::Folder;
use crate::error::{Error, Result};
use crate::identity::StoreId;
use crate::log::{self, Follower, Frame, Report};
use crate::storage::{OnDisk, Stored, check_last};

/// One follower's view of a store: what it reads of the log is all that there was.
pub struct FollowedStore {
    pub log: log::FollowedLog,
    beside: Beside,
}

impl FollowedStore {
    /// Follows the store in `folder`, whose log is `log`; see [`log::FollowedLog::open`].
    pub fn open(
        folder: Arc<Folder>,
        log: Arc<Folder>,
        by: &Follower,
        from: u64,
    ) -> Result<FollowedStore> {
        let followed = log::FollowedLog::open(log.clone(), log.path(), by, from)?;
        let beside = Beside::new(folder, log, followed.store());
        Ok(FollowedStore {
            log: followed,
            beside,
        })
    }

    /// As [`log::FollowedLog::read`]; [`LogCut`](Error::LogCut) where that has nothing more, and storage has.
    pub fn read(&mut self, max_bytes: usize) -> Result<Vec<Arc<Frame>>> {
        let frames = self.log.read(max_bytes)?;
        if !frames.is_empty() {
            return Ok(frames);
        }
        let (stored, last) = (self.beside.look()?, self.log.next() - 1);
        if stored <= last {
            return Ok(frames);
        }
        let frames = self.log.read(max_bytes)?; // it may have been written since
        match frames.is_empty() {
            true => Err(self.beside.cut(last, stored)),
            false => Ok(frames),
        }
    }

    /// The last position that anything in the store speaks of.
    pub fn last_named(&mut self) -> Result<u64> {
        let stored = self.beside.position;
        Ok(self.log.last_named().unwrap_or(0).max(stored))
    }

    /// Why nobody can tell how far storage is, if it could not be read.
    pub fn unreadable(&self) -> Option<&str> {
        self.beside.unreadable.as_deref()
    }
}

/// Where the end of a followed store's log is.
pub struct FollowedEnd {
    tail: log::FollowedTail,
    beside: Beside,
}

impl FollowedEnd {
    /// Looks for the end from position `near` on, behind which all is durable.
    pub fn open(folder: Arc<Folder>, log: Arc<Folder>, of: StoreId, near: u64) -> Result<Self> {
        let tail = log::FollowedTail::open(log.clone(), log.path(), near)?;
        let beside = Beside::new(folder, log, of);
        Ok(FollowedEnd { tail, beside })
    }

    /// The position of the last record that is written now; [`LogCut`](Error::LogCut) where that is not all there was.
    pub fn position(&mut self) -> Result<u64> {
        let stored = self.beside.look()?;
        let last = self.tail.position()?;
        match stored <= last {
            true => Ok(last),
            false => Err(self.beside.cut(last, stored)),
        }
    }
}

/// The storage beside a log.
struct Beside {
    storage: OnDisk,
    log: Arc<Folder>,
    of: StoreId,
    compared: Option<Stored>,
    position: u64,
    unreadable: Option<String>,
}

impl Beside {
    fn new(folder: Arc<Folder>, log: Arc<Folder>, of: StoreId) -> Beside {
        Beside {
            storage: OnDisk::new(folder, STORAGE),
            log,
            of,
            compared: None,
            position: 0,
            unreadable: None,
        }
    }

    /// Where storage is, which is of the same store as the log; 0 where nobody can tell.
    fn look(&mut self) -> Result<u64> {
        let stored = match self.storage.look() {
            Ok(stored) => stored,
            Err(error) => {
                self.unreadable = Some(error.to_string());
                None
            }
        };
        if let Some(stored) = stored
            && self.compared != Some(stored)
        {
            self.unreadable = None;
            self.position = stored.applied.position;
            compare(&self.log, self.of, stored)?;
            self.compared = Some(stored);
        }
        Ok(stored.map_or(0, |stored| stored.applied.position))
    }

    fn cut(&self, last: u64, stored: u64) -> Error {
        log_cut(self.log.path(), last, stored)
    }
}

/// Refuses a storage that is of another store than the log beside it, or of a copy that went on separately. Where the
/// log ends is for the caller to say.
fn compare(log: &Folder, of: StoreId, stored: Stored) -> Result<()> {
    let path = log.path().with_file_name(STORAGE);
    match stored.store {
        Some(found) if found != of => {
            return Err(Error::OtherStore {
                path,
                found,
                expected: of,
            });
        }
        _ => {}
    }
    if stored.applied.position == 0 {
        return Ok(());
    }
    match log::batch_that_holds(log, log.path(), stored.applied.position) {
        // Nobody can tell: that is for whoever reads the log to say.
        Err(Error::Corruption { .. } | Error::Truncated { .. }) | Ok(None) => Ok(()),
        Ok(Some(last)) => check_last(&path, &stored.applied, Some(&last)),
        Err(error) => Err(error),
    }
}

fn log_cut(log: &Path, last: u64, stored: u64) -> Error {
    Error::LogCut {
        path: log.to_owned(),
        last,
        stored,
    }
}

/// Reads a store's whole log, as [`log::verify`] does, and holds it against its storage.
pub fn verify(folder: Arc<Folder>) -> Result<Report> {
    let log = folder.within(super::LOG);
    let log = log.map_err(Error::io("open", &folder.path().join(super::LOG)))?;
    // Before the log, which is never behind it.
    let stored = OnDisk::new(folder, STORAGE).look()?;
    let report = log::verify(&log, log.path())?;
    let Some(stored) = stored else {
        return Ok(report);
    };
    if stored.applied.position > report.last {
        return Err(log_cut(log.path(), report.last, stored.applied.position));
    }
    if let Some(of) = report.store {
        compare(&log, of, stored)?;
    }
    Ok(report)
}
