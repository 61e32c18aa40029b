//! Tools that read a log: one that is open, one that is not, or the payload of a batch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use stepwell_core::env::Folder;
use stepwell_core::log::{Dump, dump_of, verify};
use stepwell_core::msgpack::Reader;
use stepwell_core::record::{Context, Layout, Record};
use stepwell_core::store::{self, log_folder, repair};
use stepwell_core::{Error, Result};

use crate::errors::raise;

/// The turns of a batch's payload.
#[pyfunction]
#[pyo3(signature = (payload, /))]
pub fn split_turns<'py>(
    py: Python<'py>,
    payload: &Bound<'py, PyBytes>,
) -> PyResult<Bound<'py, PyList>> {
    let turns = PyList::empty(py);
    let mut reader = Reader::new(payload.as_bytes());
    while !reader.is_at_end() {
        let start = reader.offset();
        reader.skip(1).map_err(raise)?;
        turns.append(PyBytes::new(py, reader.since(start)))?;
    }
    Ok(turns)
}

/// Checks a whole log, in a store's folder or in a folder of its own, and reports what it holds. A log in a store's
/// folder is compared with the storage there.
#[pyfunction]
pub fn log_verify(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let report = py
        .detach(|| {
            let place = Arc::new(Folder::open(&path).map_err(Error::io("open", &path))?);
            if log_folder(place.path()).is_dir() {
                return store::verify(place);
            }
            verify(&*place, place.path())
        })
        .map_err(raise)?;
    let answer = PyDict::new(py);
    answer.set_item("segments", report.segments)?;
    answer.set_item("batches", report.batches)?;
    answer.set_item("records", report.records)?;
    answer.set_item("bytes", report.bytes)?;
    answer.set_item("first", report.first)?;
    answer.set_item("last", report.last)?;
    answer.set_item("epoch", report.epoch)?;
    answer.set_item("store", report.store.map(|store| store.to_string()))?;
    answer.set_item("torn", report.torn.map(|torn| torn.to_string()))?;
    Ok(answer)
}

/// Repairs the log of a store that is not open, and reports what it did.
#[pyfunction]
pub fn log_repair(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let repaired = py.detach(|| repair(&path)).map_err(raise)?;
    let answer = PyDict::new(py);
    answer.set_item("damage", repaired.damage)?;
    answer.set_item("set_aside", repaired.set_aside)?;
    answer.set_item("last", repaired.last)?;
    answer.set_item("lost_from", repaired.lost_from)?;
    Ok(answer)
}

/// The layouts of records in the native codec: tag → (name, fields).
#[pyfunction]
pub fn record_layouts() -> BTreeMap<u64, (&'static str, Vec<&'static str>)> {
    layouts(Record::LAYOUTS)
}

/// The layouts of storage's rows in the native codec: tag → (name, fields).
#[pyfunction]
pub fn context_layouts() -> BTreeMap<u64, (&'static str, Vec<&'static str>)> {
    layouts(Context::LAYOUTS)
}

fn layouts(layouts: &[Layout]) -> BTreeMap<u64, (&'static str, Vec<&'static str>)> {
    let of = |layout: &Layout| (layout.tag, (layout.name, layout.field_names().collect()));
    layouts.iter().map(of).collect()
}

/// The records of a log from a position on, each as a line of JSON.
#[pyfunction]
#[pyo3(signature = (path, from_position=1, limit=None))]
pub fn log_dump(
    py: Python<'_>,
    path: PathBuf,
    from_position: u64,
    limit: Option<usize>,
) -> PyResult<LogDump> {
    let lines = py
        .detach(|| {
            let folder = Arc::new(folder(&path)?);
            let path = folder.path().to_owned();
            dump_of(folder, &path, from_position)
        })
        .map_err(raise)?;
    Ok(LogDump(Mutex::new(lines.take(limit.unwrap_or(usize::MAX)))))
}

/// Lines of JSON, one a record.
#[pyclass(frozen, module = "stepwell._core")]
pub struct LogDump(Mutex<std::iter::Take<Dump<'static>>>);

#[pymethods]
impl LogDump {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let line: Option<Result<String>> = py.detach(|| self.0.lock().next());
        line.transpose().map_err(raise)
    }
}

/// The log's folder, also if `path` is a store's folder.
fn folder(path: &Path) -> Result<Folder> {
    match log_folder(path) {
        log if log.is_dir() => Folder::open(&log).map_err(Error::io("open", &log)),
        _ => Folder::open(path).map_err(Error::io("open", path)),
    }
}
