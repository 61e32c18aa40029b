//! Room ahead of the writer: zeros behind the last frame, which the next frames are written over.
//!
//! A file that grows makes every sync write its new length and its new blocks into the file system's
//! journal too. Over bytes that are on the disk already, a sync writes those bytes and nothing else.
//!
//! They are written, not allocated (`fallocate`): the first write into a block that was only allocated
//! goes through the journal as well. See docs/adr/0013.

use std::io;

use crate::env::File;

/// How much room a new segment has at first.
const FIRST: u64 = 64 << 10;

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The room in the segment that is being written.
pub struct Ahead {
    /// The most room that is made at a time.
    most: u64,
    /// No room is made beyond this, where the frames go on in the next segment.
    segment_bytes: u64,
    /// Where the room ends.
    end: u64,
    /// Whether the disk had none to give: what is left of it is for frames.
    is_refused: bool,
}

impl Ahead {
    pub fn new(most: u64, segment_bytes: u64) -> Ahead {
        Ahead {
            most,
            segment_bytes,
            end: 0,
            is_refused: false,
        }
    }

    /// Makes room behind `offset`, where the file's frames end, if there is none: the more, the longer
    /// the file is. The next sync makes it durable.
    pub fn extend(&mut self, file: &dyn File, offset: u64) -> io::Result<()> {
        let room = offset.max(FIRST).min(self.most);
        let end = (offset + room).min(self.segment_bytes);
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

    /// Gives back what was not used; returns whether there was something.
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

/// Whether frames may still find the room that these zeros did not.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
