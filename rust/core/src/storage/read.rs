//! Reads: a row, a range of rows, all rows of a running execution, its history.

use rocksdb::{DBRawIterator, ErrorKind, ReadOptions, ReadTier};

use super::Storage;
use super::families::Family;
use super::keys::{self, Layout, Value};
use crate::error::{Error, Result};
use crate::msgpack::Reader;

/// A page of rows or turns ends after this many bytes.
const PAGE_BYTES: usize = 64 << 20;

/// Which rows of a kind to read.
#[derive(Clone, Debug, Default)]
pub struct Scan<'a> {
    /// The first parts of the key, in the key's order.
    pub prefix: &'a [Value<'a>],
    /// The key fields of a row, in the row's order: the scan begins behind it.
    pub after: Option<&'a [Value<'a>]>,
    /// The greatest value of the number that follows the prefix: of timers, the latest due time.
    pub until: Option<u64>,
    pub limit: usize,
    pub reverse: bool,
}

/// Where a read looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reach {
    /// In memory, and on disk if need be.
    Disk,
    /// In memory only: a caller who must not wait. The answer is `None` if only the disk knows it.
    Memory,
}

impl Storage {
    /// The row of a kind with this key.
    pub fn get(&self, tag: i64, key: &[Value]) -> Result<Option<Vec<u8>>> {
        let (family, bytes) = row_key(tag, key)?;
        self.get_raw(family, &bytes)
    }

    /// The row of a kind with this key, unless the disk must be read for that: then `None`.
    pub fn get_in_memory(&self, tag: i64, key: &[Value]) -> Result<Option<Option<Vec<u8>>>> {
        let (family, bytes) = row_key(tag, key)?;
        self.read(family, &bytes, Reach::Memory)
    }

    /// Rows of a kind in the order of their keys. Large rows make a page smaller than asked, but it has at least one.
    pub fn scan(&self, tag: i64, scan: &Scan) -> Result<Vec<Vec<u8>>> {
        let layout = Layout::of(tag)?;
        let mut prefix = Vec::with_capacity(96);
        layout.prefix(scan.prefix, &mut prefix)?;
        let (mut start, mut end) = (prefix.clone(), keys::after_prefix(&prefix));
        if scan.until.is_some() && !layout.number_follows(scan.prefix) {
            return Err(Error::Key {
                reason: format!("rows of tag {tag} are not in the order of a number"),
            });
        }
        if let Some(until) = scan.until.and_then(|until| until.checked_add(1)) {
            let mut bound = prefix.clone();
            keys::number(until, &mut bound);
            end = Some(end.map_or(bound.clone(), |end| end.min(bound)));
        }
        if let Some(after) = scan.after {
            let mut key = Vec::with_capacity(96);
            layout.key(after, &mut key)?;
            match scan.reverse {
                true => end = Some(end.map_or(key.clone(), |end| end.min(key))),
                false => {
                    key.push(0);
                    start = start.max(key);
                }
            }
        }
        let only_this_kind = layout.has_only_this_kind(scan.prefix);
        let (mut rows, mut bytes) = (Vec::new(), 0);
        self.range(layout.family, start, end, scan.reverse, |_, row| {
            if rows.len() < scan.limit && (only_this_kind || tag_of(row) == Some(tag)) {
                bytes += row.len();
                rows.push(row.to_vec());
            }
            rows.len() < scan.limit && bytes < PAGE_BYTES
        })?;
        Ok(rows)
    }

    /// The execution's row and all rows within it, as one MessagePack array; an empty one if it does not exist.
    pub fn load(&self, execution: &str) -> Result<Vec<u8>> {
        let rows = self.load_within(execution, Reach::Disk)?;
        Ok(rows.unwrap_or_default()) // a read that reaches the disk has an answer
    }

    /// What `load` returns, unless the disk must be read for that: then `None`.
    pub fn load_in_memory(&self, execution: &str) -> Result<Option<Vec<u8>>> {
        self.load_within(execution, Reach::Memory)
    }

    fn load_within(&self, execution: &str, reach: Reach) -> Result<Option<Vec<u8>>> {
        let mut prefix = Vec::with_capacity(64);
        keys::execution(execution, &mut prefix);
        let row = match self.read(Family::Executions, &prefix, reach)? {
            Some(Some(row)) => row,
            Some(None) => return Ok(Some(vec![0x90])),
            None => return Ok(None),
        };
        let mut rows = Vec::with_capacity(1024);
        rows.extend_from_slice(&[0xdd, 0, 0, 0, 0]);
        rows.extend_from_slice(&row);
        let mut count = 1_u32;
        let end = keys::after_prefix(&prefix);
        let iterator = self.iterator(Family::Activities, prefix, end, reach)?;
        let is_whole = self.visit(iterator, false, reach, |_, row| {
            rows.extend_from_slice(row);
            count += 1;
            true
        })?;
        rows[1..5].copy_from_slice(&count.to_be_bytes());
        Ok(is_whole.then_some(rows))
    }

