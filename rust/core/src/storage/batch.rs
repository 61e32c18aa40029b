//! A batch: turns of the log, and the changes that they make in storage.

use std::ops::Range;

use rocksdb::WriteBatch;

use super::families::{Families, Family};
use super::keys::{self, EXECUTION_TREE, Layout};
use super::{Applied, Storage};
use crate::error::{Error, Result};
use crate::msgpack::Reader;

/// Up to this many rows of an execution are deleted one by one.
const MAX_SINGLE_DELETES: u32 = 1000;

/// What is committed atomically.
#[derive(Debug, Default)]
pub struct Batch {
    /// The position of its last record.
    pub position: u64,
    /// How many records it has. A batch without records is not on the log and has no position.
    pub count: u32,
    /// The clock of its newest record, as a `u64`.
    pub hlc: u64,
    /// The turns, back to back, as they stand in the log.
    pub payload: Vec<u8>,
    /// The turns that are rows of a history.
    pub(super) turns: Vec<HistoryTurn>,
    /// Rows to put and keys to delete, a msgpack array of arrays.
    pub changes: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct HistoryTurn {
    execution: Box<str>,
    first_event: u64,
    bytes: Range<usize>,
}

impl Batch {
    /// A batch without turns; `bytes` and `turns` are the expected size.
    pub fn with_capacity(bytes: usize, turns: usize) -> Self {
        Self {
            payload: Vec::with_capacity(bytes),
            turns: Vec::with_capacity(turns),
            ..Self::default()
        }
    }

    /// Adds a turn of `count` records. Its first history event is `first_event`, or 0 if it has none.
    pub fn push(&mut self, execution: &str, first_event: u64, count: u32, turn: &[u8]) {
        let start = self.payload.len();
        self.payload.extend_from_slice(turn);
        self.count += count;
        if first_event > 0 {
            self.turns.push(HistoryTurn {
                execution: execution.into(),
                first_event,
                bytes: start..self.payload.len(),
            });
        }
    }

    /// What a copy needs beside the payload to apply the batch without making its changes itself.
    ///
    /// | bytes | field |
    /// |---|---|
    /// | 8 | the clock |
    /// | 4 | how many turns are rows of a history; for each: first event (8), begin and end in the payload (4 each), length of the execution's id (4), that id |
    /// | then | the changes |
    pub fn rows(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(12 + 64 * self.turns.len() + self.changes.len());
        bytes.extend_from_slice(&self.hlc.to_le_bytes());
        bytes.extend_from_slice(&(self.turns.len() as u32).to_le_bytes());
        for turn in &self.turns {
            bytes.extend_from_slice(&turn.first_event.to_le_bytes());
            bytes.extend_from_slice(&(turn.bytes.start as u32).to_le_bytes());
            bytes.extend_from_slice(&(turn.bytes.end as u32).to_le_bytes());
            bytes.extend_from_slice(&(turn.execution.len() as u32).to_le_bytes());
            bytes.extend_from_slice(turn.execution.as_bytes());
        }
        bytes.extend_from_slice(&self.changes);
        bytes
    }

    /// A batch of the log, up to `position`, with the rows that [`rows`](Self::rows) encoded. Everything is checked, so
    /// that a batch that cannot be applied is refused as a whole.
    pub fn of(payload: Vec<u8>, count: u32, position: u64, rows: &[u8]) -> Result<Self> {
        let mut rest = rows;
        let hlc = u64::from_le_bytes(take(rows, &mut rest)?);
        let number = u32::from_le_bytes(take(rows, &mut rest)?);
        let mut turns = Vec::new();
        for _ in 0..number {
            let first_event = u64::from_le_bytes(take(rows, &mut rest)?);
            let start = u32::from_le_bytes(take(rows, &mut rest)?) as usize;
            let end = u32::from_le_bytes(take(rows, &mut rest)?) as usize;
            let length = u32::from_le_bytes(take(rows, &mut rest)?) as usize;
            let id = rest.split_at_checked(length).and_then(|(id, after)| {
                rest = after;
                std::str::from_utf8(id).ok()
            });
            let is_within = start <= end && end <= payload.len();
            let execution = id
                .filter(|_| is_within)
                .ok_or_else(|| cut_short(rows, rest))?;
            turns.push(HistoryTurn {
                execution: execution.into(),
                first_event,
                bytes: start..end,
            });
        }
        let batch = Self {
            position,
            count,
            hlc,
            turns,
            changes: rest.to_vec(),
            payload,
        };
        batch.check()?;
        Ok(batch)
    }

    /// About how much memory it holds.
    pub fn bytes(&self) -> usize {
        self.payload.len() + self.changes.len() + 64 * self.turns.len()
    }

    /// Checks that storage understands the changes, so that the log never holds a batch that cannot be applied.
    pub fn check(&self) -> Result<()> {
        let mut key = Vec::with_capacity(128);
        read_changes(&self.changes, &mut key, |_, _| Ok(()))
    }

