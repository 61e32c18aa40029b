//! Checking and printing a log, whether another process has it open or not.

use std::collections::VecDeque;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::judge::{self, End, Known};
use super::recovery::Recovered;
use super::scan::{Scan, Step};
use super::{Frame, segment};
use crate::env::{Env, File};
use crate::error::{Error, Result};
use crate::identity::StoreId;
use crate::record::{Json, turns};

/// How many segments are opened ahead. A leader keeps fewer of them for its followers: see
/// [`LogOptions`](super::LogOptions::segments_for_followers).
const OPENED_AHEAD: usize = 32;

/// The result of checking a whole log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub segments: u64,
    pub batches: u64,
    pub records: u64,
    /// The length of the segments, without a torn tail and preallocated zeros.
    pub bytes: u64,
    /// The first position that the log holds, or will hold if it is empty.
    pub first: u64,
    /// The last position.
    pub last: u64,
    pub epoch: u64,
    /// The store whose log it is; `None` if no frame names it.
    pub store: Option<StoreId>,
    /// What the next opening will cut off.
    pub torn: Option<Recovered>,
}

/// Reads the whole log, checks every frame and decodes every record.
///
/// [`Corruption`](Error::Corruption) names the first place that is damaged.
pub fn verify(env: &dyn Env, folder: &Path) -> Result<Report> {
    segment::read_uncut(|| check_all(env, folder))
}

fn check_all(env: &dyn Env, folder: &Path) -> Result<Report> {
    let mut frames = FrameReader::new(env, folder, 1)?;
    let mut report = Report {
        segments: frames.segments.len() as u64,
        first: frames.first(),
        ..Report::default()
    };
    report.last = report.first - 1;
    while let Some((frame, offset)) = frames.next()? {
        check_records(&frame).map_err(|reason| Error::Corruption {
            path: frames.path(),
            offset,
            position: frame.first,
            reason,
        })?;
        report.batches += u64::from(frame.count > 0);
        report.records += u64::from(frame.count);
        report.last = frame.last();
        report.epoch = frame.epoch;
    }
    report.bytes = frames.bytes;
    report.store = frames.store;
    report.torn = frames.torn;
    Ok(report)
}

/// The batch that holds `position`; none where the log was cut off behind it, or ends before.
pub fn batch_that_holds(env: &dyn Env, folder: &Path, position: u64) -> Result<Option<Frame>> {
    segment::read_uncut(|| {
        let mut frames = FrameReader::new(env, folder, position)?;
        while let Some((frame, _)) = frames.next()? {
            if frame.count > 0 && frame.last() >= position {
                return Ok(Some(frame).filter(|frame| frame.first <= position));
            }
        }
        Ok(None)
    })
}

/// The records from position `from` on, each as a line of JSON.
///
/// The iterator yields [`Truncated`](Error::Truncated) if the log was truncated after the first record was read.
pub fn dump<'e>(env: &'e dyn Env, folder: &Path, from: u64) -> Result<Dump<'e>> {
    Ok(Dump {
        frames: FrameReader::new(env, folder, from)?,
        from,
        lines: VecDeque::new(),
        has_begun: false,
        has_failed: false,
    })
}

/// The same for a folder that stays open as long as the iterator exists.
pub fn dump_of(env: Arc<dyn Env>, folder: &Path, from: u64) -> Result<Dump<'static>> {
    Ok(Dump {
        frames: FrameReader::from(Files::Own(env), folder, from)?,
        from,
        lines: VecDeque::new(),
        has_begun: false,
        has_failed: false,
    })
}

/// Lines of JSON, one a record. After an error it yields nothing more.
pub struct Dump<'e> {
    frames: FrameReader<'e>,
    from: u64,
    lines: VecDeque<String>,
    has_begun: bool,
    has_failed: bool,
}

impl Iterator for Dump<'_> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Result<String>> {
        while self.lines.is_empty() && !self.has_failed {
            match self.next_frame() {
                Ok(None) => return None,
                Ok(Some(frame)) => self.show(&frame),
                Err(error) => {
                    self.has_failed = true;
                    return Some(Err(error));
                }
            }
        }
        self.lines.pop_front().map(Ok)
    }
}

impl Dump<'_> {
    fn next_frame(&mut self) -> Result<Option<Frame>> {
        loop {
            match self.frames.next() {
                Err(Error::Truncated { .. }) if !self.has_begun => self.frames.begin(self.from)?,
                next => {
                    self.has_begun |= matches!(next, Ok(Some(_)));
                    return next.map(|next| next.map(|(frame, _)| frame));
                }
            }
        }
    }

    /// Adds a frame's lines. At the first record that this version cannot read it adds a line that says so, and stops.
    fn show(&mut self, frame: &Frame) {
        let mut position = frame.first;
        for turn in turns(&frame.payload) {
            match turn {
                Ok(turn) => {
                    let lines = turn.lines(frame.epoch, position);
                    let before = self.from.saturating_sub(position) as usize;
                    position += lines.len() as u64;
                    self.lines.extend(lines.into_iter().skip(before));
                }
                Err(error) => self.lines.push_back(unreadable(position, &error)),
            }
        }
    }
}

