//! The hash over all frames of a partition, and how far a copy has it.
//!
//! The hash after a frame is SHA-256 of the hash before it, the store's id, and the frame: epoch, first position, number of
//! records, length of the payload, payload. So it can be computed from a copy's own files, and two histories that differ
//! anywhere have different hashes from there on. Marks of epochs do not change it; the epoch of the next frame does.
//!
//! The file `CHAIN` in a copy's folder keeps it for one position, at which the log beside it is durable:
//! `{position} {sequence} {epoch} {hash}`. A restart computes the rest from the log.

use std::fmt;

use sha2::{Digest as _, Sha256};
use stepwell_core::env::Folder;
use stepwell_core::hex::parse_hex;
use stepwell_core::identity::StoreId;
use stepwell_core::log::LogStream;
use stepwell_core::{Error, Result};

const NAME: &str = "CHAIN";

/// A hash of all frames up to a position.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash after one more frame.
    pub fn after(self, store: StoreId, epoch: u64, first: u64, count: u32, payload: &[u8]) -> Hash {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(store.to_bytes());
        hash.update(epoch.to_le_bytes());
        hash.update(first.to_le_bytes());
        hash.update(count.to_le_bytes());
        hash.update((payload.len() as u64).to_le_bytes());
        hash.update(payload);
        Hash(hash.finalize().into())
    }

    fn parse(text: &str) -> Option<Hash> {
        let mut bytes = [0; 32];
        let digits = text.as_bytes().chunks_exact(2);
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(digits) {
            let digits = std::str::from_utf8(digits).ok()?;
            *byte = parse_hex(digits, 2)? as u8;
        }
        Some(Hash(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// How far a copy has the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Link {
    /// The position of the last record.
    pub position: u64,
    /// The stream's sequence that it is at.
    pub sequence: u64,
    pub epoch: u64,
    pub hash: Hash,
}

impl Link {
    /// What the folder's file says; the beginning of the stream without one.
    pub fn read(folder: &Folder) -> Result<Link> {
        let path = folder.path().join(NAME);
        let bytes = folder.read(NAME).map_err(Error::io("read", &path))?;
        let Some(bytes) = bytes else {
            return Ok(Link::default());
        };
        let text = String::from_utf8_lossy(&bytes);
        Link::parse(text.trim_end()).ok_or_else(|| Error::Damaged {
            path,
            reason: "it does not say how far the copy is".to_owned(),
        })
    }

    /// Writes the file durably.
    pub fn write(&self, folder: &Folder) -> Result<()> {
        let written = folder.write(NAME, format!("{self}\n").as_bytes());
        written.map_err(Error::io("write", &folder.path().join(NAME)))
    }

    /// The same after a frame, which was at `sequence`.
    pub fn after(&self, store: StoreId, epoch: u64, count: u32, payload: &[u8]) -> Link {
        let first = self.position + 1;
        Link {
            position: self.position + u64::from(count),
            sequence: self.sequence,
            epoch,
            hash: self.hash.after(store, epoch, first, count, payload),
        }
    }

    /// Follows the frames of a log from here to its end. The sequence stays: the log does not know it.
    pub fn through(mut self, log: &dyn LogStream) -> Result<Link> {
        let end = log.tail();
        if self.position >= end {
            return Ok(self);
        }
        for frame in log.read(self.position + 1)? {
            let frame = frame?;
            if frame.count > 0 && frame.first > self.position {
                self = self.after(log.store(), frame.epoch, frame.count, &frame.payload);
            }
        }
        Ok(self)
    }

    fn parse(text: &str) -> Option<Link> {
        let mut words = text.split(' ');
        let mut number = || words.next()?.parse().ok();
        let (position, sequence, epoch) = (number()?, number()?, number()?);
        let hash = Hash::parse(words.next()?)?;
        words.next().is_none().then_some(Link {
            position,
            sequence,
            epoch,
            hash,
        })
    }
}

impl fmt::Display for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Link {
            position,
            sequence,
            epoch,
            hash,
        } = self;
        write!(out, "{position} {sequence} {epoch} {hash}")
    }
}
