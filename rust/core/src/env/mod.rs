//! Every file operation of the log, behind a trait, so that tests can inject faults.
//!
//! [`Folder`] is a folder of the operating system, held open by a descriptor. [`FaultEnv`] keeps files
//! in memory; it loses unsynced data, tears writes and returns errors when a test asks for that.

mod crash;
mod fault;
mod folder;
pub mod forks;

use std::io;
use std::path::Path;
use std::sync::Arc;

pub use crash::Loss;
pub use fault::{FaultEnv, Operation};
pub use folder::{Folder, path_bytes, path_of};

/// Identifies a file or folder independently of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub device: u64,
    pub inode: u64,
}

/// The files of one folder: the operations that a log needs.
///
/// Paths include the folder, for messages. The folder itself is reached by its open descriptor,
/// because its path may lead elsewhere by now.
pub trait Env: Send + Sync {
    /// The names of the files in a folder, in any order.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Creates a file for reading and writing; it must not exist.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Opens a file for reading and writing.
    fn open_writable(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Moves a file, within one file system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name within one file system; that name must not exist.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Whether a file of this name exists.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// The identity of the file of this name, if there is one.
    fn identity(&self, path: &Path) -> io::Result<Option<Identity>>;

    /// Why the folder's path no longer leads to the folder, if so.
    fn displaced(&self) -> io::Result<Option<&'static str>>;

    /// Makes the folder's entries durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes the folder itself durable, and its parents, which may be new too.
    fn sync_ancestors(&self) -> io::Result<()>;

    /// Locks the folder at `path` until the guard is dropped. Fails with `WouldBlock` and the holder's name
    /// if another process, or another guard of this process, holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>>;
}

/// An open file. Reads and writes name their offset; a file has no current position.
pub trait File: Send + Sync {
    /// Reads up to `buffer.len()` bytes; 0 at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes some of `bytes`, and returns how many.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Makes the file's bytes and its length durable.
    fn sync(&self) -> io::Result<()>;

    /// Truncates the file, or extends it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// How many bytes the file has.
    fn size(&self) -> io::Result<u64>;

    /// The file's identity.
    fn identity(&self) -> io::Result<Identity>;

    /// Writes all of `bytes`, in as many writes as it takes.
    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = &bytes[written..];
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Fills `buffer` up to the end of the file, and returns how many bytes were read.
    fn read_full_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// Holds a lock until it is dropped.
pub trait LockGuard: Send + Sync {}
