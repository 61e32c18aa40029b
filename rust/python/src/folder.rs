//! A folder that is held open, for Python: its files are reached even when its path leads elsewhere.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use stepwell_core::env::{self, Env as _, Identity, LockGuard};
use stepwell_core::identity::StoreId;
use stepwell_core::store::{self, Copied, Kind, Origin};
use stepwell_core::{Error, Result, log};

use crate::errors::raise;
use crate::process::OfThisProcess;

/// A folder. Names of files and subfolders are direct entries of it.
#[pyclass(frozen, module = "stepwell._core")]
pub struct Folder {
    folder: Arc<env::Folder>,
    lock: OfThisProcess<Mutex<Option<Box<dyn LockGuard>>>>,
}

impl Folder {
    fn new(folder: env::Folder) -> Self {
        Self {
            folder: Arc::new(folder),
            lock: OfThisProcess::new(Mutex::new(None)),
        }
    }

    /// Calls `body` without the GIL; `action` and `name` are for an error's message.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        action: &'static str,
        name: &str,
        body: impl FnOnce(&env::Folder) -> std::io::Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| {
            let path = self.folder.path().join(name);
            body(&self.folder).map_err(Error::io(action, &path))
        })
        .map_err(raise)
    }
}

#[pymethods]
impl Folder {
    /// Opens a folder; `create` makes it if it does not exist. `which` is the identity that it must have.
    #[staticmethod]
    #[pyo3(signature = (path, *, create=false, which=None))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        create: bool,
        which: Option<(u64, u64)>,
    ) -> PyResult<Self> {
        py.detach(|| {
            let opened = match create {
                true => env::Folder::create(&path),
                false => env::Folder::open(&path),
            };
            let folder = opened.map_err(Error::io("open", &path))?;
            let wanted = which.map(|(device, inode)| Identity { device, inode });
            let found = folder.which().map_err(Error::io("look at", &path))?;
            match wanted {
                Some(wanted) if wanted != found => Err(Error::Displaced {
                    path,
                    reason: "something else is there now",
                }),
                _ => Ok(Self::new(folder)),
            }
        })
        .map_err(raise)
    }

    /// The absolute path that led to the folder when it was opened.
    #[getter]
    fn path(&self) -> OsString {
        self.folder.path().as_os_str().to_owned()
    }

    /// The folder's identity: device and inode.
    #[getter]
    fn which(&self, py: Python<'_>) -> PyResult<(u64, u64)> {
        let found = self.with(py, "look at", "", env::Folder::which)?;
        Ok((found.device, found.inode))
    }

    /// A subfolder; `create` makes it if it does not exist.
    #[pyo3(signature = (name, *, create=false))]
    fn within(&self, py: Python<'_>, name: &str, create: bool) -> PyResult<Self> {
        let folder = self.with(py, "open", name, |folder| match create {
            true => folder.create_within(name),
            false => folder.within(name),
        })?;
        Ok(Self::new(folder))
    }

    /// The bytes of a file; None if it does not exist.
    fn read<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let bytes = self.with(py, "read", name, |folder| folder.read(name))?;
        Ok(bytes.map(|bytes| PyBytes::new(py, &bytes)))
    }

    /// Writes a file atomically and durably; replaces an existing one.
    fn write(&self, py: Python<'_>, name: &str, bytes: &[u8]) -> PyResult<()> {
        self.with(py, "write", name, |folder| folder.write(name, bytes))
    }

    /// Removes a file durably, if it exists.
    fn remove(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.with(py, "remove", name, |folder| folder.remove_file(name))
    }

    /// Whether an entry of this name exists.
    fn has(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        self.with(py, "look for", name, |folder| folder.has(name))
    }

    /// Raises an error if the path no longer leads to the folder.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        match self.with(py, "look for", "", |folder| folder.displaced())? {
            None => Ok(()),
            Some(reason) => Err(raise(Error::Displaced {
                path: self.folder.path().to_owned(),
                reason,
            })),
        }
    }

    /// Locks the folder for this process, until `unlock` or the end of the process; forked processes do not keep the lock.
    fn lock(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            let mut held = self.lock.get()?.lock();
            if held.is_none() {
                *held = Some(log::lock(&*self.folder, self.folder.path())?);
            }
            Ok(())
        })
        .map_err(raise)
    }

    /// Releases the lock.
    fn unlock(&self, py: Python<'_>) {
        if let Ok(lock) = self.lock.get() {
            py.detach(|| drop(lock.lock().take()));
        }
    }

    /// The ids of the stores that its log names: one, unless files were mixed up.
    fn stores(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let ids = py.detach(|| match self.folder.within(store::LOG) {
            Ok(log) => log::stores(&log, log.path()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::io("open", self.folder.path())(error)),
        });
        Ok(ids.map_err(raise)?.iter().map(StoreId::to_string).collect())
    }

    /// The origins of its store, latest first: how, which store, up to which position.
    fn origins(&self, py: Python<'_>) -> PyResult<Vec<(&'static str, String, u64)>> {
        let origins = py
            .detach(|| store::read_origins(&self.folder))
            .map_err(raise)?;
        let tuple = |origin: &Origin| {
            (
                origin.kind.word(),
                origin.store.to_string(),
                origin.position,
            )
        };
        Ok(origins.iter().map(tuple).collect())
    }

    /// Adds the latest origin of its store durably, unless it is there already.
    fn add_origin(&self, py: Python<'_>, how: &str, of: &str, position: u64) -> PyResult<()> {
        let origin = Kind::of(how).zip(StoreId::parse(of));
        let origin = origin.map(|(kind, store)| Origin {
            kind,
            store,
            position,
        });
        let origin = origin.ok_or_else(|| {
            raise(Error::Key {
                reason: format!("{how:?} {of:?} is no origin of a store"),
            })
        })?;
        py.detach(|| store::add_origin(&self.folder, origin))
            .map_err(raise)
    }
}

/// Turns storage files that were copied from `source` to `target`, and the log of `source`, into a store of its own.
/// Returns the id of the copy, the id of the store that it was copied from, and the copy's position.
#[pyfunction]
pub fn adopt_copy(
    py: Python<'_>,
    source: Py<Folder>,
    target: Py<Folder>,
) -> PyResult<(String, String, u64)> {
    let (source, target) = (source.get().folder.clone(), target.get().folder.clone());
    let copied = py.detach(|| store::adopt(&source, target)).map_err(raise)?;
    let Copied {
        store,
        of,
        position,
    } = copied;
    Ok((store.to_string(), of.to_string(), position))
}

/// A new random id.
#[pyfunction]
pub fn new_store_id() -> String {
    StoreId::random().to_string()
}

/// An open folder, or a path.
#[derive(FromPyObject)]
pub enum Place {
    Open(Py<Folder>),
    Path(PathBuf),
}

impl Place {
    /// The folder; creates it if it does not exist.
    pub fn create(self) -> Result<Arc<env::Folder>> {
        match self {
            Place::Open(folder) => Ok(folder.get().folder.clone()),
            Place::Path(path) => env::Folder::create(&path)
                .map(Arc::new)
                .map_err(Error::io("open", &path)),
        }
    }

    /// The folder, which must exist.
    pub fn open(self) -> Result<Arc<env::Folder>> {
        match self {
            Place::Open(folder) => Ok(folder.get().folder.clone()),
            Place::Path(path) => env::Folder::open(&path)
                .map(Arc::new)
                .map_err(Error::io("open", &path)),
        }
    }
}
