//! What a file in memory still holds after a simulated crash.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// A disk writes a sector as a whole or not at all.
const SECTOR: usize = 512;

/// What a crash loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Only the process: the operating system still writes everything that it received.
    Nothing,
    /// Whatever was not synced.
    Unsynced,
    /// Some sectors, lengths and folder entries that were not synced; the seed says which.
    Some(u64),
}

/// A file: what a reader sees of it, and what is durable.
#[derive(Clone, Default)]
pub(super) struct Content {
    pub seen: Vec<u8>,
    durable: Vec<u8>,
    /// What a reader saw at the last sync, whether it worked or not.
    seen_at_sync: Vec<u8>,
    /// The changes since then.
    unsynced: Vec<Change>,
}

#[derive(Clone)]
pub(super) enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    SetLen(u64),
}

impl Content {
    /// A file that is durable.
    pub fn durable(bytes: Vec<u8>) -> Content {
        Content {
            seen: bytes.clone(),
            durable: bytes.clone(),
            seen_at_sync: bytes,
            unsynced: Vec::new(),
        }
    }

    pub fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.unsynced.push(change);
    }

    /// Makes the changes since the last sync durable.
    pub fn sync(&mut self) {
        let mut state = std::mem::take(&mut self.seen_at_sync);
        for change in std::mem::take(&mut self.unsynced) {
            for sector in change.sectors(state.len()) {
                copy_sector(&self.seen, &mut self.durable, sector);
            }
            change.apply(&mut state);
        }
        self.durable.resize(self.seen.len(), 0);
        self.seen_at_sync = self.seen.clone();
    }

    /// Linux forgets what a failed sync could not write: the next one succeeds without it.
    pub fn fail_sync(&mut self) {
        self.unsynced.clear();
        self.seen_at_sync = self.seen.clone();
    }

    /// The content when no unsynced change reached the disk.
    pub fn without_unsynced(&self) -> Content {
        Content::durable(self.durable.clone())
    }

    /// The content when some unsynced changes reached the disk: each sector, and the length, is as it
    /// was after one of the changes or before all of them.
    pub fn with_some_unsynced(&self, random: &mut Random) -> Content {
        let mut state = self.seen_at_sync.clone();
        let mut kept = self.durable.clone();
        let mut length = self.durable.len();
        for change in &self.unsynced {
            let sectors = change.sectors(state.len());
            change.apply(&mut state);
            for sector in sectors {
                if random.coin() {
                    copy_sector(&state, &mut kept, sector);
                }
            }
            if random.coin() {
                length = state.len();
            }
        }
        kept.resize(length, 0);
        Content::durable(kept)
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::SetLen(len) => bytes.resize(*len as usize, 0),
            Change::Write { offset, bytes: new } => {
                let (start, end) = (*offset as usize, *offset as usize + new.len());
                bytes.resize(bytes.len().max(end), 0);
                bytes[start..end].copy_from_slice(new);
            }
        }
    }

    /// The sectors that this change touches in a file of `len` bytes.
    fn sectors(&self, len: usize) -> Range<usize> {
        let (start, end) = match self {
            Change::SetLen(new) => (len.min(*new as usize), len.max(*new as usize)),
            Change::Write { offset, bytes } => (*offset as usize, *offset as usize + bytes.len()),
        };
        start / SECTOR..end.div_ceil(SECTOR)
    }
}

fn copy_sector(from: &[u8], to: &mut Vec<u8>, sector: usize) {
    let (start, end) = (sector * SECTOR, (sector + 1) * SECTOR);
    to.resize(to.len().max(end), 0);
    to[start..end].fill(0);
    let from = &from[start.min(from.len())..end.min(from.len())];
    to[start..start + from.len()].copy_from_slice(from);
}

/// SplitMix64: good enough to draw test cases.
pub(super) struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn coin(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }

    /// What a folder holds: each entry that was made or removed since its sync is drawn as done or not.
    pub fn entries(
        &mut self,
        seen: &BTreeMap<PathBuf, usize>,
        durable: &BTreeMap<PathBuf, usize>,
    ) -> BTreeMap<PathBuf, usize> {
        let mut entries = durable.clone();
        for (path, file) in seen {
            if durable.get(path) != Some(file) && self.coin() {
                entries.insert(path.clone(), *file);
            }
        }
        entries.retain(|path, _| seen.contains_key(path) || self.coin());
        entries
    }
}
