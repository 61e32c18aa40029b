//! Snapshots: the beginning of another copy.
//!
//! A snapshot is a copy's folder with its storage, `CHAIN`, and an empty log that begins behind it.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use stepwell_core::env::Folder;
use stepwell_core::identity::StoreId;
use stepwell_core::log::LogStream as _;
use stepwell_core::store;
use stepwell_core::{Error, Result};

use crate::chain::Link;
use crate::copy::Copy;
use crate::log::ReplicatedLog;
use crate::roles::Role;

/// How long a leader's storage may be behind its log.
const APPLY: Duration = Duration::from_secs(5);
/// The pause before it is looked at again.
const PAUSE: Duration = Duration::from_millis(1);

/// Where a copy's files end, without its stream. The sequence is that of `CHAIN`, and at least 1.
fn end(log: &ReplicatedLog) -> Result<Link> {
    let link = Link::read(&log.folder)?.through(&log.local)?;
    Ok(Link {
        sequence: link.sequence.max(1),
        epoch: link.epoch.max(log.local.epoch()),
        ..link
    })
}

/// Reads a copy that was made: its files are those of this node, where a bit may have changed since they were written.
fn checked(path: &Path, link: Link) -> Result<Link> {
    let folder = Folder::open(path).map_err(Error::io("open", path))?;
    store::check_storage(&folder)?;
    Ok(link)
}

impl Copy {
    /// Copies it into a folder that does not exist or is empty: the beginning of another copy, also where the stream no
    /// longer has its own. A copy that follows rests meanwhile, and a leader confirms nothing while storage is copied.
    pub fn snapshot(&self, path: &Path) -> Result<Link> {
        let mut work = self.pause(&[Role::Following, Role::Leading])?;
        let copied = self.copy_to(path, None);
        self.resume(&mut work)?;
        drop(work);
        checked(path, copied?)
    }

    /// The same of a copy that is open without its stream, as the beginning of another store.
    pub fn snapshot_as(&self, path: &Path, store: StoreId) -> Result<Link> {
        let _work = self.pause(&[Role::Opened])?;
        checked(path, self.copy_to(path, Some(store))?)
    }

    fn copy_to(&self, path: &Path, renewed: Option<StoreId>) -> Result<Link> {
        let folder = Folder::create(path).map_err(Error::io("open", path))?;
        let log = self.log();
        let link = match renewed {
            None => self.copy_still(&folder)?,
            Some(store) => {
                let link = end(log)?;
                self.copy_storage(&folder)?;
                store::renew(&folder, store)?;
                link
            }
        };
        let stream = &log.reader().stream;
        let store = renewed.unwrap_or(log.local.store());
        store::seed(&folder, stream, store, link.position + 1)?;
        link.write(&folder)?;
        Ok(link)
    }

    fn copy_storage(&self, folder: &Folder) -> Result<()> {
        let path = store::storage_folder(&folder.place());
        self.storage().checkpoint(&path)
    }

    /// Copies storage at a moment when it is exactly where the log is; returns where that is.
    fn copy_still(&self, folder: &Folder) -> Result<Link> {
        let deadline = match self.status().role {
            Role::Leading => Instant::now() + APPLY,
            _ => Instant::now(), // it rests: nothing changes while it is waited for
        };
        loop {
            let copied = self.log().still(|position| {
                let is_there = self.storage().applied()?.position == position;
                is_there.then(|| self.copy_storage(folder)).transpose()
            })?;
            if let Some(link) = copied {
                return Ok(link);
            }
            if Instant::now() >= deadline {
                return Err(Error::Storage {
                    action: "copy",
                    reason: "it is not where its log is".to_owned(),
                });
            }
            thread::sleep(PAUSE);
        }
    }
}
