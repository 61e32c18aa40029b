//! Checks RocksDB's manifest before RocksDB reads it.
//!
//! The manifest is a log of records, each with a checksum, and RocksDB refuses a damaged one. But if a
//! flipped bit turns a record's type into one that only reused logs have, RocksDB reads for ever. This
//! check finds such a type first.

use std::fs;
use std::io;
use std::path::Path;

use super::damaged;
use crate::error::{Error, Result};

/// The manifest consists of blocks of this size. No record's header crosses the end of one.
const BLOCK: usize = 32 << 10;

/// CRC32C, length and type.
const HEADER: usize = 7;

/// Padding, whole, first, middle and last: the record types of a manifest.
const TYPES: std::ops::RangeInclusive<u8> = 0..=4;

/// Refuses the storage at `place` if its manifest has such a record; messages name `path`.
pub fn check(place: &Path, path: &Path) -> Result<()> {
    match foreign_record(place).map_err(Error::io("read", path))? {
        None => Ok(()),
        Some(offset) => Err(damaged(
            path,
            &format!("its list of files has a record of no known type at byte {offset}"),
        )),
    }
}

/// The offset of a record in the current manifest of `folder` whose type is not valid there.
fn foreign_record(folder: &Path) -> io::Result<Option<usize>> {
    let current = match fs::read_to_string(folder.join("CURRENT")) {
        Ok(name) => name,
        // A new database, or one whose CURRENT is not text: RocksDB reports it.
        Err(_) => return Ok(None),
    };
    match fs::read(folder.join(current.trim_end())) {
        Ok(list) => Ok(foreign_type(&list)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn foreign_type(list: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at + HEADER <= list.len() {
        if BLOCK - at % BLOCK < HEADER {
            at = at.next_multiple_of(BLOCK);
            continue;
        }
        let length = u16::from_le_bytes([list[at + 4], list[at + 5]]);
        if !TYPES.contains(&list[at + 6]) {
            return Some(at + 6);
        }
        at += HEADER + usize::from(length);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, length: usize) -> Vec<u8> {
        let mut record = vec![0, 0, 0, 0];
        record.extend((length as u16).to_le_bytes());
        record.push(kind);
        record.extend(vec![9; length]);
        record
    }

    #[test]
    fn finds_a_type_that_does_not_belong_also_behind_a_block() {
        let mut list = record(2, BLOCK - HEADER - 3);
        list.extend([0; 3]);
        list.extend(record(4, 10));
        list.extend(record(1, 10));
        assert_eq!(foreign_type(&list), None);
        list.extend(record(5, 10));
        assert_eq!(foreign_type(&list), Some(BLOCK + 2 * (HEADER + 10) + 6));
        assert_eq!(foreign_type(&record(1, 10)[..12]), None);
    }
}
