//! The store of a partition: its log and its storage, kept in step.
//!
//! [`Store::commit`] gives a batch its positions and returns. A thread, or whoever waits, writes what
//! was queued to the log, syncs once, applies each batch to storage and moves the applied position on.
//! So nothing that can be read from storage is missing in the log, and nothing waits for more than one
//! sync after its own.
//!
//! After a crash storage is at some position that was flushed, and the log goes further. Whoever
//! opens the store reads the log behind [`Store::applied`] and calls [`Store::apply`] with what the
//! records change; until that is done nothing can be committed.

mod committer;
mod folder;
mod origin;
mod queue;
mod upkeep;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use folder::{Copied, LOG, adopt, log_folder, repair};
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
    /// Of the leader that writes, in every batch; none goes on with the log's.
    pub epoch: Option<u64>,
    /// How long a file of the log becomes.
    pub segment_bytes: u64,
    /// How many bytes of batches may wait for the disk; beyond that `commit` blocks.
    pub queue_bytes: usize,
    /// How many bytes a batch may have on the log, and as many in the rows that it changes.
    pub batch_bytes: u64,
    /// After how many bytes of log storage is flushed and the log cut.
    pub flush_bytes: u64,
    /// Leaves the log whole; the owner cuts it with [`Store::truncate_log`].
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

/// What a store wrote since it was opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    pub syncs: u64,
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
    threads: Vec<JoinHandle<()>>,
    recovered: Option<String>,
    folder: Option<folder::Held>,
}

impl Store {
    /// Joins a log and a storage, and starts the threads.
    pub fn new(
        log: Arc<dyn LogStream>,
        storage: Storage,
        recovered: Option<String>,
        options: &StoreOptions,
    ) -> Result<Self> {
        let storage = Arc::new(storage);
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
            threads,
            recovered,
            folder: None,
        })
    }

    /// Which store it is.
    pub fn id(&self) -> StoreId {
        self.log.store()
    }

    /// Where batches go in and progress shows, for those who outlive the store.
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// The rows. What is written here and not by a batch is lost.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The log.
    pub fn log(&self) -> &Arc<dyn LogStream> {
        &self.log
    }

    /// What was cut off the log's end when it was opened, if a batch was torn.
    pub fn recovered(&self) -> Option<&str> {
        self.recovered.as_deref()
    }

    /// Queues a batch and returns the position of its last record. It is durable and can be read
    /// once the applied position is there. A batch that storage would not understand, or the log could not hold, is refused
    /// before anything is queued: whoever made it can do without it.
    ///
    /// A batch that is `deferred` may stay queued until this thread waits, which it is about to do.
    pub fn commit(queue: &Queue, batch: Batch, deferred: bool) -> Result<u64> {
        batch.check()?;
        queue.push(batch, deferred)
    }

    /// Waits until more than `seen` is applied, for [`Queue::notify`], or for the timeout, and returns
    /// the applied position. What was deferred is written first; by the committer's thread if the
    /// caller has better things to do: a timeout of zero says so.
    pub fn wait(&self, seen: u64, timeout: Option<Duration>) -> Result<u64> {
        self.committer.help(timeout == Some(Duration::ZERO));
        self.queue.wait(seen, timeout)
    }

    /// Waits until a position is applied, or for the timeout; returns whether it is. What was deferred
    /// is written first.
    pub fn wait_applied(&self, position: u64, timeout: Option<Duration>) -> Result<bool> {
        self.committer.help(false);
        self.queue.wait_applied(position, timeout)
    }

    /// Writes rows that no record stands for, and so no replay brings back: they are applied and on
    /// disk when this returns. Returns the last position given.
    pub fn write(&self, batch: &Batch) -> Result<u64> {
        batch.check()?;
        self.queue.check()?;
        self.storage.apply(batch)?;
        self.upkeep.flush()?;
        // A former leader must not say that it wrote something; a sync is where it learns what it is.
        self.log.sync()?;
        Ok(self.queue.tail())
    }

    /// The epoch that batches are written in.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Ends the epochs before `epoch`, durably, and writes in it from now on. Called by the thread
    /// that commits; waits until all it committed is applied.
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

    /// Puts storage on disk, and returns the position that is safe there.
    pub fn flush(&self) -> Result<u64> {
        self.queue.check()?;
        self.upkeep.flush()
    }

    /// Cuts the log before `position`, but never what storage has not on disk; returns its new start.
    pub fn truncate_log(&self, position: u64) -> Result<u64> {
        self.queue.check()?;
        self.upkeep.truncate_before(position)
    }

    /// Copies the store as it is at some position, which is returned, into a folder that is new or
    /// empty. The copy is a store of its own, whose log begins there.
    ///
    /// It has an id of its own, and says whose copy it is.
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
    pub fn close(mut self) -> Result<()> {
        self.stop();
        match self.queue.check() {
            Err(Error::Closed) => self.upkeep.flush().map(drop),
            outcome => outcome,
        }
    }

    fn stop(&mut self) {
        self.queue.close();
        self.upkeep.stop();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to stop.
            drop(thread.join());
        }
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
