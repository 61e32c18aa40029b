//! The log of a copy: the stream, which makes durable, and files beside it, which hold only what the stream has.
//!
//! The leader writes a batch to its files after the stream has it. So a leader that is deposed, or does not know whether
//! the stream has its last batch, holds nothing that the others do not, and has nothing to take back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use stepwell_core::env::Folder;
use stepwell_core::identity::StoreId;
use stepwell_core::log::{Batch, FileLogStream, Frames, LogStream, MAX_PAYLOAD};
use stepwell_core::store;
use stepwell_core::{Error, Result};

use crate::chain::{Hash, Link};
use crate::message::{self, Framed, Place};
use crate::publishing::{self, Outcome};
use crate::reading::{Files, Next, READ_TIME, Reader};
use crate::wire::{Abort, Wire};

/// How many bytes of frames go into one message, if they fit.
const GROUP: usize = 256 << 10;
/// How many parts a message may have: an atomic batch of the servers holds 1,000 messages.
const PARTS: usize = 1000;
/// How often others are told of a new end, at most.
pub const TELL: Duration = Duration::from_millis(10);
/// After so many bytes the files beside the stream are synced, and `CHAIN` is written.
const SYNC_EVERY: u64 = 4 << 20;

/// A partition's log on one node.
pub struct ReplicatedLog {
    reader: Reader,
    folder: Arc<Folder>,
    local: FileLogStream,
    at: Mutex<At>,
    leading: Mutex<Option<Leading>>,
    /// How many milliseconds after `began` the servers were heard last, and the oldest publish began (0: none waits).
    heard: AtomicU64,
    waiting: AtomicU64,
    last_sequence: AtomicU64,
    told: AtomicU64,
    began: Instant,
}

/// Where the copy is.
struct At {
    link: Link,
    /// Until the messages are read again that the files hold already: where those end, and the hash there.
    files: Files,
    /// The node that the last mark names.
    leader: Option<String>,
    unsynced: u64,
}

/// What a leader has appended and the stream does not have for certain.
struct Leading {
    epoch: u64,
    tail: u64,
    hash: Hash,
    units: VecDeque<Unit>,
    abort: Arc<Abort>,
}

/// One message under way.
struct Unit {
    parts: Vec<Bytes>,
    frames: Vec<Framed>,
    hash: Hash,
}

impl ReplicatedLog {
    /// Puts a copy's files and its stream together. The files end where `link` says or later.
    pub fn new(
        wire: Arc<dyn Wire>,
        stream: &str,
        folder: Arc<Folder>,
        local: FileLogStream,
    ) -> Result<ReplicatedLog> {
        let link = Link::read(&folder)?;
        let end = local.tail();
        if end < link.position {
            return Err(Error::LogCut {
                path: folder.path().to_owned(),
                last: end,
                stored: link.position,
            });
        }
        let files = link.through(&local)?;
        let log = ReplicatedLog {
            reader: Reader {
                wire,
                stream: stream.to_owned(),
                store: local.store(),
            },
            folder,
            local,
            at: Mutex::new(At {
                link,
                files: (files.position > link.position).then_some((files.position, files.hash)),
                leader: None,
                unsynced: 0,
            }),
            leading: Mutex::new(None),
            heard: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            last_sequence: AtomicU64::new(link.sequence),
            told: AtomicU64::new(0),
            began: Instant::now(),
        };
        Ok(log)
    }

    /// Reads the stream.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The stream.
    pub fn wire(&self) -> &dyn Wire {
        &*self.reader.wire
    }

    /// Where the copy is.
    pub fn link(&self) -> Link {
        self.at.lock().link
    }

    /// The node that the last mark names.
    pub fn leader(&self) -> Option<String> {
        self.at.lock().leader.clone()
    }

    /// The last sequence of the stream that was heard of.
    pub fn last_sequence(&self) -> u64 {
        self.last_sequence.load(Ordering::Relaxed)
    }

    /// How long ago the servers answered.
    pub fn heard(&self) -> Duration {
        let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(heard)
    }

