//! The log in memory, for tests and for executors without a folder.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Batch, Frame, Frames, LogStream, frame};
use crate::error::{Error, Result};
use crate::identity::StoreId;

/// A log that ends with the process. Clones share it.
#[derive(Clone)]
pub struct MemoryLogStream(Arc<Mutex<Contents>>, StoreId);

#[derive(Default)]
struct Contents {
    frames: VecDeque<Frame>,
    durable: u64,
    tail: u64,
    epoch: u64,
}

impl MemoryLogStream {
    /// An empty log.
    pub fn new() -> MemoryLogStream {
        MemoryLogStream(Arc::default(), StoreId::random())
    }
}

impl Default for MemoryLogStream {
    fn default() -> MemoryLogStream {
        MemoryLogStream::new()
    }
}

impl Contents {
    fn start(&self) -> u64 {
        self.frames
            .front()
            .map_or(self.tail + 1, |frame| frame.first)
    }

    /// The first durable frame that ends at `from` or later.
    fn frame(&self, from: u64) -> Option<Result<Frame>> {
        if let Err(error) = self.check_start(from) {
            return Some(Err(error));
        }
        let index = self.frames.partition_point(|frame| frame.last() < from);
        let frame = self.frames.get(index)?;
        (frame.last() <= self.durable).then(|| Ok(frame.clone()))
    }

    fn check_start(&self, position: u64) -> Result<()> {
        let start = self.start();
        match position < start {
            true => Err(Error::Truncated { position, start }),
            false => Ok(()),
        }
    }
}

impl LogStream for MemoryLogStream {
    fn store(&self) -> StoreId {
        self.1
    }

    fn append(&self, batches: &[Batch<'_>], epoch: u64, expected_last: u64) -> Result<u64> {
        let mut log = self.0.lock();
        if epoch < log.epoch {
            return Err(Error::Fenced {
                epoch,
                current: log.epoch,
            });
        }
        if log.tail != expected_last {
            return Err(Error::Conflict {
                expected: expected_last,
                last: log.tail,
            });
        }
        batches.iter().try_for_each(frame::check_size)?;
        log.epoch = epoch;
        for batch in batches.iter().filter(|batch| batch.count > 0) {
            let frame = Frame {
                epoch,
                first: log.tail + 1,
                count: batch.count,
                payload: batch.payload.concat(),
            };
            log.tail = frame.last();
            log.frames.push_back(frame);
        }
        Ok(log.tail)
    }

    fn sync(&self) -> Result<u64> {
        let mut log = self.0.lock();
        log.durable = log.tail;
        Ok(log.durable)
    }

    fn durable(&self) -> u64 {
        self.0.lock().durable
    }

    fn tail(&self) -> u64 {
        self.0.lock().tail
    }

    fn start(&self) -> u64 {
        self.0.lock().start()
    }

    fn epoch(&self) -> u64 {
        self.0.lock().epoch
    }

    fn read(&self, from: u64) -> Result<Frames> {
        let (log, mut next) = (self.clone(), from.max(1));
        log.0.lock().check_start(next)?;
        Ok(Box::new(std::iter::from_fn(move || {
            let frame = log.0.lock().frame(next)?;
            // Nothing follows an error.
            next = frame.as_ref().map_or(u64::MAX, |frame| frame.last() + 1);
            Some(frame)
        })))
    }

    fn truncate_before(&self, position: u64) -> Result<u64> {
        let mut log = self.0.lock();
        let before = position.min(log.durable + 1);
        let cut = log.frames.partition_point(|frame| frame.last() < before);
        log.frames.drain(..cut);
        Ok(log.start())
    }

    fn poisoned(&self) -> Option<String> {
        None
    }
}
