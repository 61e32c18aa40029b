//! A position in a log that another process writes.
//!
//! A frame that is being written attempts torn, and a read that overlaps a write may return bytes that no
//! state of the file had. So one look is never enough to call something damaged. But once a segment has
//! a successor its writer has finished it: what is read after the successor was seen is final.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::frame::Header;
use super::judge::{self, End, Known};
use super::scan::{Scan, Step};
use super::{displaced, segment};
use crate::env::{Env, File};
use crate::error::{Error, Result};
use crate::identity::StoreId;

/// How many times, and after what pause, apparent damage is read again.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(2);

/// The position of a reader in a log.
pub struct Place {
    store: StoreId,
    segment: u64,
    file: Arc<dyn File>,
    scan: Scan,
}

/// What the log holds at a position.
enum Found {
    Frame(Header),
    /// The end of this segment: the next one begins with this position.
    Segment(u64),
    /// Nothing yet.
    Nothing,
    /// The segment was removed after its folder was listed: list it again.
    CutOff,
}

impl Place {
    /// The beginning of the segment that holds `position`, or will hold it.
    pub fn of(env: &dyn Env, folder: &Path, store: StoreId, position: u64) -> Result<Place> {
        segment::read_uncut(|| Place::find(env, folder, store, position))
    }

    fn find(env: &dyn Env, folder: &Path, store: StoreId, position: u64) -> Result<Place> {
        let segments = segment::list(env, folder)?;
        let Some(&start) = segments.first() else {
            let missing = io::ErrorKind::NotFound.into();
            return Err(Error::io("find a log in", folder)(missing));
        };
        match segments.partition_point(|first| *first <= position) {
            0 => Err(Error::Truncated { position, start }),
            after => Place::open(env, folder, store, segments[after - 1]),
        }
    }

    fn open(env: &dyn Env, folder: &Path, store: StoreId, first: u64) -> Result<Place> {
        let path = segment::path(folder, first);
        let file = segment::open(env, folder, first)?;
        let found = segment::store(&*file).map_err(Error::io("read", &path))?;
        if let Some(found) = found
            && found != store
        {
            return Err(segment::other_store(&path, found, store));
        }
        Ok(Place {
            store,
            segment: first,
            scan: Scan::new(Arc::clone(&file), 0, first).of(Some(store)),
            file,
        })
    }

    /// The position that the segment begins with.
    pub fn segment(&self) -> u64 {
        self.segment
    }

    /// The position of the next frame.
    pub fn next(&self) -> u64 {
        self.scan.next()
    }

    /// The epoch of the last frame.
    pub fn epoch(&self) -> u64 {
        self.scan.epoch()
    }

    /// Makes durable what was read of the segment.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    /// Reads zeros again that were taken for preallocated ones.
    pub fn forget_blank(&mut self) {
        self.scan.forget_blank();
    }

    /// The next frame's header; `None` if it is not written yet. Everything up to `durable` is durable:
    /// if the log ends before that, something is lost.
    pub fn step(&mut self, env: &dyn Env, folder: &Path, durable: u64) -> Result<Option<Header>> {
        let mut attempts = 0;
        loop {
            match self.look(env, folder, durable) {
                Ok(Found::Frame(header)) => return Ok(Some(header)),
                Ok(Found::Segment(next)) => *self = Place::open(env, folder, self.store, next)?,
                Ok(Found::Nothing) => return Ok(None),
                Ok(Found::CutOff) => {}
                Err(Error::Corruption { .. }) if attempts < ATTEMPTS => {
                    attempts += 1;
                    thread::sleep(PAUSE);
                    self.forget_blank();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The payload of the frame that the last step gave.
    pub fn payload(&mut self, folder: &Path) -> Result<Vec<u8>> {
        let path = segment::path(folder, self.segment);
        let payload = self.scan.payload().map_err(Error::io("read", &path))?;
        Ok(payload.to_vec())
    }

    fn look(&mut self, env: &dyn Env, folder: &Path, durable: u64) -> Result<Found> {
        let path = segment::path(folder, self.segment);
        let mut step = self.scan.step().map_err(Error::io("read", &path))?;
        if let Step::Frame { header, .. } = step {
            return Ok(Found::Frame(header));
        }
        let segments = segment::list(env, folder)?;
        let after = segments.partition_point(|first| *first <= self.segment);
        let successor = segments.get(after).copied();
        if successor.is_some() {
            self.forget_blank();
            step = self.scan.step().map_err(Error::io("read", &path))?;
            if let Step::Frame { header, .. } = step {
                return Ok(Found::Frame(header));
            }
        }
        let next = self.scan.next();
        let is_cut_off = !segments.contains(&self.segment);
        if let Some(start) = successor
            && is_cut_off
            && start > next
        {
            return Err(Error::Truncated {
                position: next,
                start,
            });
        }
        let known = Known { successor, durable };
        match (
            judge::end(&*self.file, &path, &self.scan, step, known)?,
            successor,
        ) {
            (End::Clean, Some(successor)) => Ok(Found::Segment(successor)),
            _ => self.nothing_more(env, folder, &path),
        }
    }

    /// Checks at the end of the log that the leader still writes the file that is read here, or began another one.
    fn nothing_more(&self, env: &dyn Env, folder: &Path, path: &Path) -> Result<Found> {
        let there = env.identity(path).map_err(Error::io("look for", path))?;
        let here = self.file.identity().map_err(Error::io("look at", path))?;
        match there {
            Some(there) if there == here => Ok(Found::Nothing),
            Some(_) => Err(displaced::error(path, "another file is there now")),
            None => match segment::list(env, folder)?.first() {
                Some(&start) if start > self.segment => Ok(Found::CutOff),
                _ => Err(displaced::error(path, "it is not there any more")),
            },
        }
    }
}
