//! Removes damage from a log when there is no better copy of it.
//!
//! Nothing is deleted: what is removed stays in the folder, in files whose names end in `.damaged`.

use std::path::{Path, PathBuf};

use super::inspect::FrameReader;
use super::segment;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::identity::StoreId;

/// How much of a file is copied at a time.
const PIECE: usize = 1 << 20;

/// What a repair did. If no files were set aside, the log was intact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// The damage that was found, as text.
    pub damage: Vec<String>,
    /// The files that hold what was removed.
    pub set_aside: Vec<PathBuf>,
    /// The last position of the log now.
    pub last: u64,
    /// The first position of the records that are lost, if any are.
    pub lost_from: Option<u64>,
}

/// Makes a damaged log openable.
///
/// `applied` is the last position that storage holds. Damage before it loses nothing: its segments are
/// set aside. Behind it the log is cut off where the damage begins, and all records from there on are
/// lost, even intact ones.
///
/// `store` is the store whose log it should be, if that is known. A log of another store is not changed.
pub fn repair(
    env: &dyn Env,
    folder: &Path,
    applied: u64,
    store: Option<StoreId>,
) -> Result<Repaired> {
    let _lock = segment::lock(env, folder)?;
    let stores = segment::stores(env, folder)?;
    segment::check_store(env, folder, store)?;
    // One segment of this store is enough: segments of other stores among them are damage.
    let store = store.or(stores.first().copied());
    let mut repaired = Repaired::default();
    loop {
        match end(env, folder, store) {
            Ok(last) if last >= applied => {
                repaired.last = last;
                return Ok(repaired);
            }
            Ok(_) => create_empty(env, folder, applied + 1, &mut repaired)?,
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

/// The last position of a log that is intact, apart from a torn tail.
fn end(env: &dyn Env, folder: &Path, store: Option<StoreId>) -> Result<u64> {
    let mut frames = FrameReader::of(env, folder, store)?;
    let mut last = frames.first() - 1;
    while let Some((frame, _)) = frames.next()? {
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
    // The damage may lie between two segments: then the position is where the second one should begin.
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

/// Truncates a segment to `offset`, and keeps a copy of all of it.
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

/// Sets all segments aside and creates an empty log that begins with `first`.
fn create_empty(env: &dyn Env, folder: &Path, first: u64, repaired: &mut Repaired) -> Result<()> {
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
        // One at a time: a crash must not leave a gap between segments.
        env.sync_dir(folder).map_err(Error::io("sync", folder))?;
        repaired.set_aside.push(name);
    }
    Ok(())
}

/// A file name that no earlier repair used.
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
