//! A store's folder: `log/`, `storage/` and its origin.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::origin::{self, Kind, Origin};
use super::{Store, StoreOptions};
use crate::env::{Folder, LockGuard};
use crate::error::{Error, Result};
use crate::identity::StoreId;
use crate::log::{self, FileLogStream, LogOptions, MemoryLogStream, Repaired};
use crate::storage::{Storage, StorageOptions};

/// The name of the log's folder.
pub const LOG: &str = "log";
pub(super) const STORAGE: &str = "storage";
/// The name of the file that says of which stream of a cluster the folder is a copy.
const CLUSTER: &str = "CLUSTER";

/// The log's folder in a store's folder.
pub fn log_folder(store: &Path) -> PathBuf {
    store.join(LOG)
}

/// The folder of an open store, which is locked until this is dropped.
pub struct Held {
    pub(super) folder: Arc<Folder>,
    _lock: Box<dyn LockGuard>,
}

impl Held {
    pub fn new(folder: Arc<Folder>) -> Result<Held> {
        let lock = log::lock(&*folder, folder.path())?;
        Ok(Held {
            _lock: lock,
            folder,
        })
    }
}

impl Store {
    /// Opens or creates the store in a folder, or in memory.
    pub fn open(path: Option<&Path>, options: &StoreOptions) -> Result<Self> {
        match path {
            Some(path) => {
                let folder = Folder::create(path).map_err(Error::io("open", path))?;
                Self::open_in(Arc::new(folder), options)
            }
            None => {
                let log = Arc::new(MemoryLogStream::new());
                let storage = Storage::open(None, &options.storage)?;
                Self::new(log, storage, None, options)
            }
        }
    }

    /// Opens or creates the store in a folder.
    ///
    /// The lock on the folder excludes every other process. The lock on storage, too, is taken before recovery
    /// changes the log.
    pub fn open_in(folder: Arc<Folder>, options: &StoreOptions) -> Result<Self> {
        let Parts {
            log,
            storage,
            recovered,
            held,
        } = Parts::open(folder, options, None)?;
        let mut store = Self::new(Arc::new(log), storage, recovered, options)?;
        store.folder = Some(held);
        Ok(store)
    }
}

/// What a folder holds, opened and locked, and not put together yet.
pub struct Parts {
    pub log: FileLogStream,
    pub storage: Storage,
    /// The torn tail that was cut off.
    pub recovered: Option<String>,
    pub held: Held,
}

impl Parts {
    /// Opens or creates log and storage in a folder. A folder of a cluster is opened only as the copy of its `stream`,
    /// whose store is given too.
    pub fn open(
        folder: Arc<Folder>,
        options: &StoreOptions,
        stream: Option<(&str, StoreId)>,
    ) -> Result<Parts> {
        let held = Held::new(Arc::clone(&folder))?;
        check_stream(&folder, stream.map(|(name, _)| name))?;
        let log_folder = make(&folder, LOG)?;
        log::check_fence(&log_folder, log_folder.path())?;
        let storage_folder = Arc::new(make(&folder, STORAGE)?);
        let storage = Storage::open_in(Some(storage_folder), &options.storage)?;
        let log_options = LogOptions {
            segment_bytes: options.segment_bytes,
            store: match stream {
                Some((_, store)) => Some(store),
                None => storage.store()?,
            },
            ..LogOptions::default()
        };
        if let Some((_, store)) = stream {
            storage.check_store(store)?;
        }
        let path = log_folder.path().to_owned();
        let log = FileLogStream::open(Arc::new(log_folder), &path, log_options)?;
        let recovered = log.recovered().map(ToString::to_string);
        folder.sync().map_err(Error::io("sync", folder.path()))?;
        Ok(Parts {
            log,
            storage,
            recovered,
            held,
        })
    }
}

/// The stream of a cluster of which a folder is the copy, if it is one.
pub fn stream_of(folder: &Folder) -> Result<Option<String>> {
    let path = folder.path().join(CLUSTER);
    let bytes = folder.read(CLUSTER).map_err(Error::io("read", &path))?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim_end().to_owned()))
}

/// Refuses a folder of a cluster unless it is the copy of `stream`. A folder that holds nothing yet becomes that.
fn check_stream(folder: &Folder, stream: Option<&str>) -> Result<()> {
    let path = folder.path().join(CLUSTER);
    match (stream_of(folder)?, stream) {
        (None, None) => Ok(()),
        (Some(found), Some(stream)) if found == stream => Ok(()),
        (Some(stream), _) => Err(Error::OfACluster {
            path: folder.path().to_owned(),
            stream,
        }),
        (None, Some(stream)) => {
            let is_used = folder.has(LOG).map_err(Error::io("look for", &path))?;
            if is_used {
                return Err(Error::NotACopy {
                    copy: folder.path().to_owned(),
                    of: stream.into(),
                    reason: "it is another executor's folder".to_owned(),
                });
            }
            let text = format!("{stream}\n");
            let written = folder.write(CLUSTER, text.as_bytes());
            written.map_err(Error::io("write", &path))
        }
    }
}

