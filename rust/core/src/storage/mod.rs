//! Storage: rows in RocksDB, written batch by batch.
//!
//! RocksDB's write-ahead log is off, because Stepwell's log serves as one. Every batch carries the
//! position that it leads to, and all families are flushed together. So a restart finds the state at some
//! position, and replays the log from there.

mod batch;
mod families;
pub mod keys;
mod manifest;
mod on_disk;
mod read;

use std::path::{Path, PathBuf};

use std::sync::Arc;

use rocksdb::checkpoint::Checkpoint;
use rocksdb::{ColumnFamily, DB, FlushOptions, ReadOptions, WriteOptions};
use sha2::{Digest as _, Sha256};

pub use batch::Batch;
pub use families::Family;
pub use on_disk::{OnDisk, Stored};
pub use read::Scan;

use crate::env::{Env as _, Folder, LockGuard};
use crate::error::{Error, Result};
use crate::identity::StoreId;
use crate::log::{self, Frame, LogStream};
use families::Families;
pub use families::StorageOptions;

/// The format of rows and keys. A change that an older version cannot read takes the next number.
pub const FORMAT: u32 = 1;

const FORMAT_KEY: &[u8] = b"\x00format";
const APPLIED: &[u8] = b"\x00applied";
const STORE: &[u8] = b"\x00store";

/// The position of the last applied record, the clock at it, and the checksum of its batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Applied {
    pub position: u64,
    pub hlc: u64,
    /// CRC32C of the batch's payload: a copy of the store that continued on its own has another batch there.
    pub checksum: u32,
}

impl Applied {
    const LENGTH: usize = 20;

    fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..8].copy_from_slice(&self.position.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.hlc.to_be_bytes());
        bytes[16..].copy_from_slice(&self.checksum.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != Self::LENGTH {
            return None;
        }
        Some(Self {
            position: u64::from_be_bytes(bytes[..8].try_into().ok()?),
            hlc: u64::from_be_bytes(bytes[8..16].try_into().ok()?),
            checksum: u32::from_be_bytes(bytes[16..].try_into().ok()?),
        })
    }
}

/// The rows of one partition.
pub struct Storage {
    db: DB,
    write: WriteOptions,
    /// For reads that ask no disk.
    memory: ReadOptions,
    /// The folder's path, for messages.
    path: PathBuf,
    /// The path that RocksDB uses: it leads to the folder even after a rename.
    place: PathBuf,
    held: Option<Held>,
}

/// The folder and its lock, for as long as RocksDB has it open: dropped after the database.
struct Held {
    folder: Arc<Folder>,
    _lock: Box<dyn LockGuard>,
}

impl Storage {
    /// Opens or creates storage in `path`, or in memory.
    pub fn open(path: Option<&Path>, options: &StorageOptions) -> Result<Self> {
        let folder = path
            .map(|path| Folder::create(path).map_err(Error::io("open", path)))
            .transpose()?;
        Self::open_in(folder.map(Arc::new), options)
    }

    /// Opens or creates storage in a folder, which it locks, or in memory.
    pub fn open_in(folder: Option<Arc<Folder>>, options: &StorageOptions) -> Result<Self> {
        let memory_path = || PathBuf::from("/memory");
        let path = folder
            .as_ref()
            .map_or_else(memory_path, |folder| folder.path().to_owned());
        let place = folder
            .as_ref()
            .map_or_else(memory_path, |folder| folder.place());
        let held = folder.map(Held::new).transpose()?;
        let failed = |error| failure(&path, &place, "open", error);
        let memory = match held {
            Some(_) => None,
            None => Some(rocksdb::Env::mem_env().map_err(failed)?),
        };
        manifest::check(&place, &path)?;
        let database = families::database(options, memory.as_ref());
        let db = DB::open_cf_descriptors(&database, &place, families::descriptors(options))
            .map_err(failed)?;
        let mut write = WriteOptions::default();
        write.disable_wal(true);
        let storage = Self {
            db,
            write,
            memory: read::memory(),
            path,
            place,
            held,
        };
        storage.check_format()?;
        Ok(storage)
    }

