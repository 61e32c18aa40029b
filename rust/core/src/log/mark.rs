//! Marks of followers: how far each of them has a log, so that truncation does not overtake it.
//!
//! A mark is an empty file in the log's folder, `{position in 16 hex}.{follower}.follower`: what it
//! says is in its name, so that it changes as a whole, and listing the folder reads all of them.

use std::path::{Path, PathBuf};

use crate::env::Env;
use crate::error::{Error, Result};
use crate::id::parse_hex;

const SUFFIX: &str = ".follower";

/// The lowest of the positions that followers have.
pub fn lowest(env: &dyn Env, folder: &Path) -> Result<Option<u64>> {
    let names = env.list(folder).map_err(Error::io("list", folder))?;
    Ok(names
        .iter()
        .filter_map(|name| parse(name))
        .map(|(at, _)| at)
        .min())
}

/// Says that `follower` has everything up to `position`.
pub fn put(env: &dyn Env, folder: &Path, follower: &str, position: u64) -> Result<()> {
    let wanted = path(folder, follower, position);
    let names = env.list(folder).map_err(Error::io("list", folder))?;
    let mut own: Vec<PathBuf> = names
        .iter()
        .filter(|name| parse(name).is_some_and(|(_, whose)| whose == follower))
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

/// Lets truncation go on without `follower`.
pub fn remove(env: &dyn Env, folder: &Path, follower: &str) -> Result<()> {
    let names = env.list(folder).map_err(Error::io("list", folder))?;
    let own = names
        .iter()
        .filter(|name| parse(name).is_some_and(|(_, whose)| whose == follower));
    own.map(|name| folder.join(name))
        .try_for_each(|path| env.remove(&path).map_err(Error::io("remove", &path)))
}

fn path(folder: &Path, follower: &str, position: u64) -> PathBuf {
    folder.join(format!("{position:016x}.{follower}{SUFFIX}"))
}

fn parse(name: &str) -> Option<(u64, &str)> {
    let (position, follower) = name.strip_suffix(SUFFIX)?.split_once('.')?;
    Some((parse_hex(position, 16)?, follower))
}
