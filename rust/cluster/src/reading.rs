//! Reads a stream message by message, and verifies that each is the one that follows.

use std::fmt::Display;
use std::sync::Arc;

use bytes::Bytes;
use stepwell_core::identity::StoreId;
use stepwell_core::log::Frame;
use stepwell_core::storage;
use stepwell_core::{Error, Result};

use crate::chain::{Hash, Link};
use crate::connection;
use crate::message::{self, Content, Fault, Framed, Message, Part};
use crate::wire::{ANSWER, Abort, Wire};

/// How much is read of the stream at a time.
const READ: usize = 4 << 20;

/// Where a copy's own files end, and the hash there, while messages are read again that they hold already.
pub type Files = Option<(u64, Hash)>;

/// A stream, and the store whose records it must hold.
pub struct Reader {
    pub wire: Arc<dyn Wire>,
    pub stream: String,
    pub store: StoreId,
}

/// A message that was read and is the next one.
pub struct Next {
    /// The batches that the copy does not have yet.
    pub batches: Vec<storage::Batch>,
    pub(crate) epoch: u64,
    pub(crate) leader: Option<String>,
    pub(crate) link: Link,
}

impl Reader {
    /// The messages behind `link`, in order and verified, and the last sequence that was seen; none if the server that
    /// answers has no more.
    pub fn next(&self, mut link: Link, files: Files, abort: &Abort) -> Result<(Vec<Next>, u64)> {
        let found = self
            .wire
            .read(link.sequence + 1, READ, ANSWER, abort)
            .map_err(|reason| self.unavailable("read", reason))?;
        let last = found
            .last()
            .map_or(link.sequence, |(sequence, _)| *sequence);
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
                .map(|next| (vec![next], last));
        }
        Ok((messages, last))
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
    fn large(&self, link: Link, files: Files, first: &Bytes, abort: &Abort) -> Result<Next> {
        let number = usize::from(self.part(&link, first)?.parts);
        let mut parts: Vec<Bytes> = Vec::new();
        while parts.len() < number {
            let from = link.sequence + 1 + parts.len() as u64;
            let found = self.wire.read(from, READ, ANSWER, abort);
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

    /// The header of a message behind `link`.
    pub fn part(&self, link: &Link, bytes: &[u8]) -> Result<Part> {
        Part::decode(bytes).map_err(|fault| self.fault(link, fault))
    }

    /// Checks that a message is the one that follows `link`, and prepares its batches.
    fn verified(&self, link: Link, files: Files, parts: &[Bytes]) -> Result<Next> {
        let Message { place, content } =
            message::decode(parts).map_err(|fault| self.fault(&link, fault))?;
        if place.store != self.store {
            let reason = "it is of another store";
            return Err(self.diverged(&link, self.store, place.store, reason));
        }
        if place.previous != link.hash || place.first != link.position + 1 {
            let reason = "a message does not follow what was before it";
            return Err(self.diverged(&link, link.hash, place.previous, reason));
        }
        if place.epoch < link.epoch {
            let reason = "a former leader's message is in it (epochs)";
            return Err(self.diverged(&link, link.epoch, place.epoch, reason));
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

    fn prepare(&self, next: &mut Next, files: Files, frames: Vec<Framed>) -> Result<()> {
        let store = self.store;
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
                        let reason = "it is not what this copy's files hold";
                        return Err(self.diverged(&next.link, hash, next.link.hash, reason));
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
        let found = self.wire.read(sequence + 1, max_bytes, ANSWER, &abort);
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

    /// Why another message is where this leader's should be.
    pub fn other(&self, link: &Link, epoch: u64, abort: &Abort) -> Error {
        let found = self.wire.read(link.sequence + 1, 1, ANSWER, abort);
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
                let reason = "it has another message of this leader's epoch";
                self.diverged(link, link.hash, part.place.previous, reason)
            }
            Err(error) => error,
        }
    }

    fn fault(&self, link: &Link, fault: Fault) -> Error {
        match fault {
            Fault::Newer(what, found, known) => Error::Newer {
                stream: self.stream.clone(),
                sequence: link.sequence + 1,
                what,
                found,
                known,
            },
            Fault::Damaged(reason) => self.diverged(link, link.hash, "unknown", reason),
        }
    }

    /// The error for a stream that is not what it was.
    pub fn diverged(
        &self,
        link: &Link,
        here: impl Display,
        there: impl Display,
        reason: &str,
    ) -> Error {
        Error::Diverged {
            stream: self.stream.clone(),
            sequence: link.sequence + 1,
            position: link.position,
            here: here.to_string(),
            there: there.to_string(),
            reason: reason.to_owned(),
        }
    }

    /// The error for a stream that ends before what the copy has of it.
    pub fn shortened(&self, link: &Link, last: u64) -> Error {
        let there = format!("none, it ends at sequence {last}");
        let reason = "it lost messages that were acknowledged";
        self.diverged(link, link.hash, there, reason)
    }

    /// The error for servers that do not answer, or refuse.
    pub fn unavailable(&self, action: &'static str, reason: String) -> Error {
        connection::unavailable(action, &self.stream, reason)
    }
}
