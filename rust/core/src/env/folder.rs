//! A folder that is held open by a descriptor: its files are reached even when its path leads elsewhere.

use std::ffi::OsStr;
use std::fs::File as OsFile;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{self, AtFlags, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::{Env, File, Identity, LockGuard, forks};

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);
/// The file that names the process that holds the folder. It is not the lock: the lock is on the folder itself, which nobody can remove.
const HOLDER: &str = "LOCK";

/// A folder, and the files in it.
///
/// The path is resolved once, when the folder is opened, and is used in messages. [`displaced`](Env::displaced)
/// says whether it still leads to this folder. The paths that the methods of [`Env`] take lie directly in the folder;
/// only their last component is used.
#[derive(Debug)]
pub struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder.
    pub fn open(path: &Path) -> io::Result<Folder> {
        let path = std::path::absolute(path)?;
        let descriptor = fs::open(&path, FOLDER, Mode::empty())?;
        Ok(Folder { descriptor, path })
    }

    /// Opens a folder; creates it and its parents if they do not exist.
    pub fn create(path: &Path) -> io::Result<Folder> {
        let path = std::path::absolute(path)?;
        std::fs::create_dir_all(&path)?;
        Folder::open(&path)
    }

    /// Opens a subfolder.
    pub fn within(&self, name: &str) -> io::Result<Folder> {
        let descriptor = fs::openat(&self.descriptor, name, FOLDER, Mode::empty())?;
        Ok(Folder {
            descriptor,
            path: self.path.join(name),
        })
    }

    /// Opens a subfolder; creates it if it does not exist.
    pub fn create_within(&self, name: &str) -> io::Result<Folder> {
        match fs::mkdirat(&self.descriptor, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => self.within(name),
            Err(error) => Err(error.into()),
        }
    }

    /// The absolute path that led to the folder when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder's identity: device and inode.
    pub fn which(&self) -> io::Result<Identity> {
        Ok(Identity::of(&fs::fstat(&self.descriptor)?))
    }

    /// A path that leads to this folder even after a rename, for libraries that take paths only. It is valid until
    /// this value is dropped. Where there is no `/proc` it is the folder's own path.
    pub fn place(&self) -> PathBuf {
        let place = PathBuf::from(format!("/proc/self/fd/{}", self.descriptor.as_raw_fd()));
        let there = fs::stat(&place).map(|found| Identity::of(&found));
        match (self.which(), there) {
            (Ok(here), Ok(there)) if here == there => place,
            _ => self.path.clone(),
        }
    }

    /// The bytes of a file; `None` if it does not exist.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        match self.open_file(name.as_ref(), OFlags::RDONLY) {
            Ok(mut file) => file.read_to_end(&mut bytes).map(|_| Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a file atomically and durably; replaces an existing one.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = format!("{name}.new");
        let mut file = self.open_file(
            new.as_ref(),
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC,
        )?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::renameat(&self.descriptor, &new, &self.descriptor, name)?;
        self.sync()
    }

    /// Removes a file durably, if it exists.
    pub fn remove_file(&self, name: &str) -> io::Result<()> {
        match fs::unlinkat(&self.descriptor, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => self.sync(),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether an entry of this name exists.
    pub fn has(&self, name: &str) -> io::Result<bool> {
        Ok(self.find(name.as_ref())?.is_some())
    }

    /// Makes the folder's entries durable.
    pub fn sync(&self) -> io::Result<()> {
        sync_folder(self.descriptor.as_fd())
    }

    /// Locks the folder for this process, until the guard is dropped or the process ends. A forked process does not keep the lock.
    pub fn hold(&self) -> io::Result<Box<dyn LockGuard>> {
        let mut lock = Lock::open(self, ".", FOLDER)?;
        let mut locked = lock.take();
        if locked == Err(Errno::BADF) {
            // Some file systems (NFS) lock only what is open for writing, and a folder cannot be opened so.
            lock = Lock::open(
                self,
                HOLDER,
                OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC,
            )?;
            locked = lock.take();
        }
        match locked {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                return Err(io::Error::new(io::ErrorKind::WouldBlock, self.holder()));
            }
            Err(error) => return Err(error.into()),
        }
        self.write_holder()?;
        Ok(Box::new(lock))
    }

    /// Writes which process holds the folder, for the error message of the next one that wants it.
    fn write_holder(&self) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
        let mut file = self.open_file(HOLDER.as_ref(), flags)?;
        file.write_all(std::process::id().to_string().as_bytes())
    }

    fn holder(&self) -> String {
        let text = self.read(HOLDER).ok().flatten().unwrap_or_default();
        match std::str::from_utf8(&text) {
            Ok(text) if !text.is_empty() => format!(" by process {text}"),
            _ => String::new(),
        }
    }

    fn open_file(&self, name: &OsStr, flags: OFlags) -> io::Result<OsFile> {
        let mode = Mode::from_raw_mode(0o666);
        let descriptor = fs::openat(&self.descriptor, name, flags | OFlags::CLOEXEC, mode)?;
        Ok(OsFile::from(descriptor))
    }

    fn find(&self, name: &OsStr) -> io::Result<Option<Identity>> {
        match fs::statat(&self.descriptor, name, AtFlags::empty()) {
            Ok(found) => Ok(Some(Identity::of(&found))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The name that a path has in this folder.
    fn name<'p>(&self, path: &'p Path) -> io::Result<&'p OsStr> {
        let mut rest = path
            .strip_prefix(&self.path)
            .map_err(io::Error::other)?
            .components();
        match (rest.next(), rest.next()) {
            (Some(Component::Normal(name)), None) => Ok(name),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

impl Env for Folder {
    fn list(&self, _path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&self.descriptor)? {
            let entry = entry?;
            // Our names are Unicode, and are files: everything else is skipped.
            if entry.file_type() != FileType::Directory
                && let Ok(name) = entry.file_name().to_str()
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        Ok(Arc::new(self.open_file(self.name(path)?, flags)?))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(self.open_file(self.name(path)?, OFlags::RDONLY)?))
    }

    fn open_writable(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(self.open_file(self.name(path)?, OFlags::RDWR)?))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let name = self.name(path)?;
        Ok(fs::unlinkat(&self.descriptor, name, AtFlags::empty())?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (self.name(from)?, self.name(to)?);
        Ok(fs::renameat(&self.descriptor, from, &self.descriptor, to)?)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (self.name(from)?, self.name(to)?);
        let flags = AtFlags::empty();
        Ok(fs::linkat(
            &self.descriptor,
            from,
            &self.descriptor,
            to,
            flags,
        )?)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.find(self.name(path)?)?.is_some())
    }

    fn identity(&self, path: &Path) -> io::Result<Option<Identity>> {
        self.find(self.name(path)?)
    }

    fn displaced(&self) -> io::Result<Option<&'static str>> {
        let here = self.which()?;
        match fs::stat(&self.path) {
            Ok(there) if Identity::of(&there) == here => Ok(None),
            Ok(_) => Ok(Some("something else is there now")),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(Some("it is not there any more")),
            Err(error) => Err(error.into()),
        }
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        self.sync()
    }

    fn sync_ancestors(&self) -> io::Result<()> {
        for ancestor in self.path.ancestors().skip(1) {
            let synced = fs::open(ancestor, FOLDER, Mode::empty())
                .map_err(io::Error::from)
                .and_then(|folder| sync_folder(folder.as_fd()));
            match synced {
                // This process may not even list the folder, so it did not create it.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                synced => synced?,
            }
        }
        Ok(())
    }

    fn lock(&self, _path: &Path) -> io::Result<Box<dyn LockGuard>> {
        self.hold()
    }
}