    /// How long the oldest publish waits for its answer.
    pub fn waiting(&self) -> Duration {
        match self.waiting.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => self
                .began
                .elapsed()
                .saturating_sub(Duration::from_millis(since)),
        }
    }

    /// Another node says that the stream ends at `last` or later.
    pub fn told(&self, last: u64) {
        self.last_sequence.fetch_max(last, Ordering::Relaxed);
    }

    /// The servers answered, and the stream ends at `last` or later.
    pub fn hear(&self, last: u64) {
        self.last_sequence.fetch_max(last, Ordering::Relaxed);
        self.heard.store(self.millis(), Ordering::Relaxed);
    }

    // following

    /// The next messages of the stream, in order and verified; none if the server that answers has no more.
    ///
    /// Nothing is changed: [`take`](Self::take) each of them, in order, after its batches can be applied for certain.
    pub fn next(&self, abort: &Abort) -> Result<Vec<Next>> {
        let (link, files) = {
            let at = self.at.lock();
            (at.link, at.files)
        };
        let (messages, last) = self.reader.next(link, files, abort)?;
        self.hear(last);
        Ok(messages)
    }

    /// Writes what a message says to the files. Its batches are applied by the caller, after this.
    pub fn take(&self, next: &Next) -> Result<()> {
        let mut at = self.at.lock();
        for batch in &next.batches {
            let payload: [&[u8]; 1] = [&batch.payload];
            let written = Batch {
                count: batch.count,
                payload: &payload,
            };
            let before = batch.position - u64::from(batch.count);
            self.local.append(&[written], next.epoch, before)?;
            at.unsynced += batch.payload.len() as u64;
        }
        if next.leader.is_some() && next.epoch > self.local.epoch() {
            self.local
                .append(&[Batch::default()], next.epoch, self.local.tail())?;
        }
        at.link = next.link;
        at.leader = next.leader.clone().or_else(|| at.leader.take());
        if at.files.is_some_and(|(end, _)| at.link.position >= end) {
            at.files = None;
        }
        self.sync_now_and_then(&mut at)
    }

    // leading

    /// Begins an epoch of this node, directly behind all that the copy has. Nothing may be taken meanwhile.
    ///
    /// `None` if the stream goes on behind that: read it and try again. [`Unavailable`](Error::Unavailable) if nobody knows
    /// in time.
    pub fn begin(&self, node: &str, deadline: Instant, abort: Arc<Abort>) -> Result<Option<u64>> {
        let link = self.link();
        let epoch = link.epoch + 1;
        let place = Place {
            store: self.local.store(),
            epoch,
            first: link.position + 1,
            previous: link.hash,
        };
        let mark = message::mark(place, node, uuid::Uuid::new_v4().into_bytes());
        let parts = [mark];
        match publishing::publish(
            &*self.reader.wire,
            &parts,
            link.sequence,
            Some(deadline),
            &abort,
        ) {
            Outcome::Ours(sequence) => {
                let next = Next {
                    batches: Vec::new(),
                    epoch,
                    leader: Some(node.to_owned()),
                    link: Link {
                        sequence,
                        epoch,
                        ..link
                    },
                };
                self.take(&next)?;
                self.hear(sequence);
                self.reader.wire.tell(sequence);
                *self.leading.lock() = Some(Leading {
                    epoch,
                    tail: link.position,
                    hash: link.hash,
                    units: VecDeque::new(),
                    abort,
                });
                Ok(Some(epoch))
            }
            Outcome::Other => Ok(None),
            Outcome::Shortened(last) => Err(self.reader.shortened(&link, last)),
            Outcome::Aborted(reason) => Err(self.reader.unavailable("lead", reason)),
        }
    }

    /// Ends leading at once. What is under way is confirmed no more, whether the stream has it or not.
    pub fn resign(&self) {
        if let Some(leading) = self.leading.lock().take() {
            leading.abort.set();
        }
    }

    /// Whether a publish is under way.
    pub fn is_publishing(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) != 0
    }

    fn add(&self, leading: &mut Leading, frames: Vec<Framed>) -> Result<()> {
        let store = self.local.store();
        let place = Place {
            store,
            epoch: leading.epoch,
            first: leading.tail + 1,
            previous: leading.hash,
        };
        let limit = self.reader.wire.limit();
        let bytes: usize = frames.iter().map(Framed::bytes).sum();
        let largest = ((limit - message::HEADER) * PARTS) as u64;
        if bytes as u64 > largest {
            return Err(Error::TooLarge {
                bytes: bytes as u64,
                limit: largest,
            });
        }
        let parts = message::frames(place, &frames, limit);
        for frame in &frames {
            let first = leading.tail + 1;
            leading.hash =
                leading
                    .hash
                    .after(store, leading.epoch, first, frame.count, &frame.payload);
            leading.tail += u64::from(frame.count);
        }
        leading.units.push_back(Unit {
            parts,
            frames,
            hash: leading.hash,
        });
        Ok(())
    }

    /// Publishes one message, and writes it to the files once the stream has it.
    fn publish(&self, unit: Unit, epoch: u64, abort: &Abort) -> Result<()> {
        let link = self.link();
        self.waiting.store(self.millis().max(1), Ordering::Relaxed);
        let outcome =
            publishing::publish(&*self.reader.wire, &unit.parts, link.sequence, None, abort);
        self.waiting.store(0, Ordering::Relaxed);
        match outcome {
            Outcome::Ours(sequence) => self.confirm(unit, epoch, sequence),
            Outcome::Other => Err(self.other(&link, epoch, abort)),
            Outcome::Shortened(last) => Err(self.reader.shortened(&link, last)),
            Outcome::Aborted(_) => Err(Error::Following),
        }
    }

    fn confirm(&self, unit: Unit, epoch: u64, sequence: u64) -> Result<()> {
        let mut at = self.at.lock();
        let payloads: Vec<[&[u8]; 1]> = unit
            .frames
            .iter()
            .map(|frame| [&frame.payload[..]])
            .collect();
        let batches: Vec<Batch> = unit
            .frames
            .iter()
            .zip(&payloads)
            .map(|(frame, payload)| Batch {
                count: frame.count,
                payload,
            })
            .collect();
        let position = self.local.append(&batches, epoch, at.link.position)?;
        at.link = Link {
            position,
            sequence,
            epoch,
            hash: unit.hash,
        };
        at.unsynced += unit
            .frames
            .iter()
            .map(|frame| frame.payload.len() as u64)
            .sum::<u64>();
        self.hear(sequence);
        self.tell(sequence);
        self.sync_now_and_then(&mut at)
    }

    /// Tells others of a new end, unless they were told a moment ago: then they look again by themselves.
    fn tell(&self, sequence: u64) {
        let now = self.millis() + 1;
        if now >= self.told.load(Ordering::Relaxed) + TELL.as_millis() as u64 {
            self.told.store(now, Ordering::Relaxed);
            self.reader.wire.tell(sequence);
        }
    }

    /// Why another message is where this leader's should be.
    fn other(&self, link: &Link, epoch: u64, abort: &Abort) -> Error {
        let found = self
            .reader
            .wire
            .read(link.sequence + 1, 1, READ_TIME, abort);
        let part = match found.as_ref().map(|found| found.first()) {
            Ok(Some((_, bytes))) => self.reader.part(link, bytes),
            // It was there a moment ago: nobody confirms anything before it is read.
            _ => return Error::Following,
        };
        match part {
            Ok(part) if part.place.epoch > epoch => Error::Fenced {
                epoch,
                current: part.place.epoch,
            },
            Ok(part) => {
                let (here, there) = (link.hash.to_string(), part.place.previous.to_string());
                self.reader.diverged(
                    link,
                    here,
                    there,
                    "it has another message of this leader's epoch",
                )
            }
            Err(error) => error,
        }
    }

    // files

    fn sync_now_and_then(&self, at: &mut At) -> Result<()> {
        match at.unsynced >= SYNC_EVERY {
            true => self.write_chain(at),
            false => Ok(()),
        }
    }

    /// Makes the files durable, and writes how far they are.
    fn write_chain(&self, at: &mut At) -> Result<()> {
        self.local.sync()?;
        at.unsynced = 0;
        // While messages are read again, the files are further than the link: the old `CHAIN` is as good.
        match at.files {
            Some(_) => Ok(()),
            None => at.link.write(&self.folder),
        }
    }

    /// Makes a folder the copy of the same stream at this one's position: `CHAIN` and an empty log. Storage at that
    /// position is there already.
    pub fn seed(&self, folder: &Folder) -> Result<u64> {
        let link = self.link();
        store::seed(
            folder,
            &self.reader.stream,
            self.local.store(),
            link.position + 1,
        )?;
        link.write(folder)?;
        Ok(link.position)
    }

    /// Makes the files durable, says how far they are, and closes the log.
    pub fn close(&self) -> Result<()> {
        self.resign();
        self.write_chain(&mut self.at.lock())?;
        self.local.close()
    }

    fn millis(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}

