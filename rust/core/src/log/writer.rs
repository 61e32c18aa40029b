//! Writing frames at the end of a file log.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ahead::Preallocation;
use super::recovery::Tail;
use super::scan::MARK_EVERY;
use super::shared::{LogOptions, Shared};
use super::{Batch, displaced, fence, frame, segment};
use crate::env::File;
use crate::error::{Error, Result};

/// A larger buffer is freed after the write.
const KEPT_BUFFER: usize = 4 << 20;

/// The end of the log: the only place that writes frames.
pub struct Writer {
    shared: Arc<Shared>,
    options: LogOptions,
    file: Arc<dyn File>,
    /// The first position of the file.
    segment: u64,
    /// Where the file's frames end.
    offset: u64,
    ahead: Preallocation,
    /// The durable position that the last frame names.
    known_durable: u64,
    last_mark: u64,
    buffer: Vec<u8>,
}

impl Writer {
    pub fn new(shared: Arc<Shared>, tail: Tail, options: LogOptions) -> Writer {
        Writer {
            shared,
            options,
            ahead: Preallocation::new(options.ahead_bytes, options.segment_bytes),
            file: tail.file,
            segment: tail.segment,
            offset: tail.offset,
            known_durable: tail.known_durable,
            last_mark: tail.marks.last().map_or(0, |(_, offset)| *offset),
            buffer: Vec::new(),
        }
    }

    /// Writes a mark, durably, that names the log's store, unless the segment has a frame already.
    pub fn begin(&mut self) -> Result<()> {
        if self.offset > 0 {
            return Ok(());
        }
        let load = |value: &AtomicU64| value.load(Ordering::Acquire);
        let (epoch, tail) = (load(&self.shared.epoch), load(&self.shared.tail));
        self.append(&[Batch::default()], epoch, tail)?;
        self.sync().map(drop)
    }

    /// See [`LogStream::append`](super::LogStream::append).
    pub fn append(&mut self, batches: &[Batch<'_>], epoch: u64, expected_last: u64) -> Result<u64> {
        self.check(batches, epoch, expected_last)?;
        let result = self.write_batches(batches, epoch, expected_last + 1);
        self.poison_on_error(result)
    }

    /// See [`LogStream::sync`](super::LogStream::sync).
    pub fn sync(&mut self) -> Result<u64> {
        self.check_poison()?;
        let result = self.sync_file();
        self.poison_on_error(result)
    }

    /// See [`FileLogStream::close`](super::FileLogStream::close).
    pub fn close(&mut self) -> Result<()> {
        let durable = self.sync()?;
        let is_marked = durable <= self.known_durable;
        if !is_marked {
            let epoch = self.shared.epoch.load(Ordering::Acquire);
            self.append(&[Batch::default()], epoch, durable)?;
        }
        let result = self.trim();
        if self.poison_on_error(result)? || !is_marked {
            self.sync()?;
        }
        Ok(())
    }

    fn check(&self, batches: &[Batch<'_>], epoch: u64, expected: u64) -> Result<()> {
        self.check_poison()?;
        let current = self.shared.epoch.load(Ordering::Acquire);
        if epoch < current {
            return Err(Error::Fenced { epoch, current });
        }
        let last = self.shared.tail.load(Ordering::Acquire);
        if last != expected {
            return Err(Error::Conflict { expected, last });
        }
        batches.iter().try_for_each(frame::check_size)?;
        fence::check(&*self.shared.env, &self.shared.folder)
    }

    fn write_batches(&mut self, batches: &[Batch<'_>], epoch: u64, first: u64) -> Result<u64> {
        let mut next = first;
        for batch in batches {
            let end = self.offset + self.buffer.len() as u64;
            if end >= self.options.segment_bytes && next > self.segment {
                self.write_buffer()?;
                self.begin_segment(next)?;
            }
            self.mark(next);
            let durable = self.shared.durable.load(Ordering::Acquire);
            let place = frame::Place {
                store: self.shared.store,
                epoch,
                first: next,
                durable,
            };
            frame::write(&mut self.buffer, batch, place);
            self.known_durable = durable;
            next += u64::from(batch.count);
        }
        self.write_buffer()?;
        self.shared.epoch.store(epoch, Ordering::Release);
        self.shared.tail.store(next - 1, Ordering::Release);
        Ok(next - 1)
    }

    fn write_buffer(&mut self) -> Result<()> {
        let path = segment::path(&self.shared.folder, self.segment);
        self.file
            .write_all_at(&self.buffer, self.offset)
            .map_err(Error::io("write", &path))?;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
        self.ahead
            .extend(&*self.file, self.offset)
            .map_err(Error::io("write ahead in", &path))
    }

    /// Cuts off what follows the frames; returns whether there was anything.
    fn trim(&mut self) -> Result<bool> {
        let path = segment::path(&self.shared.folder, self.segment);
        self.ahead
            .trim(&*self.file, self.offset)
            .map_err(Error::io("cut", &path))
    }

    /// Begins the segment of position `next`, after everything before it was made durable. So only the
    /// last segment can have a torn tail. Only the last segment has preallocated zeros, too: they end at
    /// `segment_bytes`, which the frames of this one have reached.
    fn begin_segment(&mut self, next: u64) -> Result<()> {
        self.shared.tail.store(next - 1, Ordering::Release);
        self.sync_file()?;
        let Shared { env, folder, .. } = &*self.shared;
        let path = segment::path(folder, next);
        self.file = env.create(&path).map_err(Error::io("create", &path))?;
        env.sync_dir(folder).map_err(Error::io("sync", folder))?;
        self.shared.segments.write().push(next);
        self.segment = next;
        self.offset = 0;
        self.ahead = Preallocation::new(self.options.ahead_bytes, self.options.segment_bytes);
        self.last_mark = 0;
        Ok(())
    }

    fn sync_file(&self) -> Result<u64> {
        let tail = self.shared.tail.load(Ordering::Acquire);
        let path = segment::path(&self.shared.folder, self.segment);
        self.file.sync().map_err(Error::io("sync", &path))?;
        // After the sync, not before it: a promoted follower reads what was written before its fence.
        fence::check(&*self.shared.env, &self.shared.folder)?;
        self.check_place(&path)?;
        self.shared.durable.store(tail, Ordering::Release);
        Ok(tail)
    }

    /// Checks that the next opening of the folder will find what was synced.
    fn check_place(&self, path: &Path) -> Result<()> {
        let Shared { env, folder, .. } = &*self.shared;
        displaced::check(&**env, folder)?;
        let there = env.identity(path).map_err(Error::io("look for", path))?;
        let here = self.file.identity().map_err(Error::io("look at", path))?;
        match there {
            Some(there) if there == here => Ok(()),
            Some(_) => Err(displaced::error(path, "another file is there now")),
            None => Err(displaced::error(path, "it is not there any more")),
        }
    }

    fn mark(&mut self, next: u64) {
        let offset = self.offset + self.buffer.len() as u64;
        if offset - self.last_mark >= MARK_EVERY {
            self.last_mark = offset;
            let place = (self.segment, offset);
            self.shared.marks.write().insert(next, place);
        }
    }

    fn check_poison(&self) -> Result<()> {
        match self.shared.poisoned.get() {
            None => Ok(()),
            Some(reason) => Err(Error::Poisoned {
                reason: reason.clone(),
            }),
        }
    }

    /// After a failed write or sync the content of the disk is unknown: nothing may be appended.
    fn poison_on_error<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result
            && !matches!(error, Error::Superseded { .. })
        {
            let _ = self.shared.poisoned.set(error.to_string());
        }
        result
    }
}
