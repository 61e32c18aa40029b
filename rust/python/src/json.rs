//! JSON texts.

use pyo3::prelude::*;
use stepwell_core::json;

/// How deeply arrays and objects are nested in a JSON text.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub fn json_depth(text: &[u8]) -> usize {
    json::depth(text)
}
