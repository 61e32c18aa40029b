//! A store's folder: `log/` and `storage/`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Store, StoreOptions};
use crate::env::{Env, RealEnv};
use crate::error::{Error, Result};
use crate::log::{self, FileLogStream, LogOptions, MemoryLogStream, Repaired};
use crate::storage::{Storage, StorageOptions};

const LOG: &str = "log";
const STORAGE: &str = "storage";

/// Where the log of a store's folder is.
pub fn log_folder(store: &Path) -> PathBuf {
    store.join(LOG)
}

impl Store {
    /// Opens or creates the store in a folder, or in memory.
    ///
    /// The log's lock keeps every other process off both of them.
    pub fn open(path: Option<&Path>, options: &StoreOptions) -> Result<Self> {
        let Some(path) = path else {
            let log = Arc::new(MemoryLogStream::new());
            let storage = Storage::open(None, &options.storage)?;
            return Self::new(log, storage, None, options);
        };
        let log_options = LogOptions {
            segment_bytes: options.segment_bytes,
            ..LogOptions::default()
        };
        let log = FileLogStream::open(Arc::new(RealEnv), &log_folder(path), log_options)?;
        let recovered = log.recovered().map(ToString::to_string);
        let storage = Storage::open(Some(&path.join(STORAGE)), &options.storage)?;
        RealEnv.sync_dir(path).map_err(Error::io("sync", path))?;
        Self::new(Arc::new(log), storage, recovered, options)
    }
}

/// Copies storage into a folder, beside a log that begins where it is; returns its position.
pub fn copy(storage: &Storage, path: &Path) -> Result<u64> {
    RealEnv
        .create_dir_all(path)
        .map_err(Error::io("create", path))?;
    let target = path.join(STORAGE);
    storage.checkpoint(&target)?;
    let applied = Storage::open(Some(&target), &StorageOptions::default())?.applied()?;
    let options = LogOptions {
        first: applied.position + 1,
        ..LogOptions::default()
    };
    let log = FileLogStream::open(Arc::new(RealEnv), &log_folder(path), options)?;
    log.close()?;
    Ok(applied.position)
}

/// Cuts damage out of the log of a store that nobody has open; see [`log::repair`].
pub fn repair(path: &Path) -> Result<Repaired> {
    let storage = path.join(STORAGE);
    let applied = match storage.is_dir() {
        true => Storage::open(Some(&storage), &StorageOptions::default())?.applied()?,
        false => Default::default(),
    };
    log::repair(&RealEnv, &log_folder(path), applied.position)
}
