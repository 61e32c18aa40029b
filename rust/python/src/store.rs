//! The store of a partition.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use stepwell_core::storage::Scan;
use stepwell_core::store::{self, Queue, StoreOptions};
use stepwell_core::{Error, Result};

use crate::errors::raise;
use crate::folder::Place;
use crate::options::options;
use crate::process::OfThisProcess;
use crate::values::{batch, borrowed, byte_list, fields, frame_list, timeout};

/// Log and storage of one partition: one thread commits, any thread reads and waits.
///
/// The queue outlives the store, so that waiting threads get an error when it is closed.
#[pyclass(frozen, module = "stepwell._core")]
pub struct Store {
    queue: Arc<Queue>,
    store: OfThisProcess<RwLock<Option<Arc<store::Store>>>>,
    id: String,
    recovered: Option<String>,
}

impl Store {
    pub fn new(store: Arc<store::Store>) -> Self {
        Self {
            queue: store.queue().clone(),
            id: store.id().to_string(),
            recovered: store.recovered().map(str::to_owned),
            store: OfThisProcess::new(RwLock::new(Some(store))),
        }
    }

    /// Calls `body` without the GIL. The lock is taken without the GIL too, because `close` waits for it.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        body: impl FnOnce(&store::Store) -> Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| match &*self.store.get()?.read() {
            Some(store) => body(store),
            None => Err(Error::Closed),
        })
        .map_err(raise)
    }

    /// Calls `body`, which does not wait, without giving the GIL away: another thread would keep it for longer than the
    /// body takes. `None` if `body` would have to wait, or the store is being closed: ask again with `with`.
    fn at_once<T>(
        &self,
        body: impl FnOnce(&store::Store) -> Result<Option<T>>,
    ) -> PyResult<Option<T>> {
        match self.store.get().map_err(raise)?.try_read().as_deref() {
            Some(Some(store)) => body(store).map_err(raise),
            _ => Ok(None),
        }
    }
}

