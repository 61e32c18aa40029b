//! Reading a file from front to back in large pieces.

use std::io;
use std::sync::Arc;

use crate::env::File;

/// How much is read at a time: first little, because often little follows, later more.
const FIRST_PIECE: usize = 4 * 1024;
const LARGEST_PIECE: usize = 256 * 1024;

/// An offset in a file, with a read-ahead buffer.
pub struct Cursor {
    file: Arc<dyn File>,
    offset: u64,
    buffer: Vec<u8>,
    start: usize,
    piece: usize,
}

impl Cursor {
    pub fn new(file: Arc<dyn File>, offset: u64) -> Cursor {
        Cursor {
            file,
            offset,
            buffer: Vec::new(),
            start: 0,
            piece: FIRST_PIECE,
        }
    }

    /// The offset of the next byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next `length` bytes; fewer at the end of the file.
    pub fn peek(&mut self, length: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.start < length {
            self.fill(length)?;
        }
        let end = self.buffer.len().min(self.start + length);
        Ok(&self.buffer[self.start..end])
    }

    /// Skips `length` bytes that [`peek`](Self::peek) returned.
    pub fn advance(&mut self, length: usize) {
        self.start += length;
        self.offset += length as u64;
    }

    /// Whether the buffer holds bytes that a writer may have changed since.
    pub fn is_ahead(&self) -> bool {
        self.buffer.len() > self.start
    }

    /// Drops the buffer.
    pub fn reread(&mut self) {
        self.buffer.clear();
        self.start = 0;
        self.piece = FIRST_PIECE;
    }

    fn fill(&mut self, length: usize) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let have = self.buffer.len();
        // A length that was read from the file may be garbage: allocate no more than the file holds.
        let left = self.file.size()?.saturating_sub(self.offset);
        let want = (length.max(self.piece) as u64).min(left).max(have as u64) as usize;
        self.buffer.resize(want, 0);
        self.piece = LARGEST_PIECE.min(2 * self.piece);
        let read = self
            .file
            .read_full_at(&mut self.buffer[have..], self.offset + have as u64);
        self.buffer.truncate(have + *read.as_ref().unwrap_or(&0));
        read.map(drop)
    }
}