    /// The id of its store; `None` before one was set.
    pub fn store(&self) -> Result<Option<StoreId>> {
        let store = store_in(self.get_raw(Family::Meta, STORE)?, &self.path)?;
        if store.is_none() && self.applied()?.position > 0 {
            return Err(self.damaged("it has a position but does not say whose it is"));
        }
        Ok(store)
    }

    /// Sets its store. The id reaches the disk with the next flush, before any row.
    pub fn set_store(&self, store: StoreId) -> Result<()> {
        let family = self.family(Family::Meta)?;
        self.db
            .put_cf_opt(family, STORE, store.to_bytes(), &self.write)
            .map_err(self.failed("write to"))
    }

    /// Checks that it belongs to `store`. New storage is assigned to it.
    pub fn check_store(&self, store: StoreId) -> Result<()> {
        match self.store()? {
            None => self.set_store(store),
            Some(own) if own == store => Ok(()),
            Some(own) => Err(Error::OtherStore {
                path: self.path.clone(),
                found: own,
                expected: store,
            }),
        }
    }

    fn check_format(&self) -> Result<()> {
        match self.get_raw(Family::Meta, FORMAT_KEY)? {
            None if self.get_raw(Family::Meta, APPLIED)?.is_none() => self
                .db
                .put_cf_opt(
                    self.family(Family::Meta)?,
                    FORMAT_KEY,
                    FORMAT.to_be_bytes(),
                    &self.write,
                )
                .map_err(self.failed("write to")),
            None => Err(self.damaged("it has a position but no format number")),
            Some(value) => match value.as_slice().try_into().map(u32::from_be_bytes) {
                Ok(FORMAT) => Ok(()),
                Ok(found) => Err(Error::Format {
                    path: self.path.clone(),
                    found,
                    known: FORMAT,
                }),
                Err(_) => Err(self.damaged("its format number is no number")),
            },
        }
    }

    /// The position and clock of the last applied batch.
    pub fn applied(&self) -> Result<Applied> {
        applied_in(self.get_raw(Family::Meta, APPLIED)?, &self.path)
    }

    /// Checks that the log continues at storage's position, and that it holds the same last batch, unless that was cut off.
    pub fn check_log(&self, log: &dyn LogStream) -> Result<()> {
        let applied = self.applied()?;
        let (position, start, tail) = (applied.position, log.start(), log.tail());
        if position + 1 < start || tail < position {
            return Err(self.damaged(&format!(
                "it is at position {position}, which is not within the log, from {start} to {tail}: \
                 the two are not of one store, or a part of the folder was removed"
            )));
        }
        if position < start {
            return Ok(());
        }
        let last = log
            .read(position)?
            .find(|frame| !matches!(frame, Ok(frame) if frame.count == 0));
        let last = last.transpose()?;
        check_last(&self.path, &applied, last.as_ref())
    }

    /// Applies a batch atomically: all of its rows and its position.
    pub fn apply(&self, batch: &Batch) -> Result<()> {
        let writes = batch.build(self)?;
        self.db
            .write_opt(writes, &self.write)
            .map_err(self.failed("write to"))
    }

    /// Makes everything applied durable.
    pub fn flush(&self) -> Result<()> {
        self.check_place()?;
        let families = self.families()?;
        let families = Family::ALL.map(|family| families.get(family));
        self.db
            .flush_cfs_opt(&families.each_ref(), &FlushOptions::default())
            .map_err(self.failed("flush"))
    }

    /// Checks that its path still leads to it: the next opening goes by the path.
    fn check_place(&self) -> Result<()> {
        let Some(Held { folder, .. }) = &self.held else {
            return Ok(());
        };
        match folder
            .displaced()
            .map_err(Error::io("look for", &self.path))?
        {
            None => Ok(()),
            Some(reason) => Err(Error::Displaced {
                path: self.path.clone(),
                reason,
            }),
        }
    }

    /// Copies storage to `path`, which must not exist. On the same file system files are linked, not copied.
    pub fn checkpoint(&self, path: &Path) -> Result<()> {
        if self.held.is_none() {
            return Err(Error::Storage {
                action: "copy",
                reason: "it is in memory, and a copy would be too".to_owned(),
            });
        }
        Checkpoint::new(&self.db)
            .and_then(|checkpoint| checkpoint.create_checkpoint(path))
            .map_err(self.failed("copy"))
    }

