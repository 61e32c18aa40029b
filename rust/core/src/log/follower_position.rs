//! Marks of followers: the position up to which each of them has a log, so that truncation waits for it.
//!
//! A mark is an empty file in the log's folder, `{position in 16 hex}.{follower}.{store}.follower`. All of its
//! content is in its name, so that it changes atomically and one listing reads all of them. Follower and
//! store are ids. A mark of another store, which came with a copied folder, is ignored.

use std::path::{Path, PathBuf};

use crate::env::Env;
use crate::error::{Error, Result};
use crate::hex::parse_hex;
use crate::identity::StoreId;

const SUFFIX: &str = ".follower";

/// A follower's position in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    position: u64,
    follower: StoreId,
    store: StoreId,
}

/// The lowest position among the followers of `store`.
pub fn lowest(env: &dyn Env, folder: &Path, store: StoreId) -> Result<Option<u64>> {
    let names = env.list(folder).map_err(Error::io("list", folder))?;
    let marks = names.iter().filter_map(|name| parse(name));
    let own = marks.filter(|mark| mark.store == store);
    Ok(own.map(|mark| mark.position).min())
}

/// Records that `follower` has everything of `store` up to `position`.
pub fn put(
    env: &dyn Env,
    folder: &Path,
    follower: StoreId,
    store: StoreId,
    position: u64,
) -> Result<()> {
    let wanted = folder.join(name(Mark {
        position,
        follower,
        store,
    }));
    let names = env.list(folder).map_err(Error::io("list", folder))?;
    let mut own: Vec<PathBuf> = names
        .iter()
        .filter(|name| parse(name).is_some_and(|mark| mark.follower == follower))
        .map(|name| folder.join(name))
        .collect();
    own.retain(|path| *path != wanted);
    match own.pop() {
        Some(old) => env
            .rename(&old, &wanted)
            .map_err(Error::io("rename", &old))?,
        None if env
            .exists(&wanted)
            .map_err(Error::io("look for", &wanted))? => {}
        None => drop(env.create(&wanted).map_err(Error::io("create", &wanted))?),
    }
    own.iter()
        .try_for_each(|path| env.remove(path).map_err(Error::io("remove", path)))
}

/// Removes the mark of `follower`, so that truncation no longer waits for it.
pub fn remove(env: &dyn Env, folder: &Path, follower: StoreId) -> Result<()> {
    let names = env.list(folder).map_err(Error::io("list", folder))?;
    let own = names
        .iter()
        .filter(|name| parse(name).is_some_and(|mark| mark.follower == follower));
    own.map(|name| folder.join(name))
        .try_for_each(|path| env.remove(&path).map_err(Error::io("remove", &path)))
}

fn name(mark: Mark) -> String {
    let Mark {
        position,
        follower,
        store,
    } = mark;
    format!("{position:016x}.{follower}.{store}{SUFFIX}")
}

fn parse(name: &str) -> Option<Mark> {
    let (position, ids) = name.strip_suffix(SUFFIX)?.split_once('.')?;
    let (follower, store) = ids.split_once('.')?;
    Some(Mark {
        position: parse_hex(position, 16)?,
        follower: StoreId::parse(follower)?,
        store: StoreId::parse(store)?,
    })
}
