//! Group commit: one append and sync for all queued batches.
//!
//! The committer's thread does it while the partition makes the next batch. When the partition has
//! nothing else to do, its own thread does it: it would only wait, and waking a thread costs as much as a sync.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::queue::{PoisonOnPanic, Queue};
use super::upkeep::Upkeep;
use crate::error::Result;
use crate::log::{self, LogStream};
use crate::storage::{Batch, Storage};

/// Totals since the store was opened.
#[derive(Debug, Default)]
pub struct Counters {
    pub batches: AtomicU64,
    pub records: AtomicU64,
    pub bytes: AtomicU64,
    pub syncs: AtomicU64,
    pub sync_micros: AtomicU64,
}

/// Writes queued batches to the log, applies them, and reports their position.
pub struct Committer {
    pub queue: Arc<Queue>,
    pub log: Arc<dyn LogStream>,
    pub storage: Arc<Storage>,
    pub upkeep: Arc<Upkeep>,
    pub counters: Counters,
    pub epoch: Arc<AtomicU64>,
}

impl Committer {
    /// Runs until the queue is closed and empty, or until something fails. A failure poisons the queue,
    /// because the state of the last batches is unknown.
    pub fn run(&self) {
        let _guard = PoisonOnPanic(&self.queue);
        while let Some(batches) = self.queue.take() {
            self.finish(batches);
        }
    }

    /// Commits the queued batches in the caller's thread, unless another thread does or the caller is busy.
    pub fn commit_inline(&self, is_busy: bool) {
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
        // A batch is freed as soon as it is applied, which makes room in the queue.
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
        if self.log.takes_rows() {
            let rows: Vec<Vec<u8>> = batches.iter().map(Batch::rows).collect();
            self.log.append_with_rows(&frames, &rows, epoch, before)?;
        } else {
            self.log.append(&frames, epoch, before)?;
        }
        let began = Instant::now();
        self.log.sync()?;
        self.count(batches, began);
        Ok(())
    }

    fn count(&self, batches: &VecDeque<Batch>, began: Instant) {
        let add = |counter: &AtomicU64, number: u64| counter.fetch_add(number, Ordering::Relaxed);
        add(&self.counters.syncs, 1);
        add(
            &self.counters.sync_micros,
            began.elapsed().as_micros() as u64,
        );
        add(&self.counters.batches, batches.len() as u64);
        for batch in batches {
            add(&self.counters.records, u64::from(batch.count));
            add(&self.counters.bytes, batch.payload.len() as u64);
        }
    }
}
