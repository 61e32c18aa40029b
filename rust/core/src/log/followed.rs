//! A log that another process writes, as its follower reads it.
//!
//! The follower takes no lock and writes no frame. It may see a frame before the leader has it on
//! disk, and a power cut could take it from the leader alone: so it hands out only what a later
//! frame knows as durable, or what it has synced itself.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::fence::{self, Fence};
use super::frame::Header;
use super::recovery::{corruption, is_damage, unknown_format};
use super::scan::{Scan, Step};
use super::{Frame, displaced, mark, segment};
use crate::env::{Env, File};
use crate::error::{Error, Result};
use crate::identity::StoreId;

/// How often, and after how many milliseconds, what looks like damage is looked at again: the leader
/// may have been writing there.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// Who follows a log.
#[derive(Clone, Debug)]
pub struct Follower {
    /// Its own id: what tells it from every other one, wherever their folders are.
    pub id: StoreId,
    /// Where its folder is, for messages.
    pub path: PathBuf,
    /// The store whose log it has followed so far; none if it begins.
    pub of: Option<StoreId>,
}

/// One follower's view of a log.
pub struct FollowedLog {
    env: Arc<dyn Env>,
    folder: PathBuf,
    by: Follower,
    store: StoreId,
    /// The first position that is wanted.
    from: u64,
    place: Place,
    /// Read, and perhaps not on the leader's disk yet.
    unproven: VecDeque<Frame>,
    known_durable: u64,
    epoch: u64,
}

impl FollowedLog {
    /// Follows the log in `folder` from the batch that holds position `from` on, and leaves a mark
    /// there, so that the log is not cut behind it.
    ///
    /// [`Truncated`](Error::Truncated) if it was already; [`OtherStore`](Error::OtherStore) if it is not
    /// the log that was followed before.
    pub fn open(env: Arc<dyn Env>, folder: &Path, by: &Follower, from: u64) -> Result<FollowedLog> {
        let from = from.max(1);
        displaced::check(&*env, folder)?;
        let store = followed_store(&*env, folder, by.of)?;
        let place = Place::of(&*env, folder, store, from)?;
        mark::put(&*env, folder, by.id, store, from - 1)?;
        Ok(FollowedLog {
            env,
            folder: folder.to_owned(),
            by: by.clone(),
            store,
            from,
            place,
            unproven: VecDeque::new(),
            known_durable: 0,
            epoch: 0,
        })
    }

    /// The store whose log it is.
    pub fn store(&self) -> StoreId {
        self.store
    }

    /// The next batches, `max_bytes` of them or a little more; none if there is nothing new.
    ///
    /// [`Superseded`](Error::Superseded) if another follower took over: what this one read may have
    /// been written after that, and the log that goes on is the other one's.
    pub fn read(&mut self, max_bytes: usize) -> Result<Vec<Frame>> {
        displaced::check(&*self.env, &self.folder)?;
        let mut bytes: usize = self.unproven.iter().map(|frame| frame.payload.len()).sum();
        while bytes < max_bytes {
            let Some(frame) = self.next()? else { break };
            // What is passed over does not count: nothing read must mean that there is nothing more.
            if frame.count > 0 && frame.last() >= self.from {
                bytes += frame.payload.len();
                self.unproven.push_back(frame);
            }
        }
        if !self.unproven.is_empty() && self.proven() == 0 {
            self.sync()?;
        }
        match self.fenced()? {
            Some(fence) if fence.by != self.by.id => Err(fence.superseded(&self.folder)),
            _ => Ok(self.unproven.drain(..self.proven()).collect()),
        }
    }

    /// The highest epoch read, of batches and of marks.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Who ended the log, if somebody did.
    pub fn fenced(&self) -> Result<Option<Fence>> {
        fence::find(&*self.env, &self.folder)
    }

