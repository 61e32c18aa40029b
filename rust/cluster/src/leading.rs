//! What a leader has appended and the stream does not have for certain: messages, in their order.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use stepwell_core::identity::StoreId;
use stepwell_core::log::{Batch, MAX_PAYLOAD};
use stepwell_core::{Error, Result};

use crate::chain::Link;
use crate::message::{self, Framed, Place};
use crate::wire::Abort;

/// How many bytes of frames go into one message, if they fit.
const GROUP: usize = 256 << 10;
/// How many parts a message may have: an atomic batch of the servers holds 1,000 messages.
const PARTS: usize = 1000;

/// The messages of one epoch that wait.
pub(crate) struct Leading {
    store: StoreId,
    /// How many bytes a part of a message may have.
    limit: usize,
    /// The end of what was appended. Its sequence stays where the epoch began: only the stream gives the others.
    end: Link,
    units: VecDeque<Unit>,
    pub abort: Arc<Abort>,
}

/// One message.
pub(crate) struct Unit {
    pub parts: Vec<Bytes>,
    pub frames: Vec<Framed>,
    /// Where the log is with it, but for the sequence.
    pub end: Link,
}

impl Leading {
    /// An epoch that begins with `mark`, which the stream has.
    pub fn new(store: StoreId, limit: usize, mark: Link, abort: Arc<Abort>) -> Leading {
        Leading {
            store,
            limit,
            end: mark,
            units: VecDeque::new(),
            abort,
        }
    }

    /// The position of the last record that was appended.
    pub fn tail(&self) -> u64 {
        self.end.position
    }

    /// The message that is published next.
    pub fn pop(&mut self) -> Option<Unit> {
        self.units.pop_front()
    }

    /// Appends batches and their rows, as [`LogStream`](stepwell_core::log::LogStream) says.
    pub fn append(
        &mut self,
        batches: &[Batch<'_>],
        rows: &[Vec<u8>],
        epoch: u64,
        expected_last: u64,
    ) -> Result<u64> {
        if epoch != self.end.epoch {
            let current = self.end.epoch;
            return Err(Error::Fenced { epoch, current });
        }
        if expected_last != self.tail() {
            return Err(Error::Conflict {
                expected: expected_last,
                last: self.tail(),
            });
        }
        let (mut group, mut bytes) = (Vec::new(), 0);
        let pairs = batches.iter().zip(rows);
        for (batch, rows) in pairs.filter(|(batch, _)| batch.count > 0) {
            let frame = framed(batch, rows)?;
            if bytes > 0 && bytes + frame.bytes() > GROUP {
                self.push(std::mem::take(&mut group))?;
                bytes = 0;
            }
            bytes += frame.bytes();
            group.push(frame);
        }
        if !group.is_empty() {
            self.push(group)?;
        }
        Ok(self.tail())
    }

    fn push(&mut self, frames: Vec<Framed>) -> Result<()> {
        let bytes: usize = frames.iter().map(Framed::bytes).sum();
        let largest = ((self.limit - message::HEADER) * PARTS) as u64;
        if bytes as u64 > largest {
            return Err(Error::TooLarge {
                bytes: bytes as u64,
                limit: largest,
            });
        }
        let place = Place::behind(self.store, self.end.epoch, &self.end);
        let parts = message::frames(place, &frames, self.limit);
        for Framed { count, payload, .. } in &frames {
            self.end = self.end.after(self.store, self.end.epoch, *count, payload);
        }
        let end = self.end;
        self.units.push_back(Unit { parts, frames, end });
        Ok(())
    }
}

fn framed(batch: &Batch<'_>, rows: &[u8]) -> Result<Framed> {
    let frame = Framed {
        count: batch.count,
        payload: batch.payload.concat(),
        rows: rows.to_vec(),
    };
    let (bytes, limit) = (frame.payload.len() as u64, MAX_PAYLOAD);
    match bytes > limit {
        true => Err(Error::TooLarge { bytes, limit }),
        false => Ok(frame),
    }
}
