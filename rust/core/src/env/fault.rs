//! Files in memory that fail on purpose: for tests.
//!
//! A disk keeps what a reader sees and, beside that, what a power cut would leave. A crash makes a
//! `FaultEnv` unusable; [`FaultEnv::after_crash`] gives the disk that the next start finds.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::crash::{Change, Content, Random};
use super::{Env, File, Identity, LockGuard, Loss};

/// A call that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    List,
    Create,
    Open,
    Read,
    Write,
    Sync,
    SetLen,
    Remove,
    Rename,
    Link,
    Exists,
    SyncDir,
}

/// A disk in memory. Clones share it.
#[derive(Clone, Default)]
pub struct FaultEnv(Arc<Mutex<Disk>>);

#[derive(Default)]
struct Disk {
    files: BTreeMap<PathBuf, usize>,
    durable_files: BTreeMap<PathBuf, usize>,
    contents: Vec<Content>,
    locks: BTreeSet<PathBuf>,
    /// (operation, how many calls of it still succeed, the errno that follows)
    faults: Vec<(Operation, u64, i32)>,
    /// How many bytes can be written until the crash.
    until_crash: Option<u64>,
    bytes_written: u64,
    bytes_read: u64,
    /// By how many bytes files can grow until the disk is full.
    space: Option<u64>,
    /// How many bytes a single write takes at most.
    max_write: Option<usize>,
    crashed: bool,
    /// Why the folder's path no longer leads to it, if so.
    displaced: Option<&'static str>,
}

impl FaultEnv {
    /// An empty disk that does not fail.
    pub fn new() -> FaultEnv {
        FaultEnv::default()
    }

    /// Makes one call fail with an `errno`: the one after `successes` more of its kind.
    pub fn fail(&self, operation: Operation, successes: u64, errno: i32) {
        self.0.lock().faults.push((operation, successes, errno));
    }

    /// Crashes after `bytes` more bytes were written, even in the middle of a write.
    /// Every later call fails.
    pub fn crash_after(&self, bytes: u64) {
        self.0.lock().until_crash = Some(bytes);
    }

    /// Makes the disk full once files have grown by `bytes`; truncating a file frees its bytes again.
    pub fn limit_space(&self, bytes: u64) {
        self.0.lock().space = Some(bytes);
    }

    /// From now on the folder's path leads elsewhere.
    pub fn displace(&self, reason: &'static str) {
        self.0.lock().displaced = Some(reason);
    }

    /// How many bytes were written to all files.
    pub fn bytes_written(&self) -> u64 {
        self.0.lock().bytes_written
    }

    /// How many bytes were read from all files.
    pub fn bytes_read(&self) -> u64 {
        self.0.lock().bytes_read
    }

    /// Writes no more than `bytes` in one call.
    pub fn limit_writes(&self, bytes: usize) {
        self.0.lock().max_write = Some(bytes);
    }

    /// The disk as the next start finds it. Every later call on this one fails.
    pub fn after_crash(&self, loss: Loss) -> FaultEnv {
        let mut disk = self.0.lock();
        disk.crashed = true;
        let mut next = Disk {
            files: disk.files.clone(),
            durable_files: disk.durable_files.clone(),
            contents: disk.contents.clone(),
            ..Disk::default()
        };
        match loss {
            Loss::Nothing => return FaultEnv(Arc::new(Mutex::new(next))),
            Loss::Unsynced => {
                next.files = next.durable_files.clone();
                for content in &mut next.contents {
                    *content = content.without_unsynced();
                }
            }
            Loss::Some(seed) => {
                let mut random = Random(seed);
                next.files = random.entries(&disk.files, &disk.durable_files);
                for content in &mut next.contents {
                    *content = content.with_some_unsynced(&mut random);
                }
            }
        }
        next.durable_files = next.files.clone();
        FaultEnv(Arc::new(Mutex::new(next)))
    }

    /// A file's bytes, as a reader sees them.
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let disk = self.0.lock();
        let file = *disk.files.get(path)?;
        Some(disk.contents[file].seen.clone())
    }

    /// Puts a file on the disk, durably, in place of the one that was there.
    pub fn put(&self, path: &Path, bytes: Vec<u8>) {
        let mut disk = self.0.lock();
        let file = disk.contents.len();
        disk.contents.push(Content::durable(bytes));
        disk.files.insert(path.to_owned(), file);
        disk.durable_files.insert(path.to_owned(), file);
    }

    /// Flips one bit of a file, durably.
    pub fn flip(&self, path: &Path, bit: usize) {
        let mut bytes = self.bytes(path).expect("the file is there");
        bytes[bit / 8] ^= 1 << (bit % 8);
        self.put(path, bytes);
    }

    fn open_file(&self, operation: Operation, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut disk = self.0.lock();
        disk.enter(operation)?;
        let file = *disk.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(FaultFile(self.clone(), file)))
    }
}

