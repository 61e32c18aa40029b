//! A log that another process writes, as its follower reads it.
//!
//! The follower takes no lock and writes no frame. It may see a frame before the leader has it on
//! disk, and a power cut could take it from the leader alone: so it hands out only what a later
//! frame knows as durable, or what it has synced itself.
//!
//! What was handed out is handed out again until the follower says that it has it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fence::{self, Fence};
use super::judge::{self, Known};
use super::place::Place;
use super::scan::{Scan, Step};
use super::{Frame, displaced, mark, segment};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::identity::StoreId;

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
    /// The first position that the follower has not.
    from: u64,
    place: Place,
    /// Read, and not passed: the last of them are perhaps not on the leader's disk yet.
    frames: VecDeque<Arc<Frame>>,
    /// How many bytes of payload they hold.
    bytes: usize,
    /// The last position that is on the leader's disk for sure.
    durable: u64,
    epoch: u64,
}

impl FollowedLog {
    /// Follows the log in `folder` from the batch that holds position `from` on. Nothing is written:
    /// [`mark`](Self::mark) keeps the log from being cut.
    ///
    /// [`Truncated`](Error::Truncated) if it was already; [`OtherStore`](Error::OtherStore) if it is not
    /// the log that was followed before.
    pub fn open(env: Arc<dyn Env>, folder: &Path, by: &Follower, from: u64) -> Result<FollowedLog> {
        let from = from.max(1);
        displaced::check(&*env, folder)?;
        let store = followed_store(&*env, folder, by.of)?;
        Ok(FollowedLog {
            place: Place::of(&*env, folder, store, from)?,
            env,
            folder: folder.to_owned(),
            by: by.clone(),
            store,
            from,
            frames: VecDeque::new(),
            bytes: 0,
            durable: from - 1,
            epoch: 0,
        })
    }

    /// The store whose log it is.
    pub fn store(&self) -> StoreId {
        self.store
    }

    /// The batches that come next, `max_bytes` of them or a little more; none if there is nothing new.
    /// They come again until they are [passed](Self::pass). What is whole comes before an error does.
    ///
    /// [`Superseded`](Error::Superseded) if another follower took over: what this one read may have
    /// been written after that, and the log that goes on is the other one's.
    pub fn read(&mut self, max_bytes: usize) -> Result<Vec<Arc<Frame>>> {
        displaced::check(&*self.env, &self.folder)?;
        let read = self.read_ahead(max_bytes);
        if self.frames.is_empty() {
            read?;
        } else if self.proven() == 0 {
            self.sync()?;
        }
        match self.fenced()? {
            Some(fence) if fence.by != self.by.id => Err(fence.superseded(&self.folder)),
            _ => Ok(self.frames.iter().take(self.proven()).cloned().collect()),
        }
    }

    /// Lets go of the batches up to `position`: the follower has them.
    pub fn pass(&mut self, position: u64) {
        let count = self
            .frames
            .partition_point(|frame| frame.last() <= position);
        for frame in self.frames.drain(..count) {
            self.bytes -= frame.payload.len();
            self.from = frame.last() + 1;
        }
    }

    /// The last position that anything in the log speaks of, whatever is damaged before it.
    pub fn last_named(&self) -> Result<u64> {
        judge::last_named(&*self.env, &self.folder)
    }

    /// The highest epoch read, of batches and of marks.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Who ended the log in `folder`, if somebody did.
    pub fn fence_of(env: &dyn Env, folder: &Path) -> Result<Option<Fence>> {
        fence::find(env, folder)
    }

    /// Who ended the log, if somebody did.
    pub fn fenced(&self) -> Result<Option<Fence>> {
        fence::find(&*self.env, &self.folder)
    }

    /// Ends the log, durably, unless somebody did before; returns the fence that stands. What its
    /// leader confirmed is then all there to be read, and it confirms nothing more.
    pub fn fence(&mut self, epoch: u64) -> Result<Fence> {
        // What is read now decides what there is: zeros that were room must not be a loss meanwhile.
        self.place.look_anew();
        displaced::check(&*self.env, &self.folder)?;
        let fence = Fence {
            epoch,
            by: self.by.id,
            store: self.store,
            path: self.by.path.clone(),
        };
        fence::raise(&*self.env, &self.folder, &fence)
    }

