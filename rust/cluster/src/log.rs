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
use stepwell_core::log::{Batch, FileLogStream, Frame, Frames, LogStream, MAX_PAYLOAD};
use stepwell_core::storage;
use stepwell_core::store;
use stepwell_core::{Error, Result};

use crate::chain::{Hash, Link};
use crate::message::{self, Content, Fault, Framed, Message, Part, Place};
use crate::publishing::{self, Outcome};
use crate::wire::{Abort, Wire};

/// How many bytes of frames go into one message, if they fit.
const GROUP: usize = 256 << 10;
/// How many parts a message may have: an atomic batch of the servers holds 1,000 messages.
const PARTS: usize = 1000;
/// How much is read of the stream at a time.
const READ: usize = 4 << 20;
const READ_TIME: Duration = Duration::from_secs(2);
/// How often others are told of a new end, at most.
pub const TELL: Duration = Duration::from_millis(10);
/// After so many bytes the files beside the stream are synced, and `CHAIN` is written.
const SYNC_EVERY: u64 = 4 << 20;

/// A partition's log on one node.
pub struct ReplicatedLog {
    wire: Arc<dyn Wire>,
    stream: String,
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
    files: Option<(u64, Hash)>,
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

impl Next {
    /// The epoch that it is of.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// A message that was read and is the next one.
pub struct Next {
    /// The batches that the copy does not have yet.
    pub batches: Vec<storage::Batch>,
    epoch: u64,
    leader: Option<String>,
    link: Link,
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
            wire,
            stream: stream.to_owned(),
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

    /// The stream.
    pub fn wire(&self) -> &dyn Wire {
        &*self.wire
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
        let (mut link, files) = {
            let at = self.at.lock();
            (at.link, at.files)
        };
        let found = self
            .wire
            .read(link.sequence + 1, READ, READ_TIME, abort)
            .map_err(|reason| self.unavailable("read", reason))?;
        self.hear(
            found
                .last()
                .map_or(link.sequence, |(sequence, _)| *sequence),
        );
        let mut messages = Vec::new();
        let mut rest = &found[..];
        while let Some((parts, after)) = self.split(&link, rest)? {
            let next = self.verified(link, files, &parts)?;
            link = next.link;
            messages.push(next);
            rest = after;
        }
        if messages.is_empty() && !found.is_empty() {
            return self
                .large(link, files, &found[0].1, abort)
                .map(|next| vec![next]);
        }
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

    /// The first message of `found`, which must be next, and what is behind it; `None` where its end is missing.
    #[expect(clippy::type_complexity, reason = "the parts and the rest")]
    fn split<'a>(
        &self,
        link: &Link,
        found: &'a [(u64, Bytes)],
    ) -> Result<Option<(Vec<Bytes>, &'a [(u64, Bytes)])>> {
        let Some((sequence, first)) = found.first() else {
            return Ok(None);
        };
        self.check_sequence(link, *sequence)?;
        let part = self.part(link, first)?;
        let number = usize::from(part.parts).max(1);
        if number > found.len() {
            return Ok(None);
        }
        let (parts, rest) = found.split_at(number);
        for (index, (found, _)) in parts.iter().enumerate() {
            self.check_sequence(link, found - index as u64)?;
        }
        let parts = parts.iter().map(|(_, part)| part.clone()).collect();
        Ok(Some((parts, rest)))
    }

    /// Reads a message whose parts do not come at once.
    fn large(
        &self,
        link: Link,
        files: Option<(u64, Hash)>,
        first: &Bytes,
        abort: &Abort,
    ) -> Result<Next> {
        let number = usize::from(self.part(&link, first)?.parts);
        let mut parts: Vec<Bytes> = Vec::new();
        while parts.len() < number {
            let from = link.sequence + 1 + parts.len() as u64;
            let found = self.wire.read(from, READ, READ_TIME, abort);
            let found = found.map_err(|reason| self.unavailable("read", reason))?;
            if found.is_empty() {
                let reason = "the end of a message is not there yet".to_owned();
                return Err(self.unavailable("read", reason));
            }
            for (sequence, part) in found.into_iter().take(number - parts.len()) {
                self.check_sequence(&link, sequence - parts.len() as u64)?;
                parts.push(part);
            }
        }
        self.verified(link, files, &parts)
    }

    fn check_sequence(&self, link: &Link, sequence: u64) -> Result<()> {
        match sequence == link.sequence + 1 {
            true => Ok(()),
            false => Err(Error::Truncated {
                position: link.position + 1,
                start: sequence,
            }),
        }
    }

    fn part(&self, link: &Link, bytes: &[u8]) -> Result<Part> {
        Part::decode(bytes).map_err(|fault| self.fault(link, fault))
    }

