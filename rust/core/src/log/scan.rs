//! Reads the frames of one segment, and describes the defect where a frame is not whole.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::blank;
use super::cursor::Cursor;
use super::frame::{END, HEADER, Header, HeaderFault, MAGIC, MAX_PAYLOAD, VERSION};
use crate::env::File;
use crate::identity::StoreId;

/// How many bytes lie between two marks for readers, at least.
pub const MARK_EVERY: u64 = 1 << 20;

/// A disk writes a sector as a whole or not at all.
const SECTOR: u64 = 512;

/// What a scan finds next.
pub enum Step {
    /// A whole frame, which begins at `offset`; its payload is [`Scan::payload`].
    Frame { header: Header, offset: u64 },
    /// The end of the frames: the file ends, or only zeros follow.
    End,
    /// Anything else; the scan does not continue.
    Defect(Defect),
    /// A valid header of an unknown format.
    Unknown(u8),
}

/// Bytes that are not the expected frame.
#[derive(Clone, Debug)]
pub struct Defect {
    /// Where the frame should begin.
    pub offset: u64,
    /// The position that the frame should begin with.
    pub position: u64,
    pub reason: &'static str,
    /// Whether a crash may have left this: something is missing, nothing was altered.
    ///
    /// A crash loses the end of what was written, or sectors of it, which then read as zeros. Bytes that
    /// are complete but not what was written are not an unfinished write.
    pub is_torn: bool,
}

/// Reads a segment frame by frame.
pub struct Scan {
    file: Arc<dyn File>,
    cursor: Cursor,
    next: u64,
    epoch: u64,
    /// The store whose frames are expected; if unknown, the store of the first frame.
    store: Option<StoreId>,
    /// The length of the frame that the last step returned; the next step skips it.
    current: usize,
    /// A range of zeros up to the end of the file, which is not read again.
    blank: Range<u64>,
}

impl Scan {
    /// Starts at `offset`, where the frame with position `next` begins.
    pub fn new(file: Arc<dyn File>, offset: u64, next: u64) -> Scan {
        Scan {
            cursor: Cursor::new(Arc::clone(&file), offset),
            file,
            next,
            epoch: 0,
            store: None,
            current: 0,
            blank: 0..0,
        }
    }

    /// Accepts only frames of this store.
    pub fn of(mut self, store: Option<StoreId>) -> Scan {
        self.store = store;
        self
    }

    /// The position that the next frame should begin with.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The offset of the next step.
    pub fn offset(&self) -> u64 {
        self.cursor.offset() + self.current as u64
    }

    /// The highest epoch so far.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Reads all zeros at the end of the file again, once.
    pub fn forget_blank(&mut self) {
        self.blank = 0..0;
    }

    /// The next frame, or what stands in its place.
    pub fn step(&mut self) -> io::Result<Step> {
        self.cursor.advance(std::mem::take(&mut self.current));
        let is_read_ahead = self.cursor.is_ahead();
        let mut step = self.look()?;
        // Another process may write here meanwhile.
        let is_stale = match step {
            Step::Frame { .. } => return Ok(step),
            Step::Defect(_) => true,
            Step::End | Step::Unknown(_) => is_read_ahead,
        };
        if is_stale {
            self.cursor.reread();
            step = self.look()?;
        }
        if !matches!(step, Step::Frame { .. }) {
            self.cursor.reread();
        }
        Ok(step)
    }

    fn look(&mut self) -> io::Result<Step> {
        let offset = self.cursor.offset();
        let bytes = self.cursor.peek(HEADER)?;
        if bytes.is_empty() || blank::is_zero(bytes) && self.is_blank_from(offset)? {
            return Ok(Step::End);
        }
        let bytes = self.cursor.peek(HEADER)?;
        let header = match read_header(bytes, offset) {
            Ok(header) => header,
            Err(Fault::Version(version)) => return Ok(Step::Unknown(version)),
            Err(Fault::Bytes(reason, is_torn)) => {
                let is_torn = is_torn || self.is_cut_short(HEADER)?;
                return Ok(self.defect(reason, is_torn));
            }
        };
        if let Some(reason) = self.misplaced(&header) {
            return Ok(self.defect(reason, false));
        }
        let length = header.frame_length() as usize;
        let bytes = self.cursor.peek(length)?;
        if bytes.len() < length {
            return Ok(self.defect("the file ends inside a frame", true));
        }
        let (payload, end) = (&bytes[HEADER..length - 1], bytes[length - 1]);
        if end != END || crc32c::crc32c(payload) != header.checksum {
            let is_torn = lacks_a_sector(bytes, offset) || self.is_cut_short(length)?;
            return Ok(self.defect("the payload's checksum or its end is wrong", is_torn));
        }
        self.current = length;
        self.next = header.next();
        self.epoch = header.epoch;
        self.store = Some(header.store);
        Ok(Step::Frame { header, offset })
    }