fn unreadable(position: u64, error: &Error) -> String {
    let reason = error.to_string();
    let mut json = Json::default();
    json.object(|json| {
        json.field("position", &position);
        json.field("unreadable", &reason.as_str());
    });
    json.take()
}

/// What is wrong with a frame's records, if anything.
fn check_records(frame: &Frame) -> Result<(), String> {
    let mut records = 0;
    for turn in turns(&frame.payload) {
        records += turn.map_err(|error| error.to_string())?.records.len();
    }
    if records == frame.count as usize {
        return Ok(());
    }
    let count = frame.count;
    Err(format!(
        "the batch holds {records} records, and its header says {count}"
    ))
}

/// The files of a log, borrowed or owned.
enum Files<'e> {
    Lent(&'e dyn Env),
    Own(Arc<dyn Env>),
}

impl<'e> Deref for Files<'e> {
    type Target = dyn Env + 'e;

    fn deref(&self) -> &Self::Target {
        match self {
            Files::Lent(env) => *env,
            Files::Own(env) => &**env,
        }
    }
}

/// Iterates over the frames of all segments, marks included.
pub(super) struct FrameReader<'e> {
    env: Files<'e>,
    folder: PathBuf,
    segments: Vec<u64>,
    /// The index of the segment that is being read.
    index: usize,
    /// That segment and the next ones: an open file stays readable when the log is truncated.
    files: VecDeque<Arc<dyn File>>,
    store: Option<StoreId>,
    scan: Option<Scan>,
    bytes: u64,
    torn: Option<Recovered>,
}

impl<'e> FrameReader<'e> {
    /// Starts at the segment that holds `from`.
    pub fn new(env: &'e dyn Env, folder: &Path, from: u64) -> Result<FrameReader<'e>> {
        FrameReader::from(Files::Lent(env), folder, from)
    }

    fn from(env: Files<'e>, folder: &Path, from: u64) -> Result<FrameReader<'e>> {
        let mut frames = FrameReader {
            env,
            folder: folder.to_owned(),
            segments: Vec::new(),
            index: 0,
            files: VecDeque::new(),
            store: None,
            scan: None,
            bytes: 0,
            torn: None,
        };
        frames.begin(from)?;
        Ok(frames)
    }

    /// Lists the segments, and begins with the one that holds `from`.
    fn begin(&mut self, from: u64) -> Result<()> {
        segment::read_uncut(|| {
            self.segments = segment::list(&*self.env, &self.folder)?;
            let after = self.segments.partition_point(|first| *first <= from);
            self.index = after.saturating_sub(1);
            self.files.clear();
            self.scan = None;
            self.open_ahead()
        })
    }

    fn open_ahead(&mut self) -> Result<()> {
        let rest = &self.segments[self.index..];
        for &first in rest.iter().take(OPENED_AHEAD).skip(self.files.len()) {
            let file = segment::open(&*self.env, &self.folder, first)?;
            self.files.push_back(file);
        }
        Ok(())
    }

    /// Reads the log of `store`, if that is given; [`OtherStore`](Error::OtherStore) if it is another store's.
    pub fn of(env: &'e dyn Env, folder: &Path, store: Option<StoreId>) -> Result<FrameReader<'e>> {
        segment::check_store(env, folder, store)?;
        let mut frames = FrameReader::new(env, folder, 1)?;
        frames.store = store;
        Ok(frames)
    }

    /// The position that the log begins with.
    pub fn first(&self) -> u64 {
        self.segments.first().copied().unwrap_or(1)
    }

    fn path(&self) -> PathBuf {
        segment::path(&self.folder, self.segments[self.index])
    }

    /// The next frame, and its offset in its segment.
    pub fn next(&mut self) -> Result<Option<(Frame, u64)>> {
        while self.index < self.segments.len() && self.torn.is_none() {
            let path = self.path();
            let mut scan = match self.scan.take() {
                Some(scan) => scan,
                None => self.scan(),
            };
            match scan.step().map_err(Error::io("read", &path))? {
                Step::Frame { header, offset } => {
                    let payload = scan.payload().map_err(Error::io("read", &path))?;
                    let frame = Frame {
                        epoch: header.epoch,
                        first: header.first,
                        count: header.count,
                        payload: payload.to_vec(),
                    };
                    self.store = Some(header.store);
                    self.scan = Some(scan);
                    return Ok(Some((frame, offset)));
                }
                step => self.end(&scan, step, &path)?,
            }
        }
        Ok(None)
    }

    fn scan(&self) -> Scan {
        let file = Arc::clone(&self.files[0]);
        Scan::new(file, 0, self.segments[self.index]).of(self.store)
    }

    /// Continues with the next segment, if this one ends as it should.
    fn end(&mut self, scan: &Scan, step: Step, path: &Path) -> Result<()> {
        let file = Arc::clone(&self.files[0]);
        let known = Known {
            successor: self.segments.get(self.index + 1).copied(),
            ..Known::default()
        };
        let end = judge::end(&*file, path, scan, step, known)?;
        self.bytes += scan.offset();
        match end {
            End::Clean => {
                self.index += 1;
                self.files.pop_front();
                self.open_ahead()?;
            }
            End::Torn(defect) => self.torn = Some(Recovered::at(&*file, path, &defect)?),
        }
        Ok(())
    }
}