    /// Up to `limit` turns of an execution's history, from the one that holds event number `first_event`.
    ///
    /// In reverse they go back from there, and 0 means the last event. Large turns make a page smaller, but it has
    /// at least two: a caller that continues from the last event of a page gets its turn again.
    pub fn history(
        &self,
        execution: &str,
        first_event: u64,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Vec<u8>>> {
        let mut prefix = Vec::with_capacity(64);
        keys::execution(execution, &mut prefix);
        let end = keys::after_prefix(&prefix);
        let first_event = if reverse && first_event == 0 {
            u64::MAX
        } else {
            first_event
        };
        let mut key = Vec::with_capacity(64);
        keys::history(execution, first_event, &mut key);
        let mut rows = self.iterator(Family::History, prefix, end, Reach::Disk)?;
        rows.seek_for_prev(&key);
        if !rows.valid() && !reverse {
            rows.seek_to_first();
        }
        let (mut turns, mut bytes) = (Vec::new(), 0);
        while turns.len() < limit
            && (bytes < PAGE_BYTES || turns.len() < 2)
            && let Some(turn) = rows.value()
        {
            bytes += turn.len();
            turns.push(turn.to_vec());
            step(&mut rows, reverse);
        }
        rows.status().map_err(self.failed("read"))?;
        Ok(turns)
    }

    pub(super) fn get_raw(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let row = self.read(family, key, Reach::Disk)?;
        Ok(row.flatten())
    }

    /// The row with this key; `None` if only the disk knows it, and the reach is memory.
    fn read(&self, family: Family, key: &[u8], reach: Reach) -> Result<Option<Option<Vec<u8>>>> {
        let family = self.family(family)?;
        let found = match reach {
            Reach::Disk => self.db.get_pinned_cf(family, key),
            Reach::Memory => self.db.get_pinned_cf_opt(family, key, &self.memory),
        };
        match found {
            Ok(row) => Ok(Some(row.map(|row| row.to_vec()))),
            Err(error) if is_on_disk(&error, reach) => Ok(None),
            Err(error) => Err(self.failed("read")(error)),
        }
    }

    /// Calls `visit` with each key and row whose key begins with `prefix`, until it returns false.
    pub(super) fn each(
        &self,
        family: Family,
        prefix: &[u8],
        visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<()> {
        self.range(
            family,
            prefix.to_vec(),
            keys::after_prefix(prefix),
            false,
            visit,
        )
    }

    fn range(
        &self,
        family: Family,
        start: Vec<u8>,
        end: Option<Vec<u8>>,
        reverse: bool,
        visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<()> {
        if end.as_ref().is_some_and(|end| *end <= start) {
            return Ok(());
        }
        let rows = self.iterator(family, start, end, Reach::Disk)?;
        self.visit(rows, reverse, Reach::Disk, visit).map(drop)
    }

    /// Calls `visit` with the rows of an iterator, until it returns false; whether memory had all of them.
    fn visit(
        &self,
        mut rows: DBRawIterator<'_>,
        reverse: bool,
        reach: Reach,
        mut visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<bool> {
        match reverse {
            true => rows.seek_to_last(),
            false => rows.seek_to_first(),
        }
        while let Some((key, row)) = rows.item() {
            if !visit(key, row) {
                return Ok(true);
            }
            step(&mut rows, reverse);
        }
        match rows.status() {
            Ok(()) => Ok(true),
            Err(error) if is_on_disk(&error, reach) => Ok(false),
            Err(error) => Err(self.failed("read")(error)),
        }
    }

    fn iterator(
        &self,
        family: Family,
        start: Vec<u8>,
        end: Option<Vec<u8>>,
        reach: Reach,
    ) -> Result<DBRawIterator<'_>> {
        let mut options = match reach {
            Reach::Disk => ReadOptions::default(),
            Reach::Memory => memory(),
        };
        options.set_iterate_lower_bound(start);
        if let Some(end) = end {
            options.set_iterate_upper_bound(end);
        }
        Ok(self.db.raw_iterator_cf_opt(self.family(family)?, options))
    }
}

/// Where the row of a kind with this key is.
fn row_key(tag: i64, key: &[Value]) -> Result<(Family, Vec<u8>)> {
    let layout = Layout::of(tag)?;
    let mut bytes = Vec::with_capacity(96);
    layout.key(key, &mut bytes)?;
    Ok((layout.family, bytes))
}

/// Options of a read that asks no disk: RocksDB's memtables, and the blocks that it keeps.
pub(super) fn memory() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_read_tier(ReadTier::BlockCache);
    options
}

/// Whether a read failed only because it was to ask no disk.
fn is_on_disk(error: &rocksdb::Error, reach: Reach) -> bool {
    reach == Reach::Memory && error.kind() == ErrorKind::Incomplete
}

fn tag_of(row: &[u8]) -> Option<i64> {
    let mut row = Reader::new(row);
    row.array().and_then(|_| row.integer::<i64>()).ok()
}

fn step(rows: &mut DBRawIterator, reverse: bool) {
    match reverse {
        true => rows.prev(),
        false => rows.next(),
    }
}
