//! Reading a file log while it is being written.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::file::Shared;
use super::recovery::{corruption, unknown_format};
use super::scan::{Defect, Scan, Step};
use super::writer::MARK_EVERY;
use super::{Frame, segment};
use crate::error::{Error, Result};

/// The durable frames from a position on, over segments.
pub struct Reader {
    shared: Arc<Shared>,
    /// The first position that is wanted.
    from: u64,
    /// The segment that is being read.
    open: Option<Segment>,
    has_failed: bool,
}

struct Segment {
    first: u64,
    scan: Scan,
    /// Where the last mark was left or found.
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
            let found = self.step(&mut segment)?;
            let is_at_end = found.is_none();
            let frame = found.filter(|frame| frame.count > 0 && frame.last() >= self.from);
            if is_at_end {
                self.open = Some(self.successor(&segment)?);
            } else {
                self.open = Some(segment);
            }
            if frame.is_some() {
                return Ok(frame);
            }
        }
    }

    /// The next frame of a segment; `None` at its end.
    fn step(&self, segment: &mut Segment) -> Result<Option<Frame>> {
        let path = segment::path(&self.shared.folder, segment.first);
        match segment.scan.step().map_err(Error::io("read", &path))? {
            Step::Frame { header, offset } => {
                if offset - segment.marked >= MARK_EVERY {
                    segment.marked = offset;
                    let place = (segment.first, offset);
                    self.shared.marks.write().insert(header.first, place);
                }
                let payload = segment.scan.payload().map_err(Error::io("read", &path))?;
                Ok(Some(Frame {
                    epoch: header.epoch,
                    first: header.first,
                    count: header.count,
                    payload: payload.to_vec(),
                }))
            }
            Step::End => Ok(None),
            Step::Defect(defect) => Err(corruption(&path, &defect)),
            Step::Unknown(version) => Err(unknown_format(&path, version)),
        }
    }

    /// Opens the segment that holds `position`, at a frame not far before it.
    fn open_at(&self, position: u64) -> Result<Segment> {
        let segments = self.shared.segments.read();
        let index = segments.partition_point(|first| *first <= position);
        let Some(&first) = index.checked_sub(1).and_then(|at| segments.get(at)) else {
            return Err(self.truncated(position));
        };
        drop(segments);
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
        let scan = Scan::new(file, offset, next).of(Some(self.shared.store));
        Ok(Segment {
            first,
            scan,
            marked: offset,
        })
    }

    /// The segment after one that ends: it must begin with the next position.
    fn successor(&self, segment: &Segment) -> Result<Segment> {
        let next = segment.scan.next();
        let segments = self.shared.segments.read().clone();
        if next < segments[0] {
            return Err(self.truncated(next));
        }
        let has_successor = segments.binary_search(&next).is_ok();
        if has_successor && next > segment.first {
            return self.open(next, next, 0);
        }
        let defect = Defect {
            offset: segment.scan.offset(),
            position: next,
            reason: "the segment ends before its last position",
            is_torn: false,
        };
        let path = segment::path(&self.shared.folder, segment.first);
        Err(corruption(&path, &defect))
    }

    fn truncated(&self, position: u64) -> Error {
        Error::Truncated {
            position,
            start: self.shared.segments.read()[0],
        }
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
