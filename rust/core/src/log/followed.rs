//! A log that another process writes, as its follower reads it.
//!
//! The follower takes no lock and writes no frame. It may see a frame before the leader has synced it,
//! and a power cut could remove it from the leader alone. So it returns only frames that a later frame
//! names as durable, or that it synced itself.
//!
//! Frames are returned again until the follower has passed them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fence::{self, Fence};
use super::judge::{self, Known};
use super::place::Place;
use super::scan::{Scan, Step};
use super::{Frame, displaced, follower_position, segment};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::identity::StoreId;

/// Who follows a log.
#[derive(Clone, Debug)]
pub struct Follower {
    /// Its own id, which identifies it wherever its folder is.
    pub id: StoreId,
    /// Its folder, for messages.
    pub path: PathBuf,
    /// The store whose log it has followed so far; `None` for a new follower.
    pub of: Option<StoreId>,
}

/// One follower's view of a log.
pub struct FollowedLog {
    env: Arc<dyn Env>,
    folder: PathBuf,
    by: Follower,
    store: StoreId,
    /// The first position that the follower does not have.
    from: u64,
    place: Place,
    /// Read and not passed; the last of them may not be on the leader's disk yet.
    frames: VecDeque<Arc<Frame>>,
    /// How many bytes of payload they hold.
    bytes: usize,
    /// The last position that is certainly on the leader's disk.
    durable: u64,
    epoch: u64,
}

impl FollowedLog {
    /// Follows the log in `folder` from the batch that holds position `from`. Nothing is written;
    /// [`mark`](Self::mark) keeps the log from being truncated.
    ///
    /// [`Truncated`](Error::Truncated) if `from` was cut off already; [`OtherStore`](Error::OtherStore) if it
    /// is not the log that was followed before.
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

    /// The next batches, about `max_bytes` of them; none if there is nothing new. They are returned again
    /// until they are [passed](Self::pass). Intact batches are returned before an error is.
    ///
    /// [`Superseded`](Error::Superseded) if another follower took over: what was read here may have been
    /// written after that, and the log continues in that follower's folder.
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

    /// The first position that the follower does not have.
    pub fn next(&self) -> u64 {
        self.from
    }

    /// Drops the batches up to `position`: the follower has them.
    pub fn pass(&mut self, position: u64) {
        let count = self
            .frames
            .partition_point(|frame| frame.last() <= position);
        for frame in self.frames.drain(..count) {
            self.bytes -= frame.payload.len();
            self.from = frame.last() + 1;
        }
    }

    /// The last position that any readable header in the log names, whatever is damaged before it.
    pub fn last_named(&self) -> Result<u64> {
        judge::last_named(&*self.env, &self.folder)
    }

    /// The highest epoch read, of batches and of marks.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The fence of the log in `folder`, if it has one.
    pub fn fence_of(env: &dyn Env, folder: &Path) -> Result<Option<Fence>> {
        fence::find(env, folder)
    }

    /// The fence of the log, if it has one.
    pub fn fenced(&self) -> Result<Option<Fence>> {
        fence::find(&*self.env, &self.folder)
    }

    /// Creates a fence durably, unless the log has one; returns the fence that it has then. All that its
    /// leader confirmed can then be read, and it confirms nothing more.
    pub fn fence(&mut self, epoch: u64) -> Result<Fence> {
        // This read decides what the log contains. What was a preallocated zero at the last read may be a frame now.
        self.place.forget_blank();
        displaced::check(&*self.env, &self.folder)?;
        let fence = Fence {
            epoch,
            by: self.by.id,
            store: self.store,
            path: self.by.path.clone(),
        };
        fence::raise(&*self.env, &self.folder, &fence)
    }

    /// Removes this follower's own fence durably, if that is the one that exists: it has not taken over.
    /// Call it only before the follower wrote anything of its own.
    pub fn withdraw(&self) -> Result<()> {
        match self.fenced()? {
            Some(fence) if fence.by == self.by.id => fence::withdraw(&*self.env, &self.folder),
            _ => Ok(()),
        }
    }

    /// Allows the log to be truncated up to `position`.
    pub fn mark(&self, position: u64) -> Result<()> {
        displaced::check(&*self.env, &self.folder)?;
        follower_position::put(&*self.env, &self.folder, self.by.id, self.store, position)
    }

    /// Removes this follower's mark, so that it no longer holds back truncation.
    pub fn forget(&self) -> Result<()> {
        follower_position::remove(&*self.env, &self.folder, self.by.id)
    }

    /// Reads until `max_bytes` are read and not passed.
    fn read_ahead(&mut self, max_bytes: usize) -> Result<()> {
        while self.bytes < max_bytes {
            let Some(header) = self.place.step(&*self.env, &self.folder, self.durable)? else {
                break;
            };
            self.durable = self.durable.max(header.durable);
            self.epoch = header.epoch;
            // Frames that are skipped do not count: reading nothing must mean that there is nothing more.
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

    /// How many of the frames read are certainly on the leader's disk.
    fn proven(&self) -> usize {
        self.frames
            .partition_point(|frame| frame.last() <= self.durable)
    }

    /// Syncs what the leader is about to sync. The leader synced earlier segments before it began this one.
    fn sync(&mut self) -> Result<()> {
        let path = segment::path(&self.folder, self.place.segment());
        self.place.sync().map_err(Error::io("sync", &path))?;
        self.durable = self.place.next() - 1;
        Ok(())
    }
}

/// The end of a followed log.
pub struct FollowedTail {
    env: Arc<dyn Env>,
    folder: PathBuf,
    store: StoreId,
    place: Place,
    /// The last position that is certainly on the leader's disk.
    durable: u64,
}

impl FollowedTail {
    /// Starts looking for the end at position `near`; everything before it is durable.
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

    /// The place of position `near`, or of the log's start if that was cut off; and the position of that place.
    fn find(env: &dyn Env, folder: &Path, store: StoreId, mut near: u64) -> Result<(Place, u64)> {
        loop {
            match Place::of(env, folder, store, near) {
                Err(Error::Truncated { start, .. }) if start > near => near = start,
                place => return Ok((place?, near)),
            }
        }
    }

    /// The position of the last record that is written now. What was truncated since the last call is skipped: the
    /// log is truncated only up to what the follower has.
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

    /// Continues at `start`, where the log begins now or began a moment ago.
    fn begin_at(&mut self, start: u64) -> Result<()> {
        let (place, from) = Self::find(&*self.env, &self.folder, self.store, start)?;
        self.place = place;
        self.durable = from - 1;
        Ok(())
    }
}

/// The store whose log a follower finds; it must be the one that it followed before, if any.
pub(super) fn followed_store(env: &dyn Env, folder: &Path, of: Option<StoreId>) -> Result<StoreId> {
    let stores = segment::stores(env, folder)?;
    match (stores.first(), of) {
        (Some(&found), Some(of)) if found != of => Err(segment::other_store(folder, found, of)),
        (Some(&found), _) => Ok(found),
        (None, _) => Err(segment::read_uncut(|| unknown_store(env, folder))?),
    }
}

/// Why a log does not name its store: it is damaged, of a later format, or just being created.
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
