//! How far a storage is on disk, whoever has it open: a log that ends before that has lost its last records.
//!
//! Nothing is locked and nothing is written. Whoever has it open may replace its files meanwhile; then they are read anew.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rocksdb::{DB, Options};

use super::families::Family;
use super::{
    APPLIED, Applied, FORMAT, FORMAT_KEY, STORE, applied_in, damaged, failure, manifest, store_in,
};
use crate::env::{Env as _, Folder, Identity};
use crate::error::{Error, Result};
use crate::identity::StoreId;

/// How often files that nobody changes are read before they are taken for damaged.
const UNCHANGED: usize = 5;
/// How often they are read in all.
const ATTEMPTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(1);

/// Where a storage on disk is, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    pub applied: Applied,
    pub store: Option<StoreId>,
}

/// The storage in a store's folder, looked at from outside.
pub struct OnDisk {
    folder: Arc<Folder>,
    name: &'static str,
    /// What was found last, and of which list of files.
    seen: Option<(Option<List>, Option<Stored>)>,
}

/// RocksDB's list of its files. Whatever is flushed changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct List {
    current: Vec<u8>,
    file: Option<(Identity, u64)>,
}

impl OnDisk {
    /// The storage in the folder `name` of `folder`.
    pub fn new(folder: Arc<Folder>, name: &'static str) -> OnDisk {
        OnDisk {
            folder,
            name,
            seen: None,
        }
    }

    /// Where it is; none where there is no storage, and where it could not be read the last time and did not change since.
    pub fn look(&mut self) -> Result<Option<Stored>> {
        let path = self.folder.path().join(self.name);
        let storage = match self.folder.within(self.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            storage => storage.map_err(Error::io("open", &path))?,
        };
        let list = || List::of(&storage).map_err(Error::io("read", &path));
        let mut before = list()?;
        if let Some((seen, stored)) = &self.seen
            && *seen == before
        {
            return Ok(*stored);
        }
        let (mut attempts, mut unchanged) = (0, 0);
        loop {
            let found = before.as_ref().map(|_| read(&storage, &path)).transpose();
            // What is flushed while it is read is found the next time.
            let now = list()?;
            attempts += 1;
            unchanged += usize::from(before == now);
            match found {
                Ok(stored) => {
                    self.seen = Some((before, stored));
                    return Ok(stored);
                }
                Err(error) if unchanged == UNCHANGED || attempts == ATTEMPTS => {
                    self.seen = Some((now, None));
                    return Err(error);
                }
                Err(_) => thread::sleep(PAUSE),
            }
            before = now;
        }
    }
}

impl List {
    fn of(storage: &Folder) -> io::Result<Option<List>> {
        let Some(current) = storage.read("CURRENT")? else {
            return Ok(None);
        };
        let name = String::from_utf8_lossy(&current).trim_end().to_owned();
        let file = match storage.open(&storage.path().join(name)) {
            Ok(file) => Some((file.identity()?, file.size()?)),
            // Another list has taken its place, or the text is no name: RocksDB says so.
            Err(_) => None,
        };
        Ok(Some(List { current, file }))
    }
}

fn read(storage: &Folder, path: &Path) -> Result<Stored> {
    let place = storage.place();
    manifest::check(&place, path)?;
    let mut options = Options::default();
    options.set_max_open_files(16);
    options.set_max_file_opening_threads(1);
    options.set_skip_stats_update_on_db_open(true);
    let name = Family::Meta.name();
    let failed = |error| failure(path, &place, "read", error);
    let db = DB::open_cf_for_read_only(&options, &place, [name], false).map_err(failed)?;
    let family = db
        .cf_handle(name)
        .ok_or_else(|| damaged(path, "a column family is missing"))?;
    let get = |key: &[u8]| db.get_cf(family, key).map_err(failed);
    if let Some(format) = get(FORMAT_KEY)?
        && format != FORMAT.to_be_bytes()
    {
        return Err(damaged(path, "it is of another format"));
    }
    Ok(Stored {
        applied: applied_in(get(APPLIED)?, path)?,
        store: store_in(get(STORE)?, path)?,
    })
}
