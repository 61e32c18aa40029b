//! What makes batches durable: one sync for all that came meanwhile.
//!
//! A thread does it while the partition makes the next batch. When there is nothing to make, the
//! partition's own thread does it, for it would only wait, and waking another costs as much as a sync.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::queue::Queue;
use super::upkeep::Upkeep;
use crate::error::Result;
use crate::log::{self, LogStream};
use crate::storage::{Batch, Storage};

/// What was written since the store was opened.
#[derive(Debug, Default)]
pub struct Counters {
    pub batches: AtomicU64,
    pub records: AtomicU64,
    pub bytes: AtomicU64,
    pub syncs: AtomicU64,
}

/// A thread that dies must not leave those who wait for it waiting.
pub struct PoisonOnPanic<'a>(pub &'a Queue);

impl Drop for PoisonOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0
                .poison("a thread of the store panicked; this is a bug".to_owned());
        }
    }
}

/// Writes queued batches to the log, applies them, and says so.
pub struct Committer {
    pub queue: Arc<Queue>,
    pub log: Arc<dyn LogStream>,
    pub storage: Arc<Storage>,
    pub upkeep: Arc<Upkeep>,
    pub counters: Counters,
    pub epoch: Arc<AtomicU64>,
}

impl Committer {
    /// Works until the queue is closed and empty, or until something fails: then the queue is
    /// poisoned, because what became of the batches written last is not known.
    pub fn run(&self) {
        let _guard = PoisonOnPanic(&self.queue);
        while let Some(batches) = self.queue.take() {
            self.finish(batches);
        }
    }

    /// Writes what is queued, if nobody else does, and unless the caller has something else to do.
    pub fn help(&self, is_busy: bool) {
        if let Some(batches) = self.queue.take_now(is_busy) {
            let _guard = PoisonOnPanic(&self.queue);
            self.finish(batches);
        }
    }

    fn finish(&self, batches: VecDeque<Batch>) {
        if let Err(error) = self.commit(batches) {
            self.queue.fail(error);
        }
        self.queue.finish();
    }

    fn commit(&self, batches: VecDeque<Batch>) -> Result<()> {
        self.write(&batches)?;
        // A batch leaves memory as soon as it is applied, and makes room for the next.
        for batch in batches {
            self.storage.apply(&batch)?;
            self.queue.done(batch.position, batch.hlc, batch.bytes());
            self.upkeep.grown(batch.payload.len() as u64);
        }
        Ok(())
    }

    fn write(&self, batches: &VecDeque<Batch>) -> Result<()> {
        let payloads: Vec<[&[u8]; 1]> = batches.iter().map(|batch| [&batch.payload[..]]).collect();
        let frames: Vec<log::Batch> = batches
            .iter()
            .zip(&payloads)
            .map(|(batch, payload)| log::Batch {
                count: batch.count,
                payload,
            })
            .collect();
        let before = batches
            .front()
            .map_or(0, |batch| batch.position - u64::from(batch.count));
        let epoch = self.epoch.load(Ordering::Acquire);
        self.log.append(&frames, epoch, before)?;
        self.log.sync()?;
        self.count(batches);
        Ok(())
    }

    fn count(&self, batches: &VecDeque<Batch>) {
        let add = |counter: &AtomicU64, number: u64| counter.fetch_add(number, Ordering::Relaxed);
        add(&self.counters.syncs, 1);
        add(&self.counters.batches, batches.len() as u64);
        for batch in batches {
            add(&self.counters.records, u64::from(batch.count));
            add(&self.counters.bytes, batch.payload.len() as u64);
        }
    }
}
