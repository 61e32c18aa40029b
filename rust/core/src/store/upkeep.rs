//! Keeps the log short: flushes storage after the log has grown, and truncates what is flushed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};

use super::queue::{PoisonOnPanic, Queue};
use crate::error::Result;
use crate::log::LogStream;
use crate::storage::Storage;

/// The flushed position, and the state of the thread that flushes.
pub struct Upkeep {
    queue: Arc<Queue>,
    log: Arc<dyn LogStream>,
    storage: Arc<Storage>,
    /// The last position that is durable in storage: the log may be truncated up to it.
    flushed: AtomicU64,
    grown: AtomicU64,
    every_bytes: u64,
    keeps_log: bool,
    signal: Mutex<Signal>,
    wake_up: Condvar,
    flushing: Mutex<()>,
}

#[derive(Default)]
struct Signal {
    is_due: bool,
    is_over: bool,
}

impl Upkeep {
    /// Flushes after `every_bytes` of log; with `keeps_log` the owner truncates it.
    pub fn new(
        queue: Arc<Queue>,
        log: Arc<dyn LogStream>,
        storage: Arc<Storage>,
        every_bytes: u64,
        keeps_log: bool,
    ) -> Self {
        // Without a write-ahead log, everything that is there after opening came from the disk.
        let flushed = AtomicU64::new(queue.applied());
        Self {
            queue,
            log,
            storage,
            flushed,
            grown: AtomicU64::new(0),
            every_bytes,
            keeps_log,
            signal: Mutex::default(),
            wake_up: Condvar::new(),
            flushing: Mutex::new(()),
        }
    }

    /// The position up to which storage no longer needs the log.
    pub fn flushed(&self) -> u64 {
        self.flushed.load(Ordering::Acquire)
    }

    /// The log grew by `bytes`.
    pub fn grown(&self, bytes: u64) {
        let before = self.grown.fetch_add(bytes, Ordering::Relaxed);
        if before < self.every_bytes && before + bytes >= self.every_bytes {
            self.signal.lock().is_due = true;
            self.wake_up.notify_one();
        }
    }

    /// Makes storage durable, and returns the position that it holds on disk.
    pub fn flush(&self) -> Result<u64> {
        let _one_at_a_time = self.flushing.lock();
        self.grown.store(0, Ordering::Relaxed);
        let applied = self.queue.applied();
        self.log.persist()?;
        self.storage.flush()?;
        self.flushed.fetch_max(applied, Ordering::AcqRel);
        Ok(self.flushed())
    }

    /// Truncates the log before `position`, but only as far as storage is durable; returns its new start.
    pub fn truncate_before(&self, position: u64) -> Result<u64> {
        self.log.truncate_before(position.min(self.flushed() + 1))
    }

    /// The thread's loop: flushes and truncates when it is due. A failure poisons the store.
    pub fn run(&self) {
        let _guard = PoisonOnPanic(&self.queue);
        while self.wait_until_due() {
            let outcome = self.flush().and_then(|flushed| match self.keeps_log {
                true => Ok(0),
                false => self.truncate_before(flushed + 1),
            });
            if let Err(error) = outcome {
                return self.queue.fail(error);
            }
        }
    }

    /// Stops the thread.
    pub fn stop(&self) {
        self.signal.lock().is_over = true;
        self.wake_up.notify_all();
    }

    fn wait_until_due(&self) -> bool {
        let mut signal = self.signal.lock();
        while !signal.is_due && !signal.is_over {
            self.wake_up.wait(&mut signal);
        }
        signal.is_due = false;
        !signal.is_over
    }
}
