//! Reading a log that nobody has open, or that somebody else has: for checking and for showing it.

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

/// How many segments are opened ahead. A leader keeps fewer for its followers: see
/// [`LogOptions`](super::LogOptions::segments_for_followers).
const OPENED_AHEAD: usize = 32;

/// What a check of a whole log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub segments: u64,
    pub batches: u64,
    pub records: u64,
    /// The length of the segments, without a torn tail and room behind the frames.
    pub bytes: u64,
    /// The first position that the log holds, or would hold if it is empty.
    pub first: u64,
    /// The last position.
    pub last: u64,
    pub epoch: u64,
    /// Whose log it is; none where nothing says so.
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
    let mut walk = Walk::new(env, folder, 1)?;
    let mut report = Report {
        segments: walk.segments.len() as u64,
        first: walk.first(),
        ..Report::default()
    };
    report.last = report.first - 1;
    while let Some((frame, offset)) = walk.next()? {
        check_records(&frame).map_err(|reason| Error::Corruption {
            path: walk.path(),
            offset,
            position: frame.first,
            reason,
        })?;
        report.batches += u64::from(frame.count > 0);
        report.records += u64::from(frame.count);
        report.last = frame.last();
        report.epoch = frame.epoch;
    }
    report.bytes = walk.bytes;
    report.store = walk.store;
    report.torn = walk.torn;
    Ok(report)
}

/// The records from position `from` on, each as a line of JSON.
///
/// [`Truncated`](Error::Truncated) comes in their place where the log was cut since the first of them was read.
pub fn dump<'e>(env: &'e dyn Env, folder: &Path, from: u64) -> Result<Dump<'e>> {
    Ok(Dump {
        walk: Walk::new(env, folder, from)?,
        from,
        lines: VecDeque::new(),
        has_begun: false,
        has_failed: false,
    })
}

/// The same, of a folder that is kept open for as long as the lines are read.
pub fn dump_of(env: Arc<dyn Env>, folder: &Path, from: u64) -> Result<Dump<'static>> {
    Ok(Dump {
        walk: Walk::from(Files::Own(env), folder, from)?,
        from,
        lines: VecDeque::new(),
        has_begun: false,
        has_failed: false,
    })
}

/// Lines of JSON, one a record. After an error it yields nothing more.
pub struct Dump<'e> {
    walk: Walk<'e>,
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
            match self.walk.next() {
                Err(Error::Truncated { .. }) if !self.has_begun => self.walk.begin(self.from)?,
                next => {
                    self.has_begun |= matches!(next, Ok(Some(_)));
                    return next.map(|next| next.map(|(frame, _)| frame));
                }
            }
        }
    }

    /// Adds a frame's lines, up to a record that this version cannot read, of which it says so.
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

/// What is wrong with a frame's records, if something is.
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

/// The files of a log, somebody else's or one's own.
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

/// A walk over the frames of all segments, marks too.
pub(super) struct Walk<'e> {
    env: Files<'e>,
    folder: PathBuf,
    segments: Vec<u64>,
    /// Which of the segments is being read.
    index: usize,
    /// That one and those that come next: what is open is not lost when the log is cut.
    files: VecDeque<Arc<dyn File>>,
    store: Option<StoreId>,
    scan: Option<Scan>,
    bytes: u64,
    torn: Option<Recovered>,
}

impl<'e> Walk<'e> {
    /// A walk from the segment that holds `from`.
    pub fn new(env: &'e dyn Env, folder: &Path, from: u64) -> Result<Walk<'e>> {
        Walk::from(Files::Lent(env), folder, from)
    }

    fn from(env: Files<'e>, folder: &Path, from: u64) -> Result<Walk<'e>> {
        let mut walk = Walk {
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
        walk.begin(from)?;
        Ok(walk)
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

    /// A walk over the log of `store`, if that is known. [`OtherStore`](Error::OtherStore) where it is another's.
    pub fn of(env: &'e dyn Env, folder: &Path, store: Option<StoreId>) -> Result<Walk<'e>> {
        segment::check_store(env, folder, store)?;
        let mut walk = Walk::new(env, folder, 1)?;
        walk.store = store;
        Ok(walk)
    }

    /// The position that the log begins with.
    pub fn first(&self) -> u64 {
        self.segments.first().copied().unwrap_or(1)
    }

    fn path(&self) -> PathBuf {
        segment::path(&self.folder, self.segments[self.index])
    }

    /// The next frame, and where in its segment it begins.
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

    /// Goes on to the next segment, where this one ends as it should.
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
