//! Reading a file log while it is being written.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::judge::{self, Known};
use super::scan::{MARK_EVERY, Scan, Step};
use super::shared::Shared;
use super::{Frame, segment};
use crate::env::File;
use crate::error::{Error, Result};

/// Iterates over the durable frames from a position, across segments.
pub struct Reader {
    shared: Arc<Shared>,
    /// The first position that the caller wants.
    from: u64,
    /// The segment that is being read.
    open: Option<Segment>,
    has_failed: bool,
}

struct Segment {
    first: u64,
    file: Arc<dyn File>,
    scan: Scan,
    /// Where the last mark was added or found.
    marked: u64,
}

impl Reader {
    pub fn new(shared: Arc<Shared>, from: u64) -> Reader {
        Reader {
            shared,
            from: from.max(1),
            open: None,
            has_failed: false,
        }
    }

    fn read(&mut self) -> Result<Option<Frame>> {
        loop {
            let next = match &self.open {
                Some(segment) => segment.scan.next(),
                None => self.from,
            };
            if next > self.shared.durable.load(Ordering::Acquire) {
                return Ok(None);
            }
            let mut segment = match self.open.take() {
                Some(segment) => segment,
                None => self.open_at(next)?,
            };
            let path = segment::path(&self.shared.folder, segment.first);
            let step = segment.scan.step().map_err(Error::io("read", &path))?;
            let Step::Frame { header, offset } = step else {
                self.open = Some(self.successor(&segment, step, &path)?);
                continue;
            };
            self.mark(&mut segment, header.first, offset);
            let is_wanted = header.count > 0 && header.next() > self.from;
            let payload = match is_wanted {
                true => segment.scan.payload().map_err(Error::io("read", &path))?,
                false => &[],
            };
            let frame = Frame {
                epoch: header.epoch,
                first: header.first,
                count: header.count,
                payload: payload.to_vec(),
            };
            self.open = Some(segment);
            if is_wanted {
                return Ok(Some(frame));
            }
        }
    }

    /// Remembers where a frame begins, for later readers.
    fn mark(&self, segment: &mut Segment, position: u64, offset: u64) {
        if offset - segment.marked >= MARK_EVERY {
            segment.marked = offset;
            let place = (segment.first, offset);
            self.shared.marks.write().insert(position, place);
        }
    }

    /// Opens the segment that holds `position`, at a frame shortly before it.
    fn open_at(&self, position: u64) -> Result<Segment> {
        let first = self.segment_of(position)?;
        let marks = self.shared.marks.read();
        let mark = marks.range(first..=position).next_back();
        let (next, offset) = match mark {
            Some((next, (_, offset))) => (*next, *offset),
            None => (first, 0),
        };
        drop(marks);
        self.open(first, next, offset)
    }

    fn open(&self, first: u64, next: u64, offset: u64) -> Result<Segment> {
        let path = segment::path(&self.shared.folder, first);
        let file = match self.shared.env.open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.truncated(first));
            }
            Err(error) => return Err(Error::io("open", &path)(error)),
        };
        Ok(Segment {
            first,
            scan: Scan::new(Arc::clone(&file), offset, next).of(Some(self.shared.store)),
            file,
            marked: offset,
        })
    }

    /// The first position of the segment that holds `position`.
    fn segment_of(&self, position: u64) -> Result<u64> {
        // One lock only: a second read lock would wait for a writer that waits for the first.
        let segments = self.shared.segments.read();
        match segments.partition_point(|first| *first <= position) {
            0 => Err(Error::Truncated {
                position,
                start: segments[0],
            }),
            after => Ok(segments[after - 1]),
        }
    }

    /// The segment after one without a further frame: it must begin with the next position.
    fn successor(&self, segment: &Segment, step: Step, path: &Path) -> Result<Segment> {
        let next = segment.scan.next();
        let successor = {
            let segments = self.shared.segments.read();
            if next < segments[0] {
                let (position, start) = (next, segments[0]);
                return Err(Error::Truncated { position, start });
            }
            let after = segments.partition_point(|first| *first <= segment.first);
            segments.get(after).copied()
        };
        let durable = self.shared.durable.load(Ordering::Acquire);
        let known = Known { successor, durable };
        judge::end(&*segment.file, path, &segment.scan, step, known)?;
        self.open(next, next, 0)
    }

    fn truncated(&self, position: u64) -> Error {
        let start = self.shared.segments.read()[0];
        Error::Truncated { position, start }
    }
}

impl Iterator for Reader {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Result<Frame>> {
        if self.has_failed {
            return None;
        }
        let result = self.read();
        self.has_failed = result.is_err();
        result.transpose()
    }
}
