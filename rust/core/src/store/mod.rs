//! The store of a partition: its log and its storage, kept consistent.
//!
//! [`Store::commit`] assigns positions to a batch and returns. The committer's thread, or a thread that
//! waits, appends the queued batches to the log, syncs once, applies each batch to storage and advances
//! the applied position. So everything that can be read from storage is in the log, and a batch waits for
//! at most one sync before its own.
//!
//! After a crash storage is at some flushed position, and the log continues behind it. The caller that
//! opens the store reads the log behind [`Store::applied`] and calls [`Store::apply`] with the changes
//! that the records make; nothing can be committed before that is done.

mod committer;
mod folder;
mod followed;
mod origin;
mod queue;
mod upkeep;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;

pub use folder::{
    Copied, Held, LOG, Parts, adopt, check_storage, log_folder, renew, repair, seed,
    storage_folder, stream_of,
};
pub use followed::{FollowedEnd, FollowedStore, verify};
pub use origin::{Kind, Origin, add as add_origin, read as read_origins};
pub use queue::Queue;

use crate::error::{Error, Result};
use crate::identity::StoreId;
use crate::log::{self, Frame, LogStream};
use crate::storage::{Batch, Storage, StorageOptions};
use committer::{Committer, Counters};
use upkeep::Upkeep;

/// Limits of a store.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The leader's epoch, written into every batch; `None` continues with the log's.
    pub epoch: Option<u64>,
    /// The length of a segment.
    pub segment_bytes: u64,
    /// How many bytes of batches may wait for the disk; beyond that `commit` blocks.
    pub queue_bytes: usize,
    /// How many bytes a batch may have on the log, and how many its changes may have.
    pub batch_bytes: u64,
    /// After this many bytes of log, storage is flushed and the log truncated.
    pub flush_bytes: u64,
    /// Does not truncate the log; the owner calls [`Store::truncate_log`].
    pub keeps_log: bool,
    pub storage: StorageOptions,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            epoch: None,
            segment_bytes: 64 << 20,
            queue_bytes: 64 << 20,
            batch_bytes: log::MAX_PAYLOAD,
            flush_bytes: 32 << 20,
            keeps_log: false,
            storage: StorageOptions::default(),
        }
    }
}

/// Totals since the store was opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    pub syncs: u64,
    /// How long the syncs took, together.
    pub sync_micros: u64,
    pub batches: u64,
    pub records: u64,
    pub bytes: u64,
    pub applied: u64,
    pub flushed: u64,
    pub log_start: u64,
    pub log_tail: u64,
}

/// The log and the storage of one partition. One thread commits; any thread reads and waits.
pub struct Store {
    queue: Arc<Queue>,
    log: Arc<dyn LogStream>,
    storage: Arc<Storage>,
    upkeep: Arc<Upkeep>,
    committer: Arc<Committer>,
    epoch: Arc<AtomicU64>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    recovered: Option<String>,
    folder: Option<folder::Held>,
}

impl Store {
    /// Combines a log and a storage, and starts the threads.
    pub fn new(
        log: Arc<dyn LogStream>,
        storage: impl Into<Arc<Storage>>,
        recovered: Option<String>,
        options: &StoreOptions,
    ) -> Result<Self> {
        let storage = storage.into();
        storage.check_store(log.store())?;
        let applied = storage.applied()?;
        storage.check_log(&*log)?;
        let epoch = options.epoch.unwrap_or(log.epoch());
        if epoch < log.epoch() {
            let current = log.epoch();
            return Err(Error::Fenced { epoch, current });
        }
        let epoch = Arc::new(AtomicU64::new(epoch));
        let queue = Arc::new(Queue::new(
            applied.position,
            applied.hlc,
            log.tail(),
            options.queue_bytes,
            options.batch_bytes.min(log::MAX_PAYLOAD),
        ));
        let upkeep = Arc::new(Upkeep::new(
            queue.clone(),
            log.clone(),
            storage.clone(),
            options.flush_bytes,
            options.keeps_log,
        ));
        let committer = Arc::new(Committer {
            queue: queue.clone(),
            log: log.clone(),
            storage: storage.clone(),
            upkeep: upkeep.clone(),
            counters: Counters::default(),
            epoch: epoch.clone(),
        });
        let (writer, keeper) = (committer.clone(), upkeep.clone());
        let threads = vec![
            start("stepwell-commit", move || writer.run())?,
            start("stepwell-upkeep", move || keeper.run())?,
        ];
        Ok(Self {
            queue,
            log,
            storage,
            upkeep,
            committer,
            epoch,
            threads: Mutex::new(threads),
            recovered,
            folder: None,
        })
    }

    /// The store's id.
    pub fn id(&self) -> StoreId {
        self.log.store()
    }

    /// The queue, for callers that outlive the store.
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// The rows. A write that is not part of a batch is lost.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The log.
    pub fn log(&self) -> &Arc<dyn LogStream> {
        &self.log
    }

    /// The torn tail that was cut off when the log was opened, if any.
    pub fn recovered(&self) -> Option<&str> {
        self.recovered.as_deref()
    }