    /// The payload of the frame that the last step gave.
    pub fn payload(&mut self) -> io::Result<&[u8]> {
        let frame = self.cursor.peek(self.current)?;
        Ok(&frame[HEADER..frame.len() - 1])
    }

    fn defect(&self, reason: &'static str, is_torn: bool) -> Step {
        Step::Defect(Defect {
            offset: self.cursor.offset(),
            position: self.next,
            reason,
            is_torn,
        })
    }

    /// Whether the `length` bytes here are the beginning of a frame, followed by zeros up to the end of
    /// the file: an unfinished write over preallocated zeros.
    fn is_cut_short(&mut self, length: usize) -> io::Result<bool> {
        let end = self.cursor.offset() + length as u64;
        let bytes = self.cursor.peek(length)?;
        let written = blank::content(bytes);
        let begins = MAGIC.starts_with(&bytes[..written.min(MAGIC.len())]);
        Ok(begins && written < length && self.is_blank_from(end)?)
    }

    /// Whether only zeros stand from `offset` to the end of the file.
    fn is_blank_from(&mut self, offset: u64) -> io::Result<bool> {
        let is_known = self.blank.contains(&offset);
        let from = if is_known { self.blank.end } else { offset };
        let size = self.file.size()?;
        let is_blank = blank::start(&*self.file, from)? == from;
        if is_blank {
            self.blank = offset..size;
        }
        Ok(is_blank)
    }

    fn misplaced(&self, header: &Header) -> Option<&'static str> {
        if self.store.is_some_and(|store| store != header.store) {
            return Some("a frame of another store stands here");
        }
        if header.first != self.next {
            return Some("a frame of another position stands here");
        }
        if header.epoch < self.epoch {
            return Some("a frame of an earlier epoch stands here");
        }
        if header.durable >= header.first || u64::from(header.length) > MAX_PAYLOAD {
            return Some("the header contradicts itself");
        }
        None
    }
}

enum Fault {
    Version(u8),
    Bytes(&'static str, bool),
}

fn read_header(bytes: &[u8], offset: u64) -> Result<Header, Fault> {
    if bytes.len() < HEADER {
        let magic = &bytes[..bytes.len().min(MAGIC.len())];
        let is_torn = MAGIC.starts_with(magic) || lacks_a_sector(bytes, offset);
        return Err(Fault::Bytes("the file ends inside a header", is_torn));
    }
    let reason = match Header::decode(bytes) {
        Ok(header) => return Ok(header),
        Err(HeaderFault::Version(version)) if version > VERSION => {
            return Err(Fault::Version(version));
        }
        Err(HeaderFault::Version(_)) => "the format number makes no sense",
        Err(HeaderFault::Magic) => "no frame begins here",
        Err(HeaderFault::Checksum) => "the header's checksum is wrong",
    };
    Err(Fault::Bytes(reason, lacks_a_sector(bytes, offset)))
}

/// Whether one of the sectors in `bytes` is all zeros, as far as it lies in them.
fn lacks_a_sector(bytes: &[u8], offset: u64) -> bool {
    let to_boundary = (SECTOR - offset % SECTOR) as usize;
    let (head, rest) = bytes.split_at(to_boundary.min(bytes.len()));
    let is_zero = |piece: &[u8]| piece.iter().all(|byte| *byte == 0);
    is_zero(head) || rest.chunks(SECTOR as usize).any(is_zero)
}
