//! The log of another process, for its follower.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyList;
use stepwell_core::Result;
use stepwell_core::env::RealEnv;
use stepwell_core::log::{self, Fence, FollowedTail, Frame};
use stepwell_core::store::log_folder;

use crate::errors::raise;
use crate::values::frame_list;

/// The log of a store that another process has open. Any thread may ask for its tail.
#[pyclass(frozen, module = "stepwell._core")]
pub struct FollowedLog {
    log: Mutex<log::FollowedLog>,
    tail: Mutex<FollowedTail>,
}

impl FollowedLog {
    /// Calls `body` without the GIL.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        body: impl FnOnce(&mut log::FollowedLog) -> Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| body(&mut self.log.lock())).map_err(raise)
    }
}

#[pymethods]
impl FollowedLog {
    /// Follows the log of the store in `path` from the batch that holds `from_position` on; `by` is
    /// the follower's own folder.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf, by: &str, from_position: u64) -> PyResult<Self> {
        let open = || {
            let folder = log_folder(&path);
            Ok(Self {
                log: Mutex::new(log::FollowedLog::open(
                    Arc::new(RealEnv),
                    &folder,
                    by,
                    from_position,
                )?),
                tail: Mutex::new(FollowedTail::open(
                    Arc::new(RealEnv),
                    &folder,
                    from_position,
                )?),
            })
        };
        py.detach(open).map_err(raise)
    }

    /// The next batches, on the leader's disk, until they hold `max_bytes`.
    #[pyo3(signature = (max_bytes=8 << 20))]
    fn read<'py>(&self, py: Python<'py>, max_bytes: usize) -> PyResult<Bound<'py, PyList>> {
        let frames: Vec<Frame> = self.with(py, |log| log.read(max_bytes))?;
        frame_list(py, &frames)
    }

    /// The highest epoch read.
    fn epoch(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |log| Ok(log.epoch()))
    }

    /// The position of the last record that is written now.
    fn tail(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| self.tail.lock().position()).map_err(raise)
    }

    /// Lets the log be cut up to `position`.
    fn mark(&self, py: Python<'_>, position: u64) -> PyResult<()> {
        self.with(py, |log| log.mark(position))
    }

    /// Lets the log be cut: this follower does not come back.
    fn forget(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |log| log.forget())
    }

    /// Who ended the log, if somebody did: the epoch and the folder.
    fn fenced(&self, py: Python<'_>) -> PyResult<Option<(u64, String)>> {
        let fence = self.with(py, |log| log.fenced())?;
        Ok(fence.map(|Fence { epoch, by }| (epoch, by)))
    }

    /// Ends the log unless somebody did before; the epoch and the folder of who did.
    fn fence(&self, py: Python<'_>, epoch: u64) -> PyResult<(u64, String)> {
        let Fence { epoch, by } = self.with(py, |log| log.fence(epoch))?;
        Ok((epoch, by))
    }
}
