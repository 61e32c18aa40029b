//! The log of a copy: the stream, which makes durable, and files beside it, which hold only what the stream has.
//!
//! The leader writes a batch to its files after the stream has it. So a leader that is deposed, or does not know whether
//! the stream has its last batch, holds nothing that the others do not, and has nothing to take back.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use stepwell_core::env::Folder;
use stepwell_core::identity::StoreId;
use stepwell_core::log::{Batch, FileLogStream, Frames, LogStream};
use stepwell_core::{Error, Result};

use crate::chain::Link;
use crate::leading::{Leading, Unit};
use crate::liveness::Liveness;
use crate::message::{self, Place};
use crate::publishing::{self, Outcome};
use crate::reading::{Files, Next, Reader};
use crate::wire::{Abort, Wire};

/// After so many bytes the files beside the stream are synced, and `CHAIN` is written.
const SYNC_EVERY: u64 = 4 << 20;

/// A partition's log on one node.
pub struct ReplicatedLog {
    reader: Reader,
    pub(crate) folder: Arc<Folder>,
    pub(crate) local: FileLogStream,
    at: Mutex<At>,
    leading: Mutex<Option<Leading>>,
    liveness: Liveness,
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
            liveness: Liveness::new(link.sequence),
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

    /// When the servers answered, and how far the stream is known to go.
    pub(crate) fn liveness(&self) -> &Liveness {
        &self.liveness
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
        self.liveness.hear(last);
        Ok(messages)
    }

    /// Writes what a message says to the files. Its batches are applied by the caller, after this.
    pub fn take(&self, next: &Next) -> Result<()> {
        let mut at = self.at.lock();
        if let Some(first) = next.batches.first() {
            let before = first.position - u64::from(first.count);
            let batches = next.batches.iter();
            let batches = batches.map(|batch| (batch.count, &batch.payload[..]));
            self.write(&mut at, batches, next.epoch, before)?;
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

    /// Writes batches, each a number of records and a payload, to the files behind position `before`.
    fn write<'a>(
        &self,
        at: &mut At,
        batches: impl Iterator<Item = (u32, &'a [u8])>,
        epoch: u64,
        before: u64,
    ) -> Result<()> {
        let batches: Vec<(u32, [&[u8]; 1])> =
            batches.map(|(count, payload)| (count, [payload])).collect();
        let written: Vec<Batch> = batches
            .iter()
            .map(|(count, payload)| Batch {
                count: *count,
                payload,
            })
            .collect();
        self.local.append(&written, epoch, before)?;
        let bytes: usize = batches.iter().map(|(_, [payload])| payload.len()).sum();
        at.unsynced += bytes as u64;
        Ok(())
    }

    // leading

    /// Begins an epoch of this node, directly behind all that the copy has. Nothing may be taken meanwhile.
    ///
    /// `None` if the stream goes on behind that: read it and try again. [`Unavailable`](Error::Unavailable) if nobody knows
    /// in time.
    pub fn begin(&self, node: &str, deadline: Instant, abort: Arc<Abort>) -> Result<Option<u64>> {
        let link = self.link();
        let epoch = link.epoch + 1;
        let place = Place::behind(self.local.store(), epoch, &link);
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
                let mark = Link {
                    sequence,
                    epoch,
                    ..link
                };
                self.take(&Next {
                    batches: Vec::new(),
                    epoch,
                    leader: Some(node.to_owned()),
                    link: mark,
                })?;
                self.liveness.hear(sequence);
                self.reader.wire.tell(sequence);
                let limit = self.reader.wire.limit();
                let leading = Leading::new(self.local.store(), limit, mark, abort);
                *self.leading.lock() = Some(leading);
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

    /// Publishes one message, and writes it to the files once the stream has it.
    fn publish(&self, unit: &Unit, abort: &Abort) -> Result<()> {
        let link = self.link();
        self.liveness.publish();
        let outcome =
            publishing::publish(&*self.reader.wire, &unit.parts, link.sequence, None, abort);
        self.liveness.published();
        match outcome {
            Outcome::Ours(sequence) => self.confirm(unit, sequence),
            Outcome::Other => Err(self.reader.other(&link, unit.end.epoch, abort)),
            Outcome::Shortened(last) => Err(self.reader.shortened(&link, last)),
            Outcome::Aborted(_) => Err(Error::Following),
        }
    }

    fn confirm(&self, unit: &Unit, sequence: u64) -> Result<()> {
        let mut at = self.at.lock();
        let frames = unit.frames.iter();
        let batches = frames.map(|frame| (frame.count, &frame.payload[..]));
        let before = at.link.position;
        self.write(&mut at, batches, unit.end.epoch, before)?;
        at.link = Link {
            sequence,
            ..unit.end
        };
        self.liveness.hear(sequence);
        if self.liveness.tells() {
            self.reader.wire.tell(sequence);
        }
        self.sync_now_and_then(&mut at)
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

    /// Does something with the copy's position while nothing is taken or confirmed; returns where that was if it was done.
    pub(crate) fn still(
        &self,
        done: impl FnOnce(u64) -> Result<Option<()>>,
    ) -> Result<Option<Link>> {
        let at = self.at.lock();
        match at.files {
            // Messages are read again, and storage is further.
            Some((end, _)) if end > at.link.position => Ok(None),
            _ => Ok(done(at.link.position)?.map(|()| at.link)),
        }
    }

    /// Makes the files durable, says how far they are, and closes the log.
    pub fn close(&self) -> Result<()> {
        self.resign();
        self.write_chain(&mut self.at.lock())?;
        self.local.close()
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
        leading.append(batches, rows, epoch, expected_last)
    }

    fn sync(&self) -> Result<u64> {
        loop {
            let (unit, abort) = {
                let mut leading = self.leading.lock();
                let leading = leading.as_mut().ok_or(Error::Following)?;
                if leading.abort.is_set() {
                    return Err(Error::Following);
                }
                match leading.pop() {
                    None => return Ok(self.local.tail()),
                    Some(unit) => (unit, leading.abort.clone()),
                }
            };
            if let Err(error) = self.publish(&unit, &abort) {
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
            Some(leading) => leading.tail(),
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