    /// Checks that a message is the one that follows `link`, and prepares its batches.
    fn verified(&self, link: Link, files: Option<(u64, Hash)>, parts: &[Bytes]) -> Result<Next> {
        let Message { place, content } =
            message::decode(parts).map_err(|fault| self.fault(&link, fault))?;
        if place.store != self.local.store() {
            let (here, there) = (self.local.store().to_string(), place.store.to_string());
            return Err(self.diverged(&link, here, there, "it is of another store"));
        }
        if place.previous != link.hash || place.first != link.position + 1 {
            let (here, there) = (link.hash.to_string(), place.previous.to_string());
            return Err(self.diverged(
                &link,
                here,
                there,
                "a message does not follow what was before it",
            ));
        }
        if place.epoch < link.epoch {
            let (here, there) = (link.epoch.to_string(), place.epoch.to_string());
            return Err(self.diverged(
                &link,
                here,
                there,
                "a former leader's message is in it (epochs)",
            ));
        }
        let mut next = Next {
            batches: Vec::new(),
            epoch: place.epoch,
            leader: None,
            link: Link {
                sequence: link.sequence + parts.len() as u64,
                epoch: place.epoch,
                ..link
            },
        };
        match content {
            Content::Mark { node } => next.leader = Some(node),
            Content::Frames(frames) => self.prepare(&mut next, files, frames)?,
        }
        Ok(next)
    }

    fn prepare(
        &self,
        next: &mut Next,
        files: Option<(u64, Hash)>,
        frames: Vec<Framed>,
    ) -> Result<()> {
        let store = self.local.store();
        for Framed {
            count,
            payload,
            rows,
        } in frames
        {
            next.link = next.link.after(store, next.epoch, count, &payload);
            match files {
                Some((end, _)) if next.link.position < end => {}
                Some((end, hash)) if next.link.position == end => {
                    if next.link.hash != hash {
                        let (here, there) = (hash.to_string(), next.link.hash.to_string());
                        let reason = "it is not what this copy's files hold";
                        return Err(self.diverged(&next.link, here, there, reason));
                    }
                }
                _ => {
                    let batch = storage::Batch::of(payload, count, next.link.position, &rows);
                    next.batches.push(batch?);
                }
            }
        }
        Ok(())
    }

    /// Batches of the stream behind a sequence, as they are: nothing is compared with what was before them. Returns the
    /// sequence that they lead to.
    pub fn frames_behind(&self, sequence: u64, max_bytes: usize) -> Result<(u64, Vec<Frame>)> {
        let abort = Abort::default();
        let found = self.wire.read(sequence + 1, max_bytes, READ_TIME, &abort);
        let found = found.map_err(|reason| self.unavailable("read", reason))?;
        let (mut last, mut frames, mut parts) = (sequence, Vec::new(), Vec::new());
        for (sequence, bytes) in found {
            let at = Link {
                sequence: last,
                ..Link::default()
            };
            let part = self.part(&at, &bytes)?;
            parts.push(bytes);
            if parts.len() < usize::from(part.parts) {
                continue;
            }
            let Message { place, content } =
                message::decode(&parts).map_err(|fault| self.fault(&at, fault))?;
            (last, parts) = (sequence, Vec::new());
            let mut first = place.first;
            let Content::Frames(found) = content else {
                continue;
            };
            for Framed { count, payload, .. } in found {
                frames.push(Frame {
                    epoch: place.epoch,
                    first,
                    count,
                    payload,
                });
                first += u64::from(count);
            }
        }
        Ok((last, frames))
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
        match publishing::publish(&*self.wire, &parts, link.sequence, Some(deadline), &abort) {
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
                self.wire.tell(sequence);
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
            Outcome::Shortened(last) => Err(self.shortened(&link, last)),
            Outcome::Aborted(reason) => Err(self.unavailable("lead", reason)),
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
        let limit = self.wire.limit();
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
        let outcome = publishing::publish(&*self.wire, &unit.parts, link.sequence, None, abort);
        self.waiting.store(0, Ordering::Relaxed);
        match outcome {
            Outcome::Ours(sequence) => self.confirm(unit, epoch, sequence),
            Outcome::Other => Err(self.other(&link, epoch, abort)),
            Outcome::Shortened(last) => Err(self.shortened(&link, last)),
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
            self.wire.tell(sequence);
        }
    }

    /// Why another message is where this leader's should be.
    fn other(&self, link: &Link, epoch: u64, abort: &Abort) -> Error {
        let found = self.wire.read(link.sequence + 1, 1, READ_TIME, abort);
        let part = match found.as_ref().map(|found| found.first()) {
            Ok(Some((_, bytes))) => self.part(link, bytes),
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
                self.diverged(
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
        store::seed(folder, &self.stream, self.local.store(), link.position + 1)?;
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

    // errors

    fn fault(&self, link: &Link, fault: Fault) -> Error {
        match fault {
            Fault::Newer(what, found, known) => Error::Newer {
                stream: self.stream.clone(),
                sequence: link.sequence + 1,
                what,
                found,
                known,
            },
            Fault::Damaged(reason) => {
                self.diverged(link, link.hash.to_string(), "unknown".to_owned(), reason)
            }
        }
    }

    fn diverged(&self, link: &Link, here: String, there: String, reason: &str) -> Error {
        Error::Diverged {
            stream: self.stream.clone(),
            sequence: link.sequence + 1,
            position: link.position,
            here,
            there,
            reason: reason.to_owned(),
        }
    }

    /// The error for a stream that ends before what the copy has of it.
    pub fn shortened(&self, link: &Link, last: u64) -> Error {
        let (here, there) = (
            link.hash.to_string(),
            format!("none, it ends at sequence {last}"),
        );
        self.diverged(link, here, there, "it lost messages that were acknowledged")
    }

    /// The error for servers that do not answer, or refuse.
    pub fn unavailable(&self, action: &'static str, reason: String) -> Error {
        Error::Unavailable {
            action,
            stream: self.stream.clone(),
            reason,
        }
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
