//! Keeps the log short: flushes storage when the log has grown, and cuts what is flushed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};

use super::committer::PoisonOnPanic;
use super::queue::Queue;
use crate::error::Result;
use crate::log::LogStream;
use crate::storage::Storage;

/// The flushed position, and the thread's bell.
pub struct Upkeep {
    queue: Arc<Queue>,
    log: Arc<dyn LogStream>,
    storage: Arc<Storage>,
    /// What storage holds on disk: the log may be cut up to here, never beyond.
    flushed: AtomicU64,
    grown: AtomicU64,
    every_bytes: u64,
    keeps_log: bool,
    turn: Mutex<Turn>,
    bell: Condvar,
    flushing: Mutex<()>,
}

#[derive(Default)]
struct Turn {
    is_due: bool,
    is_over: bool,
}

impl Upkeep {
    /// `every_bytes` of log make a flush; `keeps_log` leaves cutting to the owner.
    pub fn new(
        queue: Arc<Queue>,
        log: Arc<dyn LogStream>,
        storage: Arc<Storage>,
        every_bytes: u64,
        keeps_log: bool,
    ) -> Self {
        // Without a write-ahead log, whatever is there after opening came from the disk.
        let flushed = AtomicU64::new(queue.applied());
        Self {
            queue,
            log,
            storage,
            flushed,
            grown: AtomicU64::new(0),
            every_bytes,
            keeps_log,
            turn: Mutex::default(),
            bell: Condvar::new(),
            flushing: Mutex::new(()),
        }
    }

    /// The position up to which storage needs no log.
    pub fn flushed(&self) -> u64 {
        self.flushed.load(Ordering::Acquire)
    }

    /// The log grew by so many bytes.
    pub fn grown(&self, bytes: u64) {
        let before = self.grown.fetch_add(bytes, Ordering::Relaxed);
        if before < self.every_bytes && before + bytes >= self.every_bytes {
            self.turn.lock().is_due = true;
            self.bell.notify_one();
        }
    }

    /// Puts storage on disk, and returns the position that is safe there.
    pub fn flush(&self) -> Result<u64> {
        let _one_at_a_time = self.flushing.lock();
        self.grown.store(0, Ordering::Relaxed);
        let applied = self.queue.applied();
        self.storage.flush()?;
        self.flushed.fetch_max(applied, Ordering::AcqRel);
        Ok(self.flushed())
    }

    /// Cuts the log before `position`, but never what storage has not on disk; returns its new start.
    pub fn truncate_before(&self, position: u64) -> Result<u64> {
        self.log.truncate_before(position.min(self.flushed() + 1))
    }

    /// The thread: flushes and cuts whenever it is due. A failure poisons the store.
    pub fn run(&self) {
        let _guard = PoisonOnPanic(&self.queue);
        while self.next_turn() {
            let outcome = self.flush().and_then(|flushed| match self.keeps_log {
                true => Ok(0),
                false => self.truncate_before(flushed + 1),
            });
            if let Err(error) = outcome {
                return self.queue.fail(error);
            }
        }
    }

    /// Ends the thread.
    pub fn stop(&self) {
        self.turn.lock().is_over = true;
        self.bell.notify_all();
    }

    fn next_turn(&self) -> bool {
        let mut turn = self.turn.lock();
        while !turn.is_due && !turn.is_over {
            self.bell.wait(&mut turn);
        }
        turn.is_due = false;
        !turn.is_over
    }
}