impl File for OsFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(self, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        OsFile::set_len(self, len)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok(Identity::of(&fs::fstat(self)?))
    }
}

impl Identity {
    #[allow(clippy::unnecessary_cast, reason = "of another type elsewhere")]
    fn of(found: &fs::Stat) -> Identity {
        Identity {
            device: found.st_dev as u64,
            inode: found.st_ino as u64,
        }
    }
}

/// The lock's own descriptor, which forked processes close.
struct Lock {
    descriptor: i32,
    generation: u32,
}

impl Lock {
    fn open(folder: &Folder, name: &str, flags: OFlags) -> io::Result<Lock> {
        let mode = Mode::from_raw_mode(0o666);
        let descriptor = forks::open(|| {
            fs::openat(&folder.descriptor, name, flags, mode).map(OwnedFd::into_raw_fd)
        })?;
        Ok(Lock {
            descriptor,
            generation: forks::generation(),
        })
    }

    fn take(&self) -> Result<(), Errno> {
        fs::flock(self.borrow(), FlockOperation::NonBlockingLockExclusive)
    }

    fn borrow(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open until this value is dropped, and only the process that opened it calls this.
        unsafe { BorrowedFd::borrow_raw(self.descriptor) }
    }
}

impl LockGuard for Lock {}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.generation != forks::generation() {
            return; // it was closed when this process was forked
        }
        // Unlocks for all holders of the open file: a child made without fork handlers keeps no lock.
        let _ = fs::flock(self.borrow(), FlockOperation::Unlock);
        forks::release(self.descriptor);
        // SAFETY: this value owns the descriptor, and nobody else closes it.
        drop(unsafe { OwnedFd::from_raw_fd(self.descriptor) });
    }
}

fn sync_folder(folder: BorrowedFd<'_>) -> io::Result<()> {
    match fs::fsync(folder) {
        // Some file systems have nothing to sync for a folder.
        Ok(()) | Err(Errno::INVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The bytes of a path, to be stored in a file: a path may hold any bytes.
pub fn path_bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// The path that a file holds as bytes.
pub fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