    /// Reads every block of every family, which verifies all checksums; returns how many rows there are.
    pub fn verify(&self) -> Result<u64> {
        let mut rows = 0;
        for family in Family::ALL {
            self.each(family, &[], |_, _| {
                rows += 1;
                true
            })?;
        }
        Ok(rows)
    }

    /// How many rows there are, and SHA-256 of all of them in their order: two storages that applied the same records have
    /// the same.
    pub fn digest(&self) -> Result<(u64, [u8; 32])> {
        let (mut rows, mut hash) = (0, Sha256::new());
        for family in Family::ALL {
            self.each(family, &[], |key, row| {
                // What says of which store it is, and where, is no row of the engine.
                if !(family == Family::Meta && key.first() == Some(&0)) {
                    rows += 1;
                    for bytes in [key, row] {
                        hash.update((bytes.len() as u64).to_le_bytes());
                        hash.update(bytes);
                    }
                }
                true
            })?;
        }
        Ok((rows, hash.finalize().into()))
    }

    fn families(&self) -> Result<Families<'_>> {
        Families::of(&self.db).ok_or_else(|| self.damaged("a column family is missing"))
    }

    fn family(&self, family: Family) -> Result<&ColumnFamily> {
        self.db
            .cf_handle(family.name())
            .ok_or_else(|| self.damaged("a column family is missing"))
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(rocksdb::Error) -> Error {
        move |error| failure(&self.path, &self.place, action, error)
    }

    fn damaged(&self, reason: &str) -> Error {
        damaged(&self.path, reason)
    }
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// What the row of the applied position says, in the storage at `path`.
fn applied_in(row: Option<Vec<u8>>, path: &Path) -> Result<Applied> {
    row.map_or(Ok(Applied::default()), |bytes| {
        Applied::from_bytes(&bytes).ok_or_else(|| damaged(path, "its position is no position"))
    })
}

/// What the row of the store's id says.
fn store_in(row: Option<Vec<u8>>, path: &Path) -> Result<Option<StoreId>> {
    let id = |bytes: Vec<u8>| {
        let bytes = bytes
            .try_into()
            .map_err(|_| damaged(path, "what it says whose it is makes no sense"))?;
        Ok(StoreId::from_bytes(bytes))
    };
    row.map(id).transpose()
}

/// Whether the batch that storage in `path` applied last is `found`, the one in the log there.
pub fn check_last(path: &Path, applied: &Applied, found: Option<&Frame>) -> Result<()> {
    let position = applied.position;
    let is_same = |found: &Frame| {
        found.last() == position && crc32c::crc32c(&found.payload) == applied.checksum
    };
    if found.is_some_and(is_same) {
        return Ok(());
    }
    Err(damaged(
        path,
        &format!(
            "the batch that it applied last, up to position {position}, is not the one in the log there: \
             the two are of copies of one store that went on separately"
        ),
    ))
}

/// Converts an error of RocksDB.
fn failure(path: &Path, place: &Path, action: &'static str, error: rocksdb::Error) -> Error {
    let (shown, inner) = (path.display().to_string(), place.display().to_string());
    let (path, reason) = (path.to_owned(), error.as_ref().replace(&inner, &shown));
    let is_missing = || reason.contains("No such file");
    match error.kind() {
        rocksdb::ErrorKind::Corruption => Error::Damaged { path, reason },
        rocksdb::ErrorKind::IOError if is_missing() => Error::Damaged { path, reason },
        rocksdb::ErrorKind::IOError
            if reason.contains("lock file") || reason.contains("lock hold") =>
        {
            Error::Locked {
                path,
                holder: String::new(),
            }
        }
        _ => Error::Storage { action, reason },
    }
}

impl Held {
    fn new(folder: Arc<Folder>) -> Result<Held> {
        let lock = log::lock(&*folder, folder.path())?;
        Ok(Held {
            _lock: lock,
            folder,
        })
    }
}

#[cfg(test)]
mod tests;
