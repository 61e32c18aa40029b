//! The fence of a file log: who took over from its leader.
//!
//! A follower that is promoted goes on with a log of its own, so there is nothing to be written into
//! the old one but this file, which never goes away. The old leader looks for it *after* each sync
//! and before it confirms anything; the follower makes it *before* it reads the old log to its end.
//! So whatever the old leader confirmed, the follower has read: were the frame written after that
//! reading, then the look would have come after the fence. See docs/adr/0007.

use std::path::Path;

use crate::env::Env;
use crate::error::{Error, Result};
use crate::id::parse_hex;

const NAME: &str = "FENCE";
const MOST_BYTES: usize = 16 * 1024;

/// Who took over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The epoch of the new leader.
    pub epoch: u64,
    /// Where the new leader has its folder.
    pub by: String,
}

/// The fence of a log, if it has one.
pub fn find(env: &dyn Env, folder: &Path) -> Result<Option<Fence>> {
    let path = folder.join(NAME);
    match env.exists(&path).map_err(Error::io("look for", &path))? {
        true => read(env, &path).map(Some),
        false => Ok(None),
    }
}

/// Refuses to go on with a log that has a fence.
pub fn check(env: &dyn Env, folder: &Path) -> Result<()> {
    match find(env, folder)? {
        None => Ok(()),
        Some(Fence { epoch, by }) => Err(Error::Superseded {
            path: folder.to_owned(),
            epoch,
            by,
        }),
    }
}

/// Puts up a fence, durably, unless there is one; returns the one that stands. `name` is the
/// follower's own, so that no two of them write the same file.
pub fn raise(env: &dyn Env, folder: &Path, name: &str, fence: &Fence) -> Result<Fence> {
    let (path, own) = (folder.join(NAME), folder.join(format!("{NAME}.{name}")));
    // The name appears with the whole text behind it, and for one follower only.
    write(env, &own, fence)?;
    let linked = match env.link(&own, &path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    };
    linked.map_err(Error::io("create", &path))?;
    env.remove(&own).map_err(Error::io("remove", &own))?;
    env.sync_dir(folder).map_err(Error::io("sync", folder))?;
    read(env, &path)
}

fn write(env: &dyn Env, path: &Path, fence: &Fence) -> Result<()> {
    match env.remove(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::io("remove", path)(error));
        }
        _ => {}
    }
    let text = format!("{:016x} {}\n", fence.epoch, fence.by);
    let file = env.create(path).map_err(Error::io("create", path))?;
    file.write_all_at(text.as_bytes(), 0)
        .and_then(|()| file.sync())
        .map_err(Error::io("write", path))
}

fn read(env: &dyn Env, path: &Path) -> Result<Fence> {
    let file = env.open(path).map_err(Error::io("open", path))?;
    let mut bytes = vec![0; MOST_BYTES];
    let length = file
        .read_full_at(&mut bytes, 0)
        .map_err(Error::io("read", path))?;
    let text = String::from_utf8_lossy(&bytes[..length]);
    let (epoch, by) = text.split_once(' ').unwrap_or((&text, "another leader"));
    Ok(Fence {
        // Whatever it says: that it is there ends the log.
        epoch: parse_hex(epoch, 16).unwrap_or(u64::MAX),
        by: by.trim_end_matches('\n').to_owned(),
    })
}