    /// Queues a batch and returns the position of its last record. The batch is durable and readable once
    /// the applied position reaches that. A batch that storage does not understand, or that is too large for the log,
    /// is refused before anything is queued.
    ///
    /// A `deferred` batch may stay queued until this thread waits, which it must do soon.
    pub fn commit(queue: &Queue, batch: Batch, deferred: bool) -> Result<u64> {
        batch.check()?;
        queue.push(batch, deferred)
    }

    /// Waits until more than `seen` is applied, for [`Queue::notify`], or for the timeout, and returns
    /// the applied position. Deferred batches are written first. A timeout of zero says that the caller is busy: then the
    /// committer's thread writes them.
    pub fn wait(&self, seen: u64, timeout: Option<Duration>) -> Result<u64> {
        self.committer
            .commit_inline(timeout == Some(Duration::ZERO));
        self.queue.wait(seen, timeout)
    }

    /// Waits until a position is applied, or for the timeout; returns whether it is applied. Deferred
    /// batches are written first.
    pub fn wait_applied(&self, position: u64, timeout: Option<Duration>) -> Result<bool> {
        self.committer.commit_inline(false);
        self.queue.wait_applied(position, timeout)
    }

    /// Writes rows that no record describes, and that no replay restores: they are applied and durable
    /// when this returns. Returns the last assigned position.
    pub fn write(&self, batch: &Batch) -> Result<u64> {
        batch.check()?;
        self.queue.check_leads()?;
        self.storage.apply(batch)?;
        self.upkeep.flush()?;
        // A former leader must not confirm a write; its next sync finds the fence.
        self.log.sync()?;
        Ok(self.queue.tail())
    }

    /// The epoch that batches are written in.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Ends the epochs before `epoch`, durably, and writes in it from now on. Only the committing thread may
    /// call this; it waits until all its batches are applied.
    pub fn begin_epoch(&self, epoch: u64) -> Result<()> {
        self.wait_applied(self.queue.tail(), None)?;
        self.log.fence(epoch)?;
        self.epoch.store(epoch, Ordering::Release);
        Ok(())
    }

    /// Applies a batch that is on the log already. `batch.position` is its last position there.
    pub fn apply(&self, batch: &Batch) -> Result<()> {
        self.queue.check()?;
        let applied = self.queue.applied();
        if batch.position <= applied {
            return Err(Error::OutOfOrder {
                position: batch.position,
                applied,
            });
        }
        self.storage.apply(batch)?;
        self.queue.replayed(batch.position, batch.hlc);
        self.upkeep.grown(batch.payload.len() as u64);
        Ok(())
    }

    /// Batches from the one that holds position `from` on, until they hold `max_bytes`.
    pub fn read_log(&self, from: u64, max_bytes: usize) -> Result<Vec<Frame>> {
        log::read_up_to(&*self.log, from, max_bytes)
    }

    /// Makes storage durable, and returns the position that it holds on disk.
    pub fn flush(&self) -> Result<u64> {
        self.queue.check()?;
        self.upkeep.flush()
    }

    /// Truncates the log before `position`, but only as far as storage is durable; returns its new start.
    pub fn truncate_log(&self, position: u64) -> Result<u64> {
        self.queue.check()?;
        self.upkeep.truncate_before(position)
    }

    /// Copies the store as it is at some position, which is returned, into a folder that does not exist or is
    /// empty.
    ///
    /// The copy is a store with an id of its own. Its log begins at that position, and its origin names this store.
    pub fn checkpoint(&self, path: &Path) -> Result<u64> {
        self.queue.check()?;
        let origins = match &self.folder {
            Some(held) => origin::read(&held.folder)?,
            None => Vec::new(),
        };
        folder::copy(&self.storage, self.id(), origins, path)
    }

    pub fn stats(&self) -> Stats {
        let counters = &self.committer.counters;
        Stats {
            syncs: counters.syncs.load(Ordering::Relaxed),
            sync_micros: counters.sync_micros.load(Ordering::Relaxed),
            batches: counters.batches.load(Ordering::Relaxed),
            records: counters.records.load(Ordering::Relaxed),
            bytes: counters.bytes.load(Ordering::Relaxed),
            applied: self.queue.applied(),
            flushed: self.upkeep.flushed(),
            log_start: self.log.start(),
            log_tail: self.log.tail(),
        }
    }

    /// Writes what is queued, flushes storage and stops the threads.
    pub fn close(self) -> Result<()> {
        self.finish()
    }

    /// The same for a store that others hold too: its files are released with the last of them.
    pub fn finish(&self) -> Result<()> {
        self.stop();
        match self.queue.check() {
            Err(Error::Closed) => self.upkeep.flush().map(drop),
            outcome => outcome,
        }
    }

    /// Stops the threads, after what is queued is written, and flushes nothing.
    pub fn stop(&self) {
        self.queue.close();
        self.upkeep.stop();
        for thread in self.threads.lock().drain(..) {
            // A thread that panicked has poisoned the queue already.
            drop(thread.join());
        }
        self.queue.wait_written();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.map_err(|error| Error::Storage {
        action: "start a thread for",
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
