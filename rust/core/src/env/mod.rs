//! Every file operation of the log, behind a trait, so that tests can make files fail.
//!
//! [`Folder`] is a folder of the operating system, held by a descriptor. [`FaultEnv`] keeps files in
//! memory and forgets, tears and refuses on purpose.

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

/// Which file or folder something is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub device: u64,
    pub inode: u64,
}

/// The files of one folder, as much of them as a log needs.
///
/// Paths name the files with their folder, for messages; the folder is reached by a descriptor that is
/// held, never by its path, which may lead elsewhere by now.
pub trait Env: Send + Sync {
    /// The names of the files in a folder, in any order.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Makes a file that must not be there yet, for reading and writing.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Opens a file for reading and writing.
    fn open_writable(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Moves a file, within one file system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name that must not be there yet, within one file system.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Whether there is a file of this name.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Which file has this name, if any has.
    fn identity(&self, path: &Path) -> io::Result<Option<Identity>>;

    /// Why the folder's path does not lead to the folder any more, if so.
    fn displaced(&self) -> io::Result<Option<&'static str>>;

    /// Makes durable which files a folder has.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes the folder itself durable, and the folders above it, which may be as new.
    fn sync_ancestors(&self) -> io::Result<()>;

    /// Takes the folder at `path` until the guard is dropped.
    /// `WouldBlock`, with who holds it, if another process or another guard of this one has it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>>;
}

/// An open file. Reads and writes say where; a file has no place of its own.
pub trait File: Send + Sync {
    /// Reads up to `buffer.len()` bytes; 0 at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes some of `bytes`, and says how many.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Makes the file's bytes and its length durable.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file off, or fills it up with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// How many bytes the file has.
    fn size(&self) -> io::Result<u64>;

    /// Which file it is.
    fn identity(&self) -> io::Result<Identity>;

    /// Writes all of `bytes`, however short the single writes are.
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

    /// Fills `buffer` as far as the file reaches, and says how far.
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
