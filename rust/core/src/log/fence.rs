//! The fence of a file log: who took over from its leader.
//!
//! A promoted follower continues with its own log, so nothing is written into the old log but this
//! file, which stays for ever. The old leader looks for it *after* each sync and before it confirms
//! anything; the follower creates it *before* it reads the old log to its end. So the follower has read
//! everything that the old leader confirmed: a frame that was written after that reading is followed by
//! a look for the fence, which finds it. See docs/adr/0007.
//!
//! | line | |
//! |---|---|
//! | `epoch {16 hex}` | of the new leader |
//! | `by {32 hex}` | the id of the follower that took over |
//! | `store {32 hex}` | the store whose log was ended |
//! | `path {bytes}` | the new leader's folder: all bytes up to the line feed that ends the file |

use std::path::{Path, PathBuf};

use crate::env::{Env, path_bytes, path_of};
use crate::error::{Error, Result};
use crate::hex::parse_hex;
use crate::identity::StoreId;

const NAME: &str = "FENCE";
const MAX_BYTES: usize = 16 * 1024;

/// Who took over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The epoch of the new leader.
    pub epoch: u64,
    /// The id of the follower that is the new leader.
    pub by: StoreId,
    /// The store whose log was ended.
    pub store: StoreId,
    /// The new leader's folder.
    pub path: PathBuf,
}

impl Fence {
    /// The error of a leader that finds the fence.
    pub fn superseded(self, folder: &Path) -> Error {
        Error::Superseded {
            path: folder.to_owned(),
            epoch: self.epoch,
            by: self.path.display().to_string(),
        }
    }
}

/// The fence of a log, if it has one.
pub fn find(env: &dyn Env, folder: &Path) -> Result<Option<Fence>> {
    let path = folder.join(NAME);
    match env.exists(&path).map_err(Error::io("look for", &path))? {
        true => read(env, &path),
        false => Ok(None),
    }
}

/// Refuses to continue with a log that has a fence.
pub fn check(env: &dyn Env, folder: &Path) -> Result<()> {
    match find(env, folder)? {
        None => Ok(()),
        Some(fence) => Err(fence.superseded(folder)),
    }
}

/// Creates a fence durably, unless one exists; returns the one that exists then.
pub fn raise(env: &dyn Env, folder: &Path, fence: &Fence) -> Result<Fence> {
    // Each follower writes a temporary file of its own.
    let own = folder.join(format!("{NAME}.{}", fence.by));
    let path = folder.join(NAME);
    // The link appears with the whole content behind it, and only one follower can create it.
    write(env, &own, fence)?;
    let linked = match env.link(&own, &path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    };
    linked.map_err(Error::io("create", &path))?;
    env.remove(&own).map_err(Error::io("remove", &own))?;
    env.sync_dir(folder).map_err(Error::io("sync", folder))?;
    // The fence that was found may have been removed since.
    read(env, &path)?.ok_or_else(|| Error::io("read", &path)(std::io::ErrorKind::NotFound.into()))
}

/// Removes a fence durably: the follower that created it has not taken over. A leader that found it
/// meanwhile has stopped and lost nothing.
pub fn withdraw(env: &dyn Env, folder: &Path) -> Result<()> {
    let path = folder.join(NAME);
    env.remove(&path).map_err(Error::io("remove", &path))?;
    env.sync_dir(folder).map_err(Error::io("sync", folder))
}

fn write(env: &dyn Env, path: &Path, fence: &Fence) -> Result<()> {
    match env.remove(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::io("remove", path)(error));
        }
        _ => {}
    }
    let bytes = encode(fence);
    let file = env.create(path).map_err(Error::io("create", path))?;
    file.write_all_at(&bytes, 0)
        .and_then(|()| file.sync())
        .map_err(Error::io("write", path))
}

/// What a fence says; none if it was taken down meanwhile.
fn read(env: &dyn Env, path: &Path) -> Result<Option<Fence>> {
    let file = match env.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(Error::io("open", path))?,
    };
    let mut bytes = vec![0; MAX_BYTES];
    let length = file
        .read_full_at(&mut bytes, 0)
        .map_err(Error::io("read", path))?;
    // Even an unreadable fence ends the log.
    Ok(Some(decode(&bytes[..length]).unwrap_or_else(|| Fence {
        epoch: u64::MAX,
        by: StoreId::from_bytes([0; StoreId::LENGTH]),
        store: StoreId::from_bytes([0; StoreId::LENGTH]),
        path: "another leader".into(),
    })))
}

fn encode(fence: &Fence) -> Vec<u8> {
    let Fence {
        epoch, by, store, ..
    } = fence;
    let mut bytes = format!("epoch {epoch:016x}\nby {by}\nstore {store}\npath ").into_bytes();
    bytes.extend_from_slice(path_bytes(&fence.path));
    bytes.push(b'\n');
    bytes
}

fn decode(bytes: &[u8]) -> Option<Fence> {
    let mut lines = bytes.splitn(4, |byte| *byte == b'\n');
    let mut field = |name: &str| {
        let line = std::str::from_utf8(lines.next()?).ok()?;
        line.strip_prefix(name)
    };
    Some(Fence {
        epoch: parse_hex(field("epoch ")?, 16)?,
        by: StoreId::parse(field("by ")?)?,
        store: StoreId::parse(field("store ")?)?,
        path: path_of(lines.next()?.strip_prefix(b"path ")?.strip_suffix(b"\n")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_bytes_comes_back() {
        for path in [&b"/data"[..], b"/a\nb\n", b"/\xff\xfe", b"", b"\npath /x"] {
            let fence = Fence {
                epoch: 7,
                by: StoreId::random(),
                store: StoreId::random(),
                path: path_of(path),
            };
            assert_eq!(decode(&encode(&fence)), Some(fence));
        }
        assert_eq!(decode(b""), None);
        assert_eq!(decode(b"epoch 0\n"), None);
    }
}
