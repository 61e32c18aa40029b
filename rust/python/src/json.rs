//! JSON texts.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use stepwell_core::json;

/// How deeply arrays and objects are nested in a JSON text.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub fn json_depth(text: &[u8]) -> usize {
    json::depth(text)
}

/// A JSON text without spaces and needless escapes, each key once; the same object if it is so already.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub fn json_compact<'py>(text: &Bound<'py, PyBytes>) -> Bound<'py, PyBytes> {
    json::compact(text.as_bytes()).map_or_else(
        || text.clone(),
        |compacted| PyBytes::new(text.py(), &compacted),
    )
}

/// Values below this depth are not counted: so deep a value has no JSON text.
const MAX_DEPTH: usize = 1_000;

/// A lower bound for the length of a value's JSON text in bytes; counting ends when it exceeds `most`.
///
/// A value that occurs in several places is counted at each of them, as in the text.
#[pyfunction]
#[pyo3(signature = (value, most, /))]
pub fn json_size(value: &Bound<'_, PyAny>, most: usize) -> PyResult<usize> {
    let mut size = 0;
    add_size(value, most, 0, &mut size)?;
    Ok(size)
}

fn add_size(value: &Bound<'_, PyAny>, most: usize, depth: usize, size: &mut usize) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        *size += text.len()? + 2;
        return Ok(());
    }
    *size += 1;
    if depth == MAX_DEPTH {
        return Ok(());
    }
    if let Ok(object) = value.cast::<PyDict>() {
        for (name, item) in object.iter() {
            if *size > most {
                break;
            }
            *size += 2; // the colon, and a comma or the end
            add_size(&name, most, depth + 1, size)?;
            add_size(&item, most, depth + 1, size)?;
        }
    } else if let Ok(array) = value.cast::<PyList>() {
        for item in array.iter() {
            if *size > most {
                break;
            }
            *size += 1;
            add_size(&item, most, depth + 1, size)?;
        }
    }
    Ok(())
}