    /// Ends the log, durably, unless somebody did before; returns the fence that stands. What its
    /// leader confirmed is then all there to be read, and it confirms nothing more.
    pub fn fence(&mut self, epoch: u64) -> Result<Fence> {
        // What is read now decides what there is: zeros that were room must not be a loss meanwhile.
        self.place.scan.forget_blank();
        displaced::check(&*self.env, &self.folder)?;
        let fence = Fence {
            epoch,
            by: self.by.id,
            store: self.store,
            path: self.by.path.clone(),
        };
        fence::raise(&*self.env, &self.folder, &fence)
    }

    /// Lets the log be cut up to `position`.
    pub fn mark(&self, position: u64) -> Result<()> {
        displaced::check(&*self.env, &self.folder)?;
        mark::put(&*self.env, &self.folder, self.by.id, self.store, position)
    }

    /// Lets the log be cut: this follower does not come back.
    pub fn forget(&self) -> Result<()> {
        mark::remove(&*self.env, &self.folder, self.by.id)
    }

    fn next(&mut self) -> Result<Option<Frame>> {
        let Some(header) = self.place.step(&*self.env, &self.folder)? else {
            return Ok(None);
        };
        self.known_durable = self.known_durable.max(header.durable);
        self.epoch = header.epoch;
        Ok(Some(Frame {
            epoch: header.epoch,
            first: header.first,
            count: header.count,
            payload: self.place.payload(&self.folder)?,
        }))
    }

    /// How many of the frames that were read are on the leader's disk for sure.
    fn proven(&self) -> usize {
        let is_proven = |frame: &&Frame| frame.last() <= self.known_durable;
        self.unproven.iter().take_while(is_proven).count()
    }

    /// Does what the leader is about to do. Earlier segments it synced before it began this one.
    fn sync(&mut self) -> Result<()> {
        let path = segment::path(&self.folder, self.place.segment);
        self.place.file.sync().map_err(Error::io("sync", &path))?;
        self.known_durable = self.place.scan.next() - 1;
        Ok(())
    }
}

/// Where the end of a followed log is.
pub struct FollowedTail {
    env: Arc<dyn Env>,
    folder: PathBuf,
    place: Place,
}

impl FollowedTail {
    /// Looks for the end from the segment on that holds position `near`.
    pub fn open(env: Arc<dyn Env>, folder: &Path, near: u64) -> Result<FollowedTail> {
        Ok(FollowedTail {
            place: Place::of(
                &*env,
                folder,
                followed_store(&*env, folder, None)?,
                near.max(1),
            )?,
            folder: folder.to_owned(),
            env,
        })
    }

    /// The position of the last record that is written now.
    pub fn position(&mut self) -> Result<u64> {
        while self.place.step(&*self.env, &self.folder)?.is_some() {}
        Ok(self.place.scan.next() - 1)
    }
}

/// Whose log a follower finds: the one that it followed before, if it did.
fn followed_store(env: &dyn Env, folder: &Path, of: Option<StoreId>) -> Result<StoreId> {
    let stores = segment::stores(env, folder)?;
    match (stores.first(), of) {
        (Some(&found), Some(of)) if found != of => Err(segment::other_store(folder, found, of)),
        (Some(&found), _) => Ok(found),
        (None, _) => Err(unknown_store(env, folder)?),
    }
}

/// Why a log does not say whose it is: it is damaged, of a later format, or hardly begun.
fn unknown_store(env: &dyn Env, folder: &Path) -> Result<Error> {
    for first in segment::list(env, folder)? {
        let path = segment::path(folder, first);
        let file = env.open(&path).map_err(Error::io("open", &path))?;
        let mut scan = Scan::new(Arc::clone(&file), 0, first);
        match scan.step().map_err(Error::io("read", &path))? {
            Step::Unknown(version) => return Ok(unknown_format(&path, version)),
            Step::Defect(defect) if !defect.is_torn => return Ok(corruption(&path, &defect)),
            _ => {}
        }
    }
    let missing = std::io::ErrorKind::NotFound.into();
    let action = "find a log that says whose it is in";
    Ok(Error::io(action, folder)(missing))
}