impl Env for FaultEnv {
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut disk = self.0.lock();
        disk.enter(Operation::List)?;
        let inside = disk.files.keys().filter(|file| file.parent() == Some(path));
        Ok(inside
            .filter_map(|file| Some(file.file_name()?.to_str()?.to_owned()))
            .collect())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut disk = self.0.lock();
        disk.enter(Operation::Create)?;
        if disk.files.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = disk.contents.len();
        disk.contents.push(Content::default());
        disk.files.insert(path.to_owned(), file);
        Ok(Arc::new(FaultFile(self.clone(), file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.open_file(Operation::Open, path)
    }

    fn open_writable(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.open_file(Operation::Open, path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.enter(Operation::Remove)?;
        disk.files.remove(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.enter(Operation::Rename)?;
        let file = disk.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.enter(Operation::Link)?;
        let file = *disk.files.get(from).ok_or(io::ErrorKind::NotFound)?;
        if disk.files.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        disk.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let mut disk = self.0.lock();
        disk.enter(Operation::Exists)?;
        Ok(disk.files.contains_key(path))
    }

    fn identity(&self, path: &Path) -> io::Result<Option<Identity>> {
        Ok(self.0.lock().files.get(path).copied().map(identity))
    }

    fn displaced(&self) -> io::Result<Option<&'static str>> {
        Ok(self.0.lock().displaced)
    }

    fn sync_ancestors(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.enter(Operation::SyncDir)?;
        let is_inside = |file: &Path| file.parent() == Some(path);
        disk.durable_files.retain(|file, _| !is_inside(file));
        let inside: Vec<_> = disk
            .files
            .iter()
            .filter(|(file, _)| is_inside(file))
            .map(|(path, file)| (path.clone(), *file))
            .collect();
        disk.durable_files.extend(inside);
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        if !self.0.lock().locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(FaultLock(self.clone(), path.to_owned())))
    }
}

struct FaultFile(FaultEnv, usize);

impl File for FaultFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut disk = self.0.0.lock();
        disk.enter(Operation::Read)?;
        let seen = &disk.contents[self.1].seen;
        let start = seen.len().min(offset as usize);
        let length = buffer.len().min(seen.len() - start);
        buffer[..length].copy_from_slice(&seen[start..start + length]);
        disk.bytes_read += length as u64;
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut disk = self.0.0.lock();
        disk.enter(Operation::Write)?;
        let inside = disk.contents[self.1]
            .seen
            .len()
            .saturating_sub(offset as usize);
        let length = disk.room_for(bytes.len(), inside)?;
        disk.contents[self.1].change(Change::Write {
            offset,
            bytes: bytes[..length].to_vec(),
        });
        disk.crashed |= disk.until_crash == Some(0);
        Ok(length)
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.0.0.lock();
        let entered = disk.enter(Operation::Sync);
        if disk.crashed {
            return entered;
        }
        let content = &mut disk.contents[self.1];
        match entered {
            Ok(()) => content.sync(),
            Err(_) => content.fail_sync(),
        }
        entered
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut disk = self.0.0.lock();
        disk.enter(Operation::SetLen)?;
        let freed = (disk.contents[self.1].seen.len() as u64).saturating_sub(len);
        disk.space = disk.space.map(|space| space + freed);
        disk.contents[self.1].change(Change::SetLen(len));
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.0.lock().contents[self.1].seen.len() as u64)
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok(identity(self.1))
    }
}

fn identity(file: usize) -> Identity {
    Identity {
        device: 0,
        inode: file as u64,
    }
}

struct FaultLock(FaultEnv, PathBuf);

impl LockGuard for FaultLock {}

impl Drop for FaultLock {
    fn drop(&mut self) {
        self.0.0.lock().locks.remove(&self.1);
    }
}

impl Disk {
    fn enter(&mut self, operation: Operation) -> io::Result<()> {
        if self.crashed {
            return Err(io::Error::other("crashed"));
        }
        let mut due = None;
        self.faults.retain_mut(|(kind, successes, errno)| {
            if *kind == operation && *successes == 0 {
                due = Some(*errno);
                return false;
            }
            *successes -= u64::from(*kind == operation);
            true
        });
        due.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
    }

    /// How many bytes of a write of `wanted` bytes take place; `inside` of them lie within the file's length.
    fn room_for(&mut self, wanted: usize, inside: usize) -> io::Result<usize> {
        let mut length = wanted.min(self.max_write.unwrap_or(wanted));
        if let Some(space) = &mut self.space {
            let grown = length.saturating_sub(inside).min(*space as usize);
            length = length.min(inside + grown);
            *space -= grown as u64;
        }
        if let Some(left) = &mut self.until_crash {
            length = length.min(*left as usize);
            *left -= length as u64;
        }
        if length == 0 && self.space == Some(0) && wanted > 0 {
            return Err(io::Error::from_raw_os_error(libc::ENOSPC));
        }
        self.bytes_written += length as u64;
        Ok(length)
    }
}
