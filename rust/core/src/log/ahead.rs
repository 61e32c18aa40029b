//! Preallocation: zeros behind the last frame, which the next frames overwrite.
//!
//! When a file grows, every sync also writes its new length and blocks into the file system's journal.
//! A sync after overwriting bytes that are on the disk already writes only those bytes.
//!
//! The zeros are written, not allocated (`fallocate`): the first write into a block that was only
//! allocated goes through the journal as well. See docs/adr/0013.

use std::io;

use crate::env::File;

/// How many zeros a new segment gets first.
const FIRST: u64 = 64 << 10;

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The preallocated zeros of the segment that is being written.
pub struct Preallocation {
    /// The most zeros that are written at a time.
    limit: u64,
    /// Nothing is preallocated beyond this offset: the next segment begins there.
    segment_bytes: u64,
    /// Where the zeros end.
    end: u64,
    /// Whether the disk was full: the rest of it is left for frames.
    is_refused: bool,
}

impl Preallocation {
    pub fn new(limit: u64, segment_bytes: u64) -> Preallocation {
        Preallocation {
            limit,
            segment_bytes,
            end: 0,
            is_refused: false,
        }
    }

    /// Writes zeros behind `offset`, where the frames end, if there are none: the longer the file, the
    /// more. The next sync makes them durable.
    pub fn extend(&mut self, file: &dyn File, offset: u64) -> io::Result<()> {
        let length = offset.max(FIRST).min(self.limit);
        let end = (offset + length).min(self.segment_bytes);
        if offset < self.end || end <= offset || self.is_refused {
            return Ok(());
        }
        self.end = end;
        match write_zeros(file, offset, end) {
            Err(error) if is_full(&error) => {
                self.is_refused = true;
                self.trim(file, offset).map(drop)
            }
            result => result,
        }
    }

    /// Cuts off unused zeros; returns whether there were any.
    pub fn trim(&mut self, file: &dyn File, offset: u64) -> io::Result<bool> {
        if self.end <= offset {
            return Ok(false);
        }
        file.set_len(offset)?;
        self.end = offset;
        Ok(true)
    }
}

fn write_zeros(file: &dyn File, mut offset: u64, end: u64) -> io::Result<()> {
    while offset < end {
        let length = (end - offset).min(ZEROS.len() as u64);
        file.write_all_at(&ZEROS[..length as usize], offset)?;
        offset += length;
    }
    Ok(())
}

/// Whether the disk has no space for these zeros; frames may still fit.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