impl LogStream for ReplicatedLog {
    fn append(&self, batches: &[Batch<'_>], epoch: u64, expected_last: u64) -> Result<u64> {
        let rows = vec![Vec::new(); batches.len()];
        self.append_with_rows(batches, &rows, epoch, expected_last)
    }

    fn takes_rows(&self) -> bool {
        true
    }

    fn append_with_rows(
        &self,
        batches: &[Batch<'_>],
        rows: &[Vec<u8>],
        epoch: u64,
        expected_last: u64,
    ) -> Result<u64> {
        let mut leading = self.leading.lock();
        let leading = leading.as_mut().ok_or(Error::Following)?;
        if epoch != leading.epoch {
            let current = leading.epoch;
            return Err(Error::Fenced { epoch, current });
        }
        if expected_last != leading.tail {
            return Err(Error::Conflict {
                expected: expected_last,
                last: leading.tail,
            });
        }
        let (mut group, mut bytes) = (Vec::new(), 0);
        for (batch, rows) in batches
            .iter()
            .zip(rows)
            .filter(|(batch, _)| batch.count > 0)
        {
            let frame = Framed {
                count: batch.count,
                payload: batch.payload.concat(),
                rows: rows.clone(),
            };
            if frame.payload.len() as u64 > MAX_PAYLOAD {
                let (bytes, limit) = (frame.payload.len() as u64, MAX_PAYLOAD);
                return Err(Error::TooLarge { bytes, limit });
            }
            if bytes > 0 && bytes + frame.bytes() > GROUP {
                self.add(leading, std::mem::take(&mut group))?;
                bytes = 0;
            }
            bytes += frame.bytes();
            group.push(frame);
        }
        if !group.is_empty() {
            self.add(leading, group)?;
        }
        Ok(leading.tail)
    }

    fn sync(&self) -> Result<u64> {
        loop {
            let (unit, epoch, abort) = {
                let mut leading = self.leading.lock();
                let leading = leading.as_mut().ok_or(Error::Following)?;
                if leading.abort.is_set() {
                    return Err(Error::Following);
                }
                match leading.units.pop_front() {
                    None => return Ok(self.local.tail()),
                    Some(unit) => (unit, leading.epoch, leading.abort.clone()),
                }
            };
            if let Err(error) = self.publish(unit, epoch, &abort) {
                // Nothing that comes behind it can be confirmed.
                self.resign();
                return Err(error);
            }
        }
    }

    fn store(&self) -> StoreId {
        self.local.store()
    }

    fn durable(&self) -> u64 {
        self.local.tail()
    }

    fn tail(&self) -> u64 {
        match &*self.leading.lock() {
            Some(leading) => leading.tail,
            None => self.local.tail(),
        }
    }

    fn start(&self) -> u64 {
        self.local.start()
    }

    fn epoch(&self) -> u64 {
        self.at.lock().link.epoch
    }

    fn read(&self, from: u64) -> Result<Frames> {
        if self.local.durable() < self.local.tail() {
            self.local.sync()?;
        }
        self.local.read(from)
    }

    fn truncate_before(&self, position: u64) -> Result<u64> {
        // What `CHAIN` does not cover is read again after a restart.
        let covered = Link::read(&self.folder)?.position + 1;
        self.local.truncate_before(position.min(covered))
    }

    fn persist(&self) -> Result<()> {
        self.write_chain(&mut self.at.lock())
    }

    fn poisoned(&self) -> Option<String> {
        self.local.poisoned()
    }

    fn fence(&self, _epoch: u64) -> Result<()> {
        // Only a mark that was taken begins an epoch; see `begin`.
        match self.leading.lock().is_some() {
            true => Ok(()),
            false => Err(Error::Following),
        }
    }
}