    /// The changes as a RocksDB batch, with the position and clock that they lead to.
    pub(super) fn build(&self, storage: &Storage) -> Result<WriteBatch> {
        let families = storage.families()?;
        let mut writes =
            WriteBatch::with_capacity_bytes(self.payload.len() + self.changes.len() * 5 / 4 + 256);
        let mut key = Vec::with_capacity(128);
        for turn in &self.turns {
            key.clear();
            keys::history(&turn.execution, turn.first_event, &mut key);
            writes.put_cf(
                families.get(Family::History),
                &key,
                &self.payload[turn.bytes.clone()],
            );
        }
        read_changes(&self.changes, &mut key, |key, change| {
            match change {
                Change::Put { family, row, .. } => writes.put_cf(families.get(family), key, row),
                Change::Delete { family } => writes.delete_cf(families.get(family), key),
                Change::DeleteTree { execution, until } => {
                    self.delete_tree(execution, until, storage, &families, &mut writes)?;
                }
            }
            Ok(())
        })?;
        if self.count > 0 {
            let applied = Applied {
                position: self.position,
                hlc: self.hlc,
                checksum: crc32c::crc32c(&self.payload),
            };
            let family = families.get(Family::Meta);
            writes.put_cf(family, super::APPLIED, applied.to_bytes());
        }
        Ok(writes)
    }

    /// Deletes an execution's rows: the stored ones, and those that the changes before byte `until` put.
    ///
    /// A few rows are deleted one by one, because many range deletions slow down every later read. More rows
    /// are deleted with one range deletion, and RocksDB reclaims the space in the background.
    fn delete_tree(
        &self,
        execution: &str,
        until: usize,
        storage: &Storage,
        families: &Families,
        writes: &mut WriteBatch,
    ) -> Result<()> {
        let mut prefix = Vec::with_capacity(64);
        keys::execution(execution, &mut prefix);
        writes.delete_cf(families.get(Family::Executions), &prefix);
        for family in [Family::Activities, Family::History] {
            let mut rows = 0;
            storage.each(family, &prefix, |key, _| {
                rows += 1;
                writes.delete_cf(families.get(family), key);
                rows < MAX_SINGLE_DELETES
            })?;
            if rows == MAX_SINGLE_DELETES
                && let Some(end) = keys::after_prefix(&prefix)
            {
                writes.delete_range_cf(families.get(family), &prefix, &end);
            }
        }
        let mut key = Vec::with_capacity(128);
        for turn in self
            .turns
            .iter()
            .filter(|turn| *turn.execution == *execution)
        {
            key.clear();
            keys::history(execution, turn.first_event, &mut key);
            writes.delete_cf(families.get(Family::History), &key);
        }
        read_changes(&self.changes, &mut key, |key, change| {
            if let Change::Put {
                family: Family::Activities,
                at,
                ..
            } = change
                && at < until
                && key.starts_with(&prefix)
            {
                writes.delete_cf(families.get(Family::Activities), key);
            }
            Ok(())
        })
    }
}

/// The next `N` bytes of the rows of a batch.
fn take<const N: usize>(rows: &[u8], rest: &mut &[u8]) -> Result<[u8; N]> {
    let Some((bytes, after)) = rest.split_first_chunk::<N>() else {
        return Err(cut_short(rows, rest));
    };
    *rest = after;
    Ok(*bytes)
}

fn cut_short(rows: &[u8], rest: &[u8]) -> Error {
    Error::Record {
        offset: rows.len() - rest.len(),
        reason: "the rows of a batch are not what was written".to_owned(),
    }
}

/// One item of a batch's changes.
enum Change<'a> {
    Put {
        family: Family,
        row: &'a [u8],
        at: usize,
    },
    Delete {
        family: Family,
    },
    DeleteTree {
        execution: &'a str,
        until: usize,
    },
}

/// Calls `visit` with each change and its key, which is empty for the deletion of a tree.
fn read_changes(
    changes: &[u8],
    key: &mut Vec<u8>,
    mut visit: impl FnMut(&[u8], Change) -> Result<()>,
) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut reader = Reader::new(changes);
    for _ in 0..reader.array()? {
        key.clear();
        let at = reader.offset();
        let fields = reader.array()?;
        let tag: i64 = reader.integer()?;
        let change = if tag == -EXECUTION_TREE {
            let execution = reader.text()?;
            skip_rest(&mut reader, fields, 2, at)?;
            Change::DeleteTree {
                execution,
                until: at,
            }
        } else {
            let layout = Layout::of(tag.abs())?;
            layout.read_key(&mut reader, key)?;
            skip_rest(&mut reader, fields, 1 + layout.fields.len() as u32, at)?;
            match tag {
                0.. => Change::Put {
                    family: layout.family,
                    row: reader.since(at),
                    at,
                },
                _ => Change::Delete {
                    family: layout.family,
                },
            }
        };
        visit(key, change)?;
    }
    match reader.is_at_end() {
        true => Ok(()),
        false => Err(Error::Record {
            offset: reader.offset(),
            reason: "bytes behind the changes".to_owned(),
        }),
    }
}

fn skip_rest(reader: &mut Reader, fields: u32, read: u32, at: usize) -> Result<()> {
    let rest = fields.checked_sub(read);
    reader.skip(rest.ok_or_else(|| Error::Record {
        offset: at,
        reason: "a row without all of its key".to_owned(),
    })?)
}