#[pymethods]
impl Store {
    /// Opens the store in a folder, or with `None` one in memory.
    #[staticmethod]
    #[pyo3(signature = (
        path, *, epoch=None, segment_bytes=None, queue_bytes=None, batch_bytes=None, flush_bytes=None,
        keeps_log=false, write_buffer_bytes=None, cache_bytes=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "options by keyword")]
    fn open(
        py: Python<'_>,
        path: Option<Place>,
        epoch: Option<u64>,
        segment_bytes: Option<u64>,
        queue_bytes: Option<usize>,
        batch_bytes: Option<u64>,
        flush_bytes: Option<u64>,
        keeps_log: bool,
        write_buffer_bytes: Option<usize>,
        cache_bytes: Option<usize>,
    ) -> PyResult<Self> {
        let options = StoreOptions {
            epoch,
            keeps_log,
            ..options(
                segment_bytes,
                queue_bytes,
                batch_bytes,
                flush_bytes,
                write_buffer_bytes,
                cache_bytes,
            )
        };
        let store = py
            .detach(|| match path {
                Some(place) => store::Store::open_in(place.create()?, &options),
                None => store::Store::open(None, &options),
            })
            .map_err(raise)?;
        Ok(Self::new(Arc::new(store)))
    }

    /// The random id that the store got when it was created.
    #[getter]
    fn id(&self) -> &str {
        &self.id
    }

    /// The torn tail that was cut off when the log was opened.
    #[getter]
    fn recovered(&self) -> Option<&str> {
        self.recovered.as_deref()
    }

    fn applied(&self) -> u64 {
        self.queue.applied()
    }

    /// The last position given, durable or not.
    fn tail(&self) -> PyResult<u64> {
        self.store.get().map_err(raise)?;
        Ok(self.queue.tail())
    }

    fn clock_high_water(&self) -> u64 {
        self.queue.hlc()
    }

    /// Queues one atomic batch and returns the position of its last record. Changes alone, without
    /// turns, are durable when it returns. A `deferred` batch may stay queued until this thread waits.
    #[pyo3(signature = (turns, changes, hlc, deferred=false))]
    fn commit(
        &self,
        py: Python<'_>,
        turns: &Bound<'_, PyList>,
        changes: &Bound<'_, PyBytes>,
        hlc: u64,
        deferred: bool,
    ) -> PyResult<u64> {
        self.store.get().map_err(raise)?;
        let batch = batch(turns, changes, hlc)?;
        if batch.count == 0 {
            return self.with(py, |store| store.write(&batch));
        }
        py.detach(|| store::Store::commit(&self.queue, batch, deferred))
            .map_err(raise)
    }

    /// Applies a batch of the log, at `position`.
    fn apply(
        &self,
        py: Python<'_>,
        turns: &Bound<'_, PyList>,
        changes: &Bound<'_, PyBytes>,
        position: u64,
        hlc: u64,
    ) -> PyResult<()> {
        let mut batch = batch(turns, changes, hlc)?;
        if batch.count == 0 {
            return Err(PyValueError::new_err("a batch without records"));
        }
        batch.position = position;
        self.with(py, |store| store.apply(&batch))
    }

    /// The epoch that batches are written in.
    fn epoch(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |store| Ok(store.epoch()))
    }

    /// Ends the epochs before `epoch`, and writes in it from now on.
    fn begin_epoch(&self, py: Python<'_>, epoch: u64) -> PyResult<()> {
        self.with(py, |store| store.begin_epoch(epoch))
    }

    /// Waits until more than `seen` is applied, for `notify`, or for the timeout; returns what is applied.
    #[pyo3(signature = (seen, timeout=None))]
    fn wait(&self, py: Python<'_>, seen: u64, timeout: Option<f64>) -> PyResult<u64> {
        let timeout = self::timeout(timeout)?;
        self.with(py, |store| store.wait(seen, timeout))
    }

    /// Waits until `position` is applied; returns whether it is.
    #[pyo3(signature = (position, timeout=None))]
    fn wait_applied(&self, py: Python<'_>, position: u64, timeout: Option<f64>) -> PyResult<bool> {
        let timeout = self::timeout(timeout)?;
        self.with(py, |store| store.wait_applied(position, timeout))
    }

    /// Ends the current `wait`, or the next one if no thread waits.
    fn notify(&self) {
        if self.store.is_here() {
            self.queue.notify();
        }
    }

    /// The row of a kind with this key.
    #[pyo3(signature = (tag, *key))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        tag: i64,
        key: &Bound<'py, PyTuple>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let key = fields(key)?;
        let row = match self.at_once(|store| store.storage().get_in_memory(tag, &borrowed(&key)))? {
            Some(row) => row,
            None => self.with(py, |store| store.storage().get(tag, &borrowed(&key)))?,
        };
        Ok(row.map(|row| PyBytes::new(py, &row)))
    }

    /// Rows of a kind in the order of their keys.
    #[pyo3(signature = (tag, prefix=None, after=None, limit=1000, reverse=false, *, until=None))]
    #[expect(clippy::too_many_arguments, reason = "options by keyword")]
    fn scan<'py>(
        &self,
        py: Python<'py>,
        tag: i64,
        prefix: Option<&Bound<'py, PyTuple>>,
        after: Option<&Bound<'py, PyTuple>>,
        limit: usize,
        reverse: bool,
        until: Option<u64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let prefix = prefix.map(fields).transpose()?.unwrap_or_default();
        let after = after.map(fields).transpose()?;
        let rows = self.with(py, |store| {
            let after = after.as_deref().map(borrowed);
            let scan = Scan {
                prefix: &borrowed(&prefix),
                after: after.as_deref(),
                until,
                limit,
                reverse,
            };
            store.storage().scan(tag, &scan)
        })?;
        byte_list(py, &rows)
    }

    /// An execution's row and all rows within it, as one MessagePack array.
    fn load<'py>(&self, py: Python<'py>, execution_id: &str) -> PyResult<Bound<'py, PyBytes>> {
        let rows = match self.at_once(|store| store.storage().load_in_memory(execution_id))? {
            Some(rows) => rows,
            None => self.with(py, |store| store.storage().load(execution_id))?,
        };
        Ok(PyBytes::new(py, &rows))
    }

    /// Turns of an execution's history, from the one that holds `first_event`.
    #[pyo3(signature = (execution_id, first_event=0, limit_rows=1000, reverse=false))]
    fn history<'py>(
        &self,
        py: Python<'py>,
        execution_id: &str,
        first_event: u64,
        limit_rows: usize,
        reverse: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let turns = self.with(py, |store| {
            store
                .storage()
                .history(execution_id, first_event, limit_rows, reverse)
        })?;
        byte_list(py, &turns)
    }

    /// Batches of the log as tuples of first position, epoch, number of records and payload.
    #[pyo3(signature = (from_position, max_bytes=8 << 20))]
    fn read_log<'py>(
        &self,
        py: Python<'py>,
        from_position: u64,
        max_bytes: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        let frames = self.with(py, |store| store.read_log(from_position, max_bytes))?;
        frame_list(py, &frames)
    }

    /// Truncates the log before a position, but only as far as storage is durable; returns the log's new start.
    fn truncate_log(&self, py: Python<'_>, before_position: u64) -> PyResult<u64> {
        self.with(py, |store| store.truncate_log(before_position))
    }

    /// Makes storage durable; returns the position that it holds on disk.
    fn flush(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, store::Store::flush)
    }

    /// Copies the store into a new folder, where it can be opened; returns its position.
    fn checkpoint(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        self.with(py, |store| store.checkpoint(&path))
    }

    /// Reads every row and checks its checksum; returns how many rows there are.
    fn verify(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |store| store.storage().verify())
    }

    /// How many rows there are, and SHA-256 of all of them, in hex.
    fn digest(&self, py: Python<'_>) -> PyResult<(u64, String)> {
        let (rows, hash) = self.with(py, |store| store.storage().digest())?;
        let hex = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((rows, hex))
    }

    fn sync_stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.with(py, |store| Ok(store.stats()))?;
        let numbers = PyDict::new(py);
        for (name, number) in [
            ("syncs", stats.syncs),
            ("sync_micros", stats.sync_micros),
            ("batches", stats.batches),
            ("records", stats.records),
            ("bytes", stats.bytes),
            ("applied", stats.applied),
            ("flushed", stats.flushed),
            ("log_start", stats.log_start),
            ("log_tail", stats.log_tail),
        ] {
            numbers.set_item(name, number)?;
        }
        Ok(numbers)
    }

    /// Writes what is queued, flushes storage, and releases the folder. Does nothing the second time, and in a forked
    /// child, where the store is not open.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            let Ok(store) = self.store.get() else {
                return Ok(());
            };
            if self
                .queue
                .check_leads()
                .is_err_and(|error| matches!(error, Error::Following))
            {
                return Ok(()); // the store of a copy, which closes it
            }
            self.queue.close();
            let store = store.write().take();
            store.map_or(Ok(()), |store| store.finish())
        })
        .map_err(raise)
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }
}
