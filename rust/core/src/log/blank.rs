//! The zeros at the end of a file: preallocated and not used, or left by a crash.

use std::io;

use crate::env::File;

/// How much of a file is read at a time.
const PIECE: usize = 256 * 1024;

/// The offset, at `from` or later, where the file's trailing zeros begin.
pub fn start(file: &dyn File, from: u64) -> io::Result<u64> {
    let size = file.size()?;
    let mut piece = vec![0; PIECE.min(size.saturating_sub(from) as usize)];
    let (mut start, mut offset) = (from, from);
    while offset < size {
        let read = file.read_full_at(&mut piece, offset)?;
        if read == 0 {
            break;
        }
        match content(&piece[..read]) {
            0 => {}
            length => start = offset + length as u64,
        }
        offset += read as u64;
    }
    Ok(start)
}

/// Whether all bytes are zeros.
pub fn is_zero(bytes: &[u8]) -> bool {
    // By chunks without an early exit, so that the compiler vectorizes the loop.
    bytes
        .chunks(256)
        .all(|piece| piece.iter().fold(0, |all, byte| all | byte) == 0)
}

/// The length of `bytes` without their trailing zeros.
pub fn content(bytes: &[u8]) -> usize {
    if is_zero(bytes) {
        return 0;
    }
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
}