    /// Takes its own fence down again, durably, if that is the one that stands: it has not taken over.
    /// Only before the follower went on by itself in any way.
    pub fn withdraw(&self) -> Result<()> {
        match self.fenced()? {
            Some(fence) if fence.by == self.by.id => fence::withdraw(&*self.env, &self.folder),
            _ => Ok(()),
        }
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

    /// Reads until there are `max_bytes` that are not passed.
    fn read_ahead(&mut self, max_bytes: usize) -> Result<()> {
        while self.bytes < max_bytes {
            let Some(header) = self.place.step(&*self.env, &self.folder, self.durable)? else {
                break;
            };
            self.durable = self.durable.max(header.durable);
            self.epoch = header.epoch;
            // What is passed over does not count: nothing read must mean that there is nothing more.
            if header.count == 0 || header.next() <= self.from {
                continue;
            }
            let payload = self.place.payload(&self.folder)?;
            self.bytes += payload.len();
            self.frames.push_back(Arc::new(Frame {
                epoch: header.epoch,
                first: header.first,
                count: header.count,
                payload,
            }));
        }
        Ok(())
    }

    /// How many of the frames that were read are on the leader's disk for sure.
    fn proven(&self) -> usize {
        self.frames
            .partition_point(|frame| frame.last() <= self.durable)
    }

    /// Does what the leader is about to do. Earlier segments it synced before it began this one.
    fn sync(&mut self) -> Result<()> {
        let path = segment::path(&self.folder, self.place.segment());
        self.place.sync().map_err(Error::io("sync", &path))?;
        self.durable = self.place.next() - 1;
        Ok(())
    }
}

/// Where the end of a followed log is.
pub struct FollowedTail {
    env: Arc<dyn Env>,
    folder: PathBuf,
    store: StoreId,
    place: Place,
    /// The last position that is on the leader's disk for sure.
    durable: u64,
}

impl FollowedTail {
    /// Looks for the end from position `near` on, behind which all is durable.
    pub fn open(env: Arc<dyn Env>, folder: &Path, near: u64) -> Result<FollowedTail> {
        let near = near.max(1);
        let store = followed_store(&*env, folder, None)?;
        let (place, from) = Self::find(&*env, folder, store, near)?;
        Ok(FollowedTail {
            place,
            durable: from - 1,
            folder: folder.to_owned(),
            store,
            env,
        })
    }

    /// The place of `near`, or of what the log begins with if that was cut off; and which of the two it is.
    fn find(env: &dyn Env, folder: &Path, store: StoreId, mut near: u64) -> Result<(Place, u64)> {
        loop {
            match Place::of(env, folder, store, near) {
                Err(Error::Truncated { start, .. }) if start > near => near = start,
                place => return Ok((place?, near)),
            }
        }
    }

    /// The position of the last record that is written now. What was cut off since the last call is passed over: the
    /// log is cut where the follower has it.
    pub fn position(&mut self) -> Result<u64> {
        loop {
            match self.read_on() {
                Err(Error::Truncated { start, .. }) if start > self.place.next() => {
                    self.begin_at(start)?;
                }
                read => return read.map(|()| self.place.next() - 1),
            }
        }
    }

    fn read_on(&mut self) -> Result<()> {
        let (env, folder) = (&*self.env, &self.folder);
        while let Some(header) = self.place.step(env, folder, self.durable)? {
            self.durable = self.durable.max(header.durable);
        }
        Ok(())
    }

    /// Goes on at `start`, where the log begins by now or began a moment ago.
    fn begin_at(&mut self, start: u64) -> Result<()> {
        let (place, from) = Self::find(&*self.env, &self.folder, self.store, start)?;
        self.place = place;
        self.durable = from - 1;
        Ok(())
    }
}

/// Whose log a follower finds: the one that it followed before, if it did.
pub(super) fn followed_store(env: &dyn Env, folder: &Path, of: Option<StoreId>) -> Result<StoreId> {
    let stores = segment::stores(env, folder)?;
    match (stores.first(), of) {
        (Some(&found), Some(of)) if found != of => Err(segment::other_store(folder, found, of)),
        (Some(&found), _) => Ok(found),
        (None, _) => Err(segment::read_uncut(|| unknown_store(env, folder))?),
    }
}

/// Why a log does not say whose it is: it is damaged, of a later format, or hardly begun.
fn unknown_store(env: &dyn Env, folder: &Path) -> Result<Error> {
    let segments = segment::list(env, folder)?;
    for (index, &first) in segments.iter().enumerate() {
        let path = segment::path(folder, first);
        let file = segment::open(env, folder, first)?;
        let mut scan = Scan::new(Arc::clone(&file), 0, first);
        let step = scan.step().map_err(Error::io("read", &path))?;
        let known = Known {
            successor: segments.get(index + 1).copied(),
            ..Known::default()
        };
        if !matches!(step, Step::Frame { .. })
            && let Err(error) = judge::end(&*file, &path, &scan, step, known)
        {
            return Ok(error);
        }
    }
    let missing = std::io::ErrorKind::NotFound.into();
    let action = "find a log that says whose it is in";
    Ok(Error::io(action, folder)(missing))
}
