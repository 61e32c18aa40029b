//! Cutting damage out of a log, when there is no better copy of it.
//!
//! Nothing is thrown away: what is cut out stays in the folder, in files that end in `.damaged`.

use std::path::{Path, PathBuf};

use super::file::lock;
use super::inspect::Walk;
use super::segment;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::identity::StoreId;

/// How much of a file is copied at a time.
const PIECE: usize = 1 << 20;

/// What a repair did. With no files set aside the log was whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// The damage that was found, in words.
    pub damage: Vec<String>,
    /// Where the bytes went that were cut out.
    pub set_aside: Vec<PathBuf>,
    /// The last position of the log now.
    pub last: u64,
    /// The first position of the records that are lost, if any are.
    pub lost_from: Option<u64>,
}

/// Makes a damaged log one that opens.
///
/// `applied` is the last position that the storage holds. Damage up to there costs nothing: the
/// segments that it lies in are set aside. Behind it the log is cut off where the damage begins, and
/// every record from there on is lost, however whole.
///
/// `store` is whose log it should be, if that is known; one of another store is left as it is.
pub fn repair(
    env: &dyn Env,
    folder: &Path,
    applied: u64,
    store: Option<StoreId>,
) -> Result<Repaired> {
    let _lock = lock(env, folder)?;
    let stores = segment::stores(env, folder)?;
    segment::check_store(env, folder, store)?;
    // One segment that says so is enough: those of another store among them are damage.
    let store = store.or(stores.first().copied());
    let mut repaired = Repaired::default();
    loop {
        match end(env, folder, store) {
            Ok(last) if last >= applied => {
                repaired.last = last;
                return Ok(repaired);
            }
            Ok(_) => begin_anew(env, folder, applied + 1, &mut repaired)?,
            Err(error) => {
                let Error::Corruption {
                    offset, position, ..
                } = error
                else {
                    return Err(error);
                };
                repaired.damage.push(error.to_string());
                cut_out(env, folder, offset, position, applied, &mut repaired)?;
            }
        }
    }
}

/// The last position of a log that is whole, apart from a torn tail.
fn end(env: &dyn Env, folder: &Path, store: Option<StoreId>) -> Result<u64> {
    let mut walk = Walk::of(env, folder, store)?;
    let mut last = walk.first() - 1;
    while let Some((frame, _)) = walk.next()? {
        last = frame.last();
    }
    Ok(last)
}

fn cut_out(
    env: &dyn Env,
    folder: &Path,
    offset: u64,
    position: u64,
    applied: u64,
    repaired: &mut Repaired,
) -> Result<()> {
    let segments = segment::list(env, folder)?;
    let after = segments.partition_point(|first| *first <= position);
    // The damage may lie between two segments: then the position is where the second should begin.
    let (before, behind) = segments.split_at(after);
    if behind.first().is_some_and(|first| *first <= applied + 1) {
        return set_aside(env, folder, before.iter(), repaired);
    }
    set_aside(env, folder, behind.iter().rev(), repaired)?;
    if position > applied {
        let lost_from = repaired.lost_from.get_or_insert(position);
        *lost_from = position.min(*lost_from);
    }
    match before.last() {
        Some(&first) => cut_off(env, folder, first, offset, repaired),
        None => Ok(()),
    }
}

/// Keeps a segment up to `offset`, and a copy of all of it.
fn cut_off(
    env: &dyn Env,
    folder: &Path,
    first: u64,
    offset: u64,
    repaired: &mut Repaired,
) -> Result<()> {
    let path = segment::path(folder, first);
    let copy = free_name(env, folder, first)?;
    let from = env.open_writable(&path).map_err(Error::io("open", &path))?;
    let to = env.create(&copy).map_err(Error::io("create", &copy))?;
    let (mut piece, mut at) = (vec![0; PIECE], 0);
    loop {
        let read = from
            .read_full_at(&mut piece, at)
            .map_err(Error::io("read", &path))?;
        if read == 0 {
            break;
        }
        to.write_all_at(&piece[..read], at)
            .map_err(Error::io("write", &copy))?;
        at += read as u64;
    }
    to.sync().map_err(Error::io("sync", &copy))?;
    env.sync_dir(folder).map_err(Error::io("sync", folder))?;
    from.set_len(offset).map_err(Error::io("cut", &path))?;
    from.sync().map_err(Error::io("sync", &path))?;
    repaired.set_aside.push(copy);
    Ok(())
}

/// Sets all segments aside and begins the log at `first`.
fn begin_anew(env: &dyn Env, folder: &Path, first: u64, repaired: &mut Repaired) -> Result<()> {
    let segments = segment::list(env, folder)?;
    set_aside(env, folder, segments.iter().rev(), repaired)?;
    let path = segment::path(folder, first);
    env.create(&path).map_err(Error::io("create", &path))?;
    env.sync_dir(folder).map_err(Error::io("sync", folder))
}

fn set_aside<'s>(
    env: &dyn Env,
    folder: &Path,
    segments: impl Iterator<Item = &'s u64>,
    repaired: &mut Repaired,
) -> Result<()> {
    for &first in segments {
        let path = segment::path(folder, first);
        let name = free_name(env, folder, first)?;
        env.rename(&path, &name)
            .map_err(Error::io("rename", &path))?;
        // One at a time: a crash must not leave a hole between segments.
        env.sync_dir(folder).map_err(Error::io("sync", folder))?;
        repaired.set_aside.push(name);
    }
    Ok(())
}

/// A name that no earlier repair has used.
fn free_name(env: &dyn Env, folder: &Path, first: u64) -> Result<PathBuf> {
    let names = env.list(folder).map_err(Error::io("list", folder))?;
    let name = (0..)
        .map(|number| match number {
            0 => format!("{first:016x}.damaged"),
            _ => format!("{first:016x}.{number}.damaged"),
        })
        .find(|name| !names.contains(name));
    Ok(folder.join(name.expect("numbers do not run out")))
}