/// Where in a log a walk is.
struct Place {
    store: StoreId,
    segment: u64,
    file: Arc<dyn File>,
    scan: Scan,
}

impl Place {
    /// The beginning of the segment that holds `position`, or will.
    fn of(env: &dyn Env, folder: &Path, store: StoreId, position: u64) -> Result<Place> {
        let segments = segment::list(env, folder)?;
        let after = segments.partition_point(|first| *first <= position);
        match (after.checked_sub(1), segments.first()) {
            (Some(at), _) => Place::open(env, folder, store, segments[at]),
            (None, Some(&start)) => Err(Error::Truncated { position, start }),
            (None, None) => {
                let missing = std::io::ErrorKind::NotFound.into();
                Err(Error::io("find a log in", folder)(missing))
            }
        }
    }

    fn open(env: &dyn Env, folder: &Path, store: StoreId, first: u64) -> Result<Place> {
        let path = segment::path(folder, first);
        let file = env.open(&path).map_err(Error::io("open", &path))?;
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

    /// The next frame's header; `None` where nothing more is written yet.
    fn step(&mut self, env: &dyn Env, folder: &Path) -> Result<Option<Header>> {
        loop {
            let path = segment::path(folder, self.segment);
            match self.look(&path)? {
                Step::Frame { header, .. } => return Ok(Some(header)),
                Step::End => match self.successor(env, folder)? {
                    Some(successor) => *self = successor,
                    None => return Ok(None),
                },
                Step::Defect(defect) if defect.is_torn => return Ok(None),
                Step::Defect(defect) => return Err(corruption(&path, &defect)),
                Step::Unknown(version) => return Err(unknown_format(&path, version)),
            }
        }
    }

    /// What stands at this place, when it has stood there for a while: a defect that is still torn is
    /// being written, or was when its leader ended.
    fn look(&mut self, path: &Path) -> Result<Step> {
        let failed = || Error::io("read", path);
        let mut looks = 0;
        loop {
            let mut step = self.scan.step().map_err(failed())?;
            if let Step::Defect(defect) = &mut step {
                defect.is_torn = !is_damage(&*self.file, defect).map_err(failed())?;
            }
            match &step {
                Step::Defect(defect) if !defect.is_torn && looks < LOOKS => {
                    thread::sleep(BETWEEN_LOOKS);
                    looks += 1;
                }
                _ => return Ok(step),
            }
        }
    }

    fn payload(&mut self, folder: &Path) -> Result<Vec<u8>> {
        let path = segment::path(folder, self.segment);
        let payload = self.scan.payload().map_err(Error::io("read", &path))?;
        Ok(payload.to_vec())
    }

    /// The segment after one that ends, if it was begun.
    fn successor(&self, env: &dyn Env, folder: &Path) -> Result<Option<Place>> {
        let next = self.scan.next();
        let segments = segment::list(env, folder)?;
        if next > self.segment && segments.binary_search(&next).is_ok() {
            return Place::open(env, folder, self.store, next).map(Some);
        }
        match segments.first() {
            Some(&start) if start > next => Err(Error::Truncated {
                position: next,
                start,
            }),
            _ => self.check_file(env, folder),
        }
    }

    /// Nothing follows: the leader must still write the file that is read here.
    fn check_file(&self, env: &dyn Env, folder: &Path) -> Result<Option<Place>> {
        let path = segment::path(folder, self.segment);
        let there = env.identity(&path).map_err(Error::io("look for", &path))?;
        let here = self.file.identity().map_err(Error::io("look at", &path))?;
        match there {
            Some(there) if there == here => Ok(None),
            Some(_) => Err(displaced::error(&path, "another file is there now")),
            None => Err(displaced::error(&path, "it is not there any more")),
        }
    }
}
