//! Tools that look into a log.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use stepwell_core::storage::msgpack::Reader;

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
        let start = reader.at();
        reader.skip(1).map_err(raise)?;
        turns.append(PyBytes::new(py, reader.since(start)))?;
    }
    Ok(turns)
}
