//! A disk on which something happens between two operations of a process.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use stepwell_core::env::{Env, FaultEnv, File, Identity, LockGuard};

pub type Interruption = Box<dyn FnOnce() + Send>;

/// A disk on which an interruption runs before one of a process's operations.
#[derive(Clone)]
pub struct Interrupted {
    env: FaultEnv,
    /// How many operations are left before it, and the interruption.
    due: Arc<Mutex<Option<(usize, Interruption)>>>,
    /// Whether a leader does not look for a fence after a sync: the tests must notice that.
    pub is_blind: bool,
    has_synced: Arc<AtomicBool>,
}

impl Interrupted {
    /// The disk `env`, with an interruption after so many operations.
    pub fn new(env: &FaultEnv, after: usize, interruption: Interruption) -> Interrupted {
        Interrupted {
            env: env.clone(),
            due: Arc::new(Mutex::new(Some((after, interruption)))),
            is_blind: false,
            has_synced: Arc::default(),
        }
    }

    fn tick(&self) {
        let mut due = self.due.lock();
        match due.take() {
            Some((0, interruption)) => {
                drop(due);
                interruption();
            }
            Some((left, interruption)) => *due = Some((left - 1, interruption)),
            None => {}
        }
    }

    /// Whether it has happened.
    pub fn is_over(&self) -> bool {
        self.due.lock().is_none()
    }

    fn file(&self, file: io::Result<Arc<dyn File>>) -> io::Result<Arc<dyn File>> {
        let disk = self.clone();
        file.map(|file| Arc::new(InterruptedFile { disk, file }) as Arc<dyn File>)
    }
}

impl Env for Interrupted {
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.tick();
        self.env.list(path)
    }
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.tick();
        self.file(self.env.create(path))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.tick();
        self.file(self.env.open(path))
    }
    fn open_writable(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.tick();
        self.file(self.env.open_writable(path))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.tick();
        self.env.remove(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.tick();
        self.env.rename(from, to)
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.tick();
        self.env.link(from, to)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.tick();
        let is_overlooked = self.has_synced.swap(false, Ordering::SeqCst) && self.is_blind;
        Ok(self.env.exists(path)? && !is_overlooked)
    }
    fn identity(&self, path: &Path) -> io::Result<Option<Identity>> {
        self.tick();
        self.env.identity(path)
    }
    fn displaced(&self) -> io::Result<Option<&'static str>> {
        self.env.displaced()
    }
    fn sync_ancestors(&self) -> io::Result<()> {
        self.env.sync_ancestors()
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.tick();
        self.env.sync_dir(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        self.env.lock(path)
    }
}

struct InterruptedFile {
    disk: Interrupted,
    file: Arc<dyn File>,
}

impl File for InterruptedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.disk.tick();
        self.file.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.disk.tick();
        self.file.write_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        self.disk.tick();
        self.disk.has_synced.store(true, Ordering::SeqCst);
        self.file.sync()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.tick();
        self.file.set_len(len)
    }
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }
    fn identity(&self) -> io::Result<Identity> {
        self.file.identity()
    }
}