fn make(folder: &Folder, name: &str) -> Result<Folder> {
    let made = folder.create_within(name);
    made.map_err(Error::io("create", &folder.path().join(name)))
}

/// Makes a folder a copy of a cluster's stream, with an empty log of its store that begins with position `first`.
pub fn seed(folder: &Folder, stream: &str, store: StoreId, first: u64) -> Result<()> {
    check_stream(folder, Some(stream))?;
    make_log(folder, store, first)
}

/// Makes the storage in a folder that of another store.
pub fn renew(folder: &Folder, store: StoreId) -> Result<()> {
    match open_storage(folder)? {
        Some(storage) => set_store(&storage, store),
        None => Ok(()),
    }
}

/// Reads all that the storage in a folder holds, which checks its checksums.
pub fn check_storage(folder: &Folder) -> Result<()> {
    match open_storage(folder)? {
        Some(storage) => storage.verify().map(drop),
        None => Ok(()),
    }
}

/// Makes an empty log of a store, which begins with position `first`.
fn make_log(folder: &Folder, store: StoreId, first: u64) -> Result<()> {
    let log_folder = make(folder, LOG)?;
    let options = LogOptions {
        first,
        store: Some(store),
        ..LogOptions::default()
    };
    let path = log_folder.path().to_owned();
    FileLogStream::open(Arc::new(log_folder), &path, options)?.close()
}

/// The name of storage's folder.
pub fn storage_folder(store: &Path) -> PathBuf {
    store.join(STORAGE)
}

/// A copy that was made of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The copy's own id.
    pub store: StoreId,
    /// The store that it was copied from.
    pub of: StoreId,
    /// The copy's last position.
    pub position: u64,
}

/// Copies storage into a folder, with an empty log that begins at storage's position; returns that position.
pub(super) fn copy(
    storage: &Storage,
    of: StoreId,
    origins: Vec<Origin>,
    path: &Path,
) -> Result<u64> {
    let folder = Folder::create(path).map_err(Error::io("create", path))?;
    let folder = Held::new(Arc::new(folder))?.folder;
    storage.checkpoint(&folder.place().join(STORAGE))?;
    let copied = open_storage(&folder)?.ok_or_else(|| Error::Damaged {
        path: folder.path().join(STORAGE),
        reason: "the copy is not there".to_owned(),
    })?;
    let (store, position) = (StoreId::random(), copied.applied()?.position);
    set_store(&copied, store)?;
    make_log(&folder, store, position + 1)?;
    write_origin(&folder, of, position, origins)?;
    Ok(position)
}

/// Turns storage files that were copied to `target` into a store of its own: copies the log of `source`, which may
/// be in use, and writes the origin.
pub fn adopt(source: &Folder, target: Arc<Folder>) -> Result<Copied> {
    let target = Held::new(target)?.folder;
    let storage = open_storage(&target)?;
    let of = match &storage {
        Some(storage) => storage.store()?,
        None => None,
    };
    let from = source
        .within(LOG)
        .map_err(Error::io("open", &source.path().join(LOG)))?;
    let known = of.or_else(|| log::stores(&from, from.path()).ok()?.first().copied());
    let Some(of) = known else {
        return Err(Error::Damaged {
            path: source.path().to_owned(),
            reason: "neither its log nor its storage says whose it is".to_owned(),
        });
    };
    let store = StoreId::random();
    let to = make(&target, LOG)?;
    let path = to.path().to_owned();
    let position = log::copy(&from, from.path(), Some(of), Arc::new(to), &path, store)?;
    if let Some(storage) = storage {
        set_store(&storage, store)?;
    }
    write_origin(&target, of, position, origin::read(source)?)?;
    Ok(Copied {
        store,
        of,
        position,
    })
}

fn write_origin(folder: &Folder, of: StoreId, position: u64, origins: Vec<Origin>) -> Result<()> {
    let copied = Origin {
        kind: Kind::Copied,
        store: of,
        position,
    };
    origin::write(folder, [&[copied], &origins[..]].concat())
}

/// Storage in a store's folder, if there is any.
fn open_storage(folder: &Folder) -> Result<Option<Storage>> {
    let path = folder.path().join(STORAGE);
    match folder.within(STORAGE) {
        Ok(storage) => {
            Storage::open_in(Some(Arc::new(storage)), &StorageOptions::default()).map(Some)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("open", &path)(error)),
    }
}

fn set_store(storage: &Storage, store: StoreId) -> Result<()> {
    storage.set_store(store)?;
    storage.flush()
}

/// Repairs the log of a store that is not open; see [`log::repair`].
pub fn repair(path: &Path) -> Result<Repaired> {
    let folder = Folder::open(path).map_err(Error::io("open", path))?;
    let folder = Held::new(Arc::new(folder))?.folder;
    let storage = open_storage(&folder)?;
    let (applied, store) = match &storage {
        Some(storage) => (storage.applied()?.position, storage.store()?),
        None => (0, None),
    };
    let log = folder
        .within(LOG)
        .map_err(Error::io("open", &log_folder(folder.path())))?;
    log::repair(&log, log.path(), applied, store)
}
