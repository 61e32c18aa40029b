//! The segments of a log: files `{first position in 16 hex}.log`, whose names sort like their positions.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::frame::{HEADER, Header};
use crate::env::{Env, File, LockGuard};
use crate::error::{Error, Result};
use crate::hex::parse_hex;
use crate::identity::StoreId;

/// The path of the segment that begins with position `first`.
pub fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:016x}.log"))
}

/// The first positions of a folder's segments, in order. Other files are ignored.
pub fn list(env: &dyn Env, folder: &Path) -> Result<Vec<u64>> {
    let names = env.list(folder).map_err(Error::io("list", folder))?;
    Ok(of(&names))
}

/// The first positions of the segments among `names`, in order.
pub fn of(names: &[String]) -> Vec<u64> {
    let mut segments: Vec<u64> = names.iter().filter_map(|name| parse(name)).collect();
    segments.sort_unstable();
    segments
}

/// Opens a segment that was listed.
///
/// [`Truncated`](Error::Truncated) if it was removed since then: another process truncated the log, and the folder must
/// be listed again.
pub fn open(env: &dyn Env, folder: &Path, first: u64) -> Result<Arc<dyn File>> {
    let path = path(folder, first);
    let error = match env.open(&path) {
        Ok(file) => return Ok(file),
        Err(error) => error,
    };
    let start = match error.kind() {
        io::ErrorKind::NotFound => list(env, folder)?.first().copied(),
        _ => None,
    };
    // The oldest segments are removed first: a segment behind another one was not truncated.
    match start.filter(|start| *start > first) {
        Some(start) => Err(Error::Truncated {
            position: first,
            start,
        }),
        None => Err(Error::io("open", &path)(error)),
    }
}

/// Calls `read`, which lists and reads the segments of another process's log, again if the log was truncated
/// meanwhile. An error that names the same start twice is returned.
pub fn read_uncut<T>(mut read: impl FnMut() -> Result<T>) -> Result<T> {
    let mut known = 0;
    loop {
        match read() {
            Err(Error::Truncated { start, .. }) if start > known => known = start,
            result => return result,
        }
    }
}

/// The stores that a folder's segments name, the last segment's first; unreadable segments are skipped.
pub fn stores(env: &dyn Env, folder: &Path) -> Result<Vec<StoreId>> {
    read_uncut(|| {
        let mut found = Vec::new();
        for first in list(env, folder)?.into_iter().rev() {
            let file = open(env, folder, first)?;
            let store = store(&*file).map_err(Error::io("read", &path(folder, first)))?;
            found.extend(store.filter(|store| !found.contains(store)));
        }
        Ok(found)
    })
}

/// Refuses a log of another store than `store`. Unreadable segments are left to recovery.
pub fn check_store(env: &dyn Env, folder: &Path, store: Option<StoreId>) -> Result<()> {
    let found = stores(env, folder)?;
    match (store, found.first()) {
        (Some(store), Some(&other)) if !found.contains(&store) => {
            Err(other_store(folder, other, store))
        }
        _ => Ok(()),
    }
}

/// The error for a log, or a part of one, of another store.
pub fn other_store(path: &Path, found: StoreId, expected: StoreId) -> Error {
    Error::OtherStore {
        path: path.to_owned(),
        found,
        expected,
    }
}

/// The store that a segment belongs to, if its first header is whole.
pub fn store(file: &dyn File) -> io::Result<Option<StoreId>> {
    let mut bytes = [0; HEADER];
    let is_whole = file.read_full_at(&mut bytes, 0)? == HEADER;
    let header = is_whole.then(|| Header::decode(&bytes).ok()).flatten();
    Ok(header.map(|header| header.store))
}

fn parse(name: &str) -> Option<u64> {
    parse_hex(name.strip_suffix(".log")?, 16).filter(|first| *first > 0)
}

/// Locks the folder for this process.
pub fn lock(env: &dyn Env, folder: &Path) -> Result<Box<dyn LockGuard>> {
    env.lock(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => Error::Locked {
            path: folder.to_owned(),
            holder: match error.get_ref() {
                Some(holder) => holder.to_string(),
                None => String::new(),
            },
        },
        _ => Error::io("lock", folder)(error),
    })
}
