//! Converts Python values to the core's types.

use std::borrow::Borrow;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};
use pyo3::{Borrowed, PyTypeCheck};
use stepwell_core::log::Frame;
use stepwell_core::storage::Batch;
use stepwell_core::storage::keys::Value;

/// One field of a key.
pub enum Field {
    Text(String),
    Number(u64),
}

impl Field {
    fn value(&self) -> Value<'_> {
        match self {
            Field::Text(text) => Value::Text(text),
            Field::Number(number) => Value::Number(*number),
        }
    }
}

/// The fields of a key, owned, so that they can be used without the GIL.
pub fn fields(values: &Bound<'_, PyTuple>) -> PyResult<Vec<Field>> {
    let field = |value: Bound<'_, PyAny>| match value.cast::<PyString>() {
        Ok(text) => Ok(Field::Text(text.to_str()?.to_owned())),
        Err(_) => value.extract().map(Field::Number),
    };
    values.iter().map(field).collect()
}

pub fn borrowed(fields: &[Field]) -> Vec<Value<'_>> {
    fields.iter().map(Field::value).collect()
}

/// Seconds as a duration. `None`, and what is longer than a duration holds, has no end.
pub fn timeout(seconds: Option<f64>) -> PyResult<Option<Duration>> {
    match seconds {
        Some(seconds) if seconds.is_nan() => Err(PyValueError::new_err("a timeout is not NaN")),
        Some(seconds) => Ok(Duration::try_from_secs_f64(seconds.max(0.0)).ok()),
        None => Ok(None),
    }
}

pub fn byte_list<'py>(py: Python<'py>, rows: &[Vec<u8>]) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, rows.iter().map(|row| PyBytes::new(py, row)))
}

/// Frames as tuples of their first position, epoch, number of records and payload.
pub fn frame_list<'py, F: Borrow<Frame>>(
    py: Python<'py>,
    frames: &[F],
) -> PyResult<Bound<'py, PyList>> {
    let tuple = |frame: &F| {
        let frame = frame.borrow();
        let payload = PyBytes::new(py, &frame.payload);
        (frame.first, frame.epoch, frame.count, payload)
    };
    PyList::new(py, frames.iter().map(tuple))
}

/// Item `index` of a tuple in an argument.
pub fn item<'a, 'py, T: PyTypeCheck>(
    tuple: &'a Bound<'py, PyTuple>,
    index: usize,
) -> PyResult<Borrowed<'a, 'py, T>> {
    Ok(tuple.get_borrowed_item(index)?.cast()?)
}

/// A batch with turns, each a tuple of scope, first event, number of records and records, and the rows that they change.
pub fn batch(turns: &Bound<'_, PyList>, changes: &Bound<'_, PyBytes>, hlc: u64) -> PyResult<Batch> {
    let turns: Vec<Bound<'_, PyTuple>> = turns
        .iter()
        .map(|turn| turn.cast_into::<PyTuple>().map_err(PyErr::from))
        .collect::<PyResult<_>>()?;
    let bytes = turns
        .iter()
        .map(|turn| item::<PyBytes>(turn, 3)?.len())
        .sum::<PyResult<usize>>()?;
    let mut batch = Batch::with_capacity(bytes, turns.len());
    for turn in &turns {
        let first_event: u64 = turn.get_borrowed_item(1)?.extract()?;
        let count: u32 = turn.get_borrowed_item(2)?.extract()?;
        let blob = item::<PyBytes>(turn, 3)?;
        if first_event > 0 {
            let scope = item::<PyString>(turn, 0)?;
            batch.push(scope.to_str()?, first_event, count, blob.as_bytes());
        } else {
            batch.push("", 0, count, blob.as_bytes());
        }
    }
    if batch.count == 0 && !turns.is_empty() {
        return Err(PyValueError::new_err("turns without records"));
    }
    batch.changes.extend_from_slice(changes.as_bytes());
    batch.hlc = hlc;
    Ok(batch)
}
