//! The log of another process, as its follower reads it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyList;
use stepwell_core::env::Folder;
use stepwell_core::identity::StoreId;
use stepwell_core::log::{self, Fence, Follower, Frame};
use stepwell_core::store::{FollowedEnd, FollowedStore, LOG};
use stepwell_core::{Error, Result};

use crate::errors::raise;
use crate::folder::Place;
use crate::process::OfThisProcess;
use crate::values::frame_list;

/// The log of a store that another process has open. Any thread may ask for its tail.
#[pyclass(frozen, module = "stepwell._core")]
pub struct FollowedLog {
    followed: OfThisProcess<Mutex<FollowedStore>>,
    end: OfThisProcess<Mutex<FollowedEnd>>,
    store: String,
}

/// A fence: the new epoch, the follower's id and its folder.
type Ended = (u64, String, OsString);

fn ended(fence: Fence) -> Ended {
    let Fence {
        epoch, by, path, ..
    } = fence;
    (epoch, by.to_string(), path.into_os_string())
}

impl FollowedLog {
    /// Calls `body` without the GIL.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        body: impl FnOnce(&mut FollowedStore) -> Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| body(&mut self.followed.get()?.lock()))
            .map_err(raise)
    }
}

#[pymethods]
impl FollowedLog {
    /// Follows the log of the store in `path` from the batch that holds `from_position`. `follower` is the follower's id,
    /// `data` its folder, `of` the id of the store that it followed before. Nothing is written.
    #[staticmethod]
    #[pyo3(signature = (path, follower, data, from_position, *, of=None))]
    fn open(
        py: Python<'_>,
        path: Place,
        follower: &str,
        data: PathBuf,
        from_position: u64,
        of: Option<&str>,
    ) -> PyResult<Self> {
        let by = Follower {
            id: id(follower)?,
            path: data,
            of: of.map(id).transpose()?,
        };
        let open = || {
            let folder = path.open()?;
            let within = || folder.within(LOG).map_err(Error::io("open", folder.path()));
            let (env, near) = (Arc::new(within()?), Arc::new(within()?));
            let followed = FollowedStore::open(folder.clone(), env, &by, from_position)?;
            let store = followed.log.store();
            let end = FollowedEnd::open(folder.clone(), near, store, from_position)?;
            Ok(Self {
                store: store.to_string(),
                followed: OfThisProcess::new(Mutex::new(followed)),
                end: OfThisProcess::new(Mutex::new(end)),
            })
        };
        py.detach(open).map_err(raise)
    }

    /// The id of the store whose log it is.
    #[getter]
    fn store(&self) -> &str {
        &self.store
    }

    /// Refuses a store in `data` that is not a copy of the one in `path`; nothing is written.
    #[staticmethod]
    fn check_copy(py: Python<'_>, path: Place, data: Place) -> PyResult<()> {
        let check = || {
            let (of, copy) = (log_of(path)?, log_of(data)?);
            log::check_copy(&of, of.path(), &copy, copy.path())
        };
        py.detach(check).map_err(raise)
    }

    /// The last position and the last epoch of the log of the store in `path`.
    #[staticmethod]
    fn end_of(py: Python<'_>, path: Place) -> PyResult<(u64, u64)> {
        let end = || log_of(path).and_then(|folder| log::end(&folder, folder.path()));
        py.detach(end).map_err(raise)
    }

    /// The fence of the log of the store in `path`, if it has one: the epoch, the follower's id and its folder.
    #[staticmethod]
    fn fence_of(py: Python<'_>, path: Place) -> PyResult<Option<Ended>> {
        let find = || {
            let folder = log_of(path)?;
            log::FollowedLog::fence_of(&folder, folder.path())
        };
        Ok(py.detach(find).map_err(raise)?.map(ended))
    }

    /// The next batches that are on the leader's disk, until they hold `max_bytes`; returned again until they are passed.
    /// An error if there are none, and its storage has more.
    #[pyo3(signature = (max_bytes=8 << 20))]
    fn read<'py>(&self, py: Python<'py>, max_bytes: usize) -> PyResult<Bound<'py, PyList>> {
        let frames = self.with(py, |store| store.read(max_bytes))?;
        frame_list::<Arc<Frame>>(py, &frames)
    }

    /// Drops the batches up to `position`.
    fn pass_to(&self, py: Python<'_>, position: u64) -> PyResult<()> {
        self.with(py, |store| {
            store.log.pass(position);
            Ok(())
        })
    }

    /// The last position that a readable header in the log names, or storage, whatever is damaged before it.
    fn last_named(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, FollowedStore::last_named)
    }

    /// Why the leader's storage could not be read, if so: nobody can tell whether the log is whole.
    fn unreadable(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.with(py, |store| Ok(store.unreadable().map(str::to_owned)))
    }

    /// The highest epoch read.
    fn epoch(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |store| Ok(store.log.epoch()))
    }

    /// The position of the last record that is written now. An error where the log has lost some.
    fn tail(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| self.end.get()?.lock().position())
            .map_err(raise)
    }

    /// Allows the log to be truncated up to `position`.
    fn mark(&self, py: Python<'_>, position: u64) -> PyResult<()> {
        self.with(py, |store| store.log.mark(position))
    }

    /// Removes this follower's mark, so that it no longer holds back truncation.
    fn forget(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |store| store.log.forget())
    }

    /// The fence of the log, if it has one: the epoch, the follower's id and its folder.
    fn fenced(&self, py: Python<'_>) -> PyResult<Option<Ended>> {
        Ok(self.with(py, |store| store.log.fenced())?.map(ended))
    }

    /// Removes this follower's own fence: it has not taken over.
    fn withdraw(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |store| store.log.withdraw())
    }

    /// Ends the log with a fence, unless it has one; returns the fence that it has then.
    fn fence(&self, py: Python<'_>, epoch: u64) -> PyResult<Ended> {
        self.with(py, |store| store.log.fence(epoch)).map(ended)
    }
}

/// The folder of a store's log.
fn log_of(place: Place) -> Result<Folder> {
    let folder = place.open()?;
    folder
        .within(LOG)
        .map_err(Error::io("open", &folder.path().join(LOG)))
}

fn id(text: &str) -> PyResult<StoreId> {
    StoreId::parse(text).ok_or_else(|| {
        raise(Error::InvalidId {
            what: "store id",
            text: text.to_owned(),
            reason: "it is 32 hexadecimal digits",
        })
    })
}
