//! The log in files: one folder of segments.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};

use super::reader::Reader;
use super::recovery::{self, Recovered};
use super::shared::{LogOptions, Shared};
use super::writer::Writer;
use super::{Batch, Frames, LogStream, fence, follower_position, segment};
use crate::env::{Env, LockGuard};
use crate::error::{Error, Result};
use crate::identity::StoreId;

/// A log in the segments of a folder, which it locks while it is open.
pub struct FileLogStream {
    shared: Arc<Shared>,
    writer: Mutex<Writer>,
    recovered: Option<Recovered>,
    segments_for_followers: usize,
    _lock: Box<dyn LockGuard>,
}

impl FileLogStream {
    /// Opens the log in `folder` or creates one, and cuts off a torn tail.
    ///
    /// [`Locked`](Error::Locked) if the folder is in use, [`Corruption`](Error::Corruption) for
    /// damage, [`Format`](Error::Format) for a log of a later version,
    /// [`Superseded`](Error::Superseded) for a former leader's log, [`OtherStore`](Error::OtherStore) for
    /// the log of another store. All of this is checked before anything is changed.
    pub fn open(env: Arc<dyn Env>, folder: &Path, options: LogOptions) -> Result<FileLogStream> {
        let lock = segment::lock(&*env, folder)?;
        fence::check(&*env, folder)?;
        let store = store_of(&*env, folder, options.store)?;
        let mut segments = segment::list(&*env, folder)?;
        if segments.is_empty() {
            env.sync_ancestors().map_err(Error::io("sync", folder))?;
            let path = segment::path(folder, options.first);
            env.create(&path).map_err(Error::io("create", &path))?;
            segments.push(options.first);
        }
        let tail = recovery::recover(&*env, folder, &segments, store)?;
        let marks = tail.marks.iter();
        let shared = Arc::new(Shared {
            env,
            folder: folder.to_owned(),
            store,
            segments: RwLock::new(segments),
            marks: RwLock::new(marks.map(|(p, at)| (*p, (tail.segment, *at))).collect()),
            durable: AtomicU64::new(tail.next - 1),
            tail: AtomicU64::new(tail.next - 1),
            epoch: AtomicU64::new(tail.epoch),
            poisoned: OnceLock::new(),
        });
        let recovered = tail.recovered.clone();
        let mut writer = Writer::new(Arc::clone(&shared), tail, options);
        writer.begin()?;
        Ok(FileLogStream {
            recovered,
            segments_for_followers: options.segments_for_followers,
            writer: Mutex::new(writer),
            shared,
            _lock: lock,
        })
    }

    /// The torn tail that was cut off when the log was opened, if any.
    pub fn recovered(&self) -> Option<&Recovered> {
        self.recovered.as_ref()
    }

    /// Syncs, writes a mark that all is durable, and cuts off unused preallocated zeros: from then on
    /// no loss at the end looks like a torn tail. Dropping the log does the same, but hides errors.
    pub fn close(&self) -> Result<()> {
        self.writer.lock().close()
    }
}

impl LogStream for FileLogStream {
    fn store(&self) -> StoreId {
        self.shared.store
    }

    fn append(&self, batches: &[Batch<'_>], epoch: u64, expected_last: u64) -> Result<u64> {
        self.writer.lock().append(batches, epoch, expected_last)
    }

    fn sync(&self) -> Result<u64> {
        self.writer.lock().sync()
    }

    fn durable(&self) -> u64 {
        self.shared.durable.load(Ordering::Acquire)
    }

    fn tail(&self) -> u64 {
        self.shared.tail.load(Ordering::Acquire)
    }

    fn start(&self) -> u64 {
        self.shared.segments.read()[0]
    }

    fn epoch(&self) -> u64 {
        self.shared.epoch.load(Ordering::Acquire)
    }

    fn read(&self, from: u64) -> Result<Frames> {
        let start = self.start();
        if from.max(1) < start {
            return Err(Error::Truncated {
                position: from,
                start,
            });
        }
        Ok(Box::new(Reader::new(Arc::clone(&self.shared), from)))
    }

    fn truncate_before(&self, position: u64) -> Result<u64> {
        let shared = &self.shared;
        let followed = follower_position::lowest(&*shared.env, &shared.folder, shared.store)?;
        loop {
            let mut segments = shared.segments.write();
            let is_long = segments.len() > self.segments_for_followers;
            let wanted = match followed {
                Some(followed) if !is_long => position.min(followed + 1),
                _ => position,
            };
            let first = match segments[..] {
                [first, second, ..] if second <= wanted => first,
                [first, ..] => return Ok(first),
                [] => unreachable!("a log has a segment"),
            };
            segments.remove(0);
            drop(segments);
            let path = segment::path(&shared.folder, first);
            shared
                .env
                .remove(&path)
                .map_err(Error::io("remove", &path))?;
            // One at a time, oldest first: a crash must not leave a gap between segments.
            shared
                .env
                .sync_dir(&shared.folder)
                .map_err(Error::io("sync", &shared.folder))?;
            shared
                .marks
                .write()
                .retain(|_, (segment, _)| *segment != first);
        }
    }

    fn poisoned(&self) -> Option<String> {
        self.shared.poisoned.get().cloned()
    }
}

impl Drop for FileLogStream {
    fn drop(&mut self) {
        // After a failure here the end of the log is only less certain; the next opening examines it.
        let _ = self.close();
    }
}

/// The store of the log in a folder: the wanted one, the one that its frames name, or a new one.
fn store_of(env: &dyn Env, folder: &Path, wanted: Option<StoreId>) -> Result<StoreId> {
    let found = segment::stores(env, folder)?.first().copied();
    match (wanted, found) {
        (Some(wanted), Some(found)) if wanted != found => {
            Err(segment::other_store(folder, found, wanted))
        }
        (wanted, found) => Ok(wanted.or(found).unwrap_or_else(StoreId::random)),
    }
}
