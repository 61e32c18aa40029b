//! A folder that is held, for Python: its files are reached whatever becomes of its path.

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

/// A folder: the methods that name files take the names of files directly in it.
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

    /// Calls `body` without the GIL; `action` and `name` are for the message of an error.
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
    /// Opens a folder; `create` makes it if need be. `which` is the folder that must be there.
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

    /// Where it was when it was opened, absolute.
    #[getter]
    fn path(&self) -> OsString {
        self.folder.path().as_os_str().to_owned()
    }

    /// Which folder it is, whatever its path: device and inode.
    #[getter]
    fn which(&self, py: Python<'_>) -> PyResult<(u64, u64)> {
        let found = self.with(py, "look at", "", env::Folder::which)?;
        Ok((found.device, found.inode))
    }

    /// A folder in it; `create` makes it if need be.
    #[pyo3(signature = (name, *, create=false))]
    fn within(&self, py: Python<'_>, name: &str, create: bool) -> PyResult<Self> {
        let folder = self.with(py, "open", name, |folder| match create {
            true => folder.create_within(name),
            false => folder.within(name),
        })?;
        Ok(Self::new(folder))
    }

    /// The bytes of a file; None where there is none.
    fn read<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let bytes = self.with(py, "read", name, |folder| folder.read(name))?;
        Ok(bytes.map(|bytes| PyBytes::new(py, &bytes)))
    }

    /// Writes a file, durably and as a whole, in place of the one that was there.
    fn write(&self, py: Python<'_>, name: &str, bytes: &[u8]) -> PyResult<()> {
        self.with(py, "write", name, |folder| folder.write(name, bytes))
    }

    /// Removes a file, durably, if it is there.
    fn remove(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.with(py, "remove", name, |folder| folder.remove_file(name))
    }

    /// Whether there is something of this name.
    fn has(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        self.with(py, "look for", name, |folder| folder.has(name))
    }

    /// Raises an error if the path does not lead to it any more.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        match self.with(py, "look for", "", |folder| folder.displaced())? {
            None => Ok(()),
            Some(reason) => Err(raise(Error::Displaced {
                path: self.folder.path().to_owned(),
                reason,
            })),
        }
    }

    /// Takes it for this process, until `unlock` or the end of the process; forked processes do not keep it.
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

    /// Lets others have it.
    fn unlock(&self, py: Python<'_>) {
        if let Ok(lock) = self.lock.get() {
            py.detach(|| drop(lock.lock().take()));
        }
    }

    /// The ids of the stores that its log says it is of: one, unless files were mixed up.
    fn stores(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let ids = py.detach(|| match self.folder.within(store::LOG) {
            Ok(log) => log::stores(&log, log.path()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::io("open", self.folder.path())(error)),
        });
        Ok(ids.map_err(raise)?.iter().map(StoreId::to_string).collect())
    }

    /// Where its store came from, the latest first: how, from which store, up to which position.
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

    /// Says, durably, that its store came from another one; what is said already is not said twice.
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

/// Makes a store of its own of storage's files that were copied from `source` to `target`, and of the log of `source`;
/// the id of the copy, that of the store that it was copied from, and the position that it is at.
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

/// An id that nothing has yet.
#[pyfunction]
pub fn new_store_id() -> String {
    StoreId::random().to_string()
}

/// A folder that is open, or the path of one.
#[derive(FromPyObject)]
pub enum Place {
    Open(Py<Folder>),
    Path(PathBuf),
}

impl Place {
    /// The folder, which is made if need be.
    pub fn create(self) -> Result<Arc<env::Folder>> {
        match self {
            Place::Open(folder) => Ok(folder.get().folder.clone()),
            Place::Path(path) => env::Folder::create(&path)
                .map(Arc::new)
                .map_err(Error::io("open", &path)),
        }
    }

    /// The folder, which must be there.
    pub fn open(self) -> Result<Arc<env::Folder>> {
        match self {
            Place::Open(folder) => Ok(folder.get().folder.clone()),
            Place::Path(path) => env::Folder::open(&path)
                .map(Arc::new)
                .map_err(Error::io("open", &path)),
        }
    }
}
