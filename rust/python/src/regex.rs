//! Java's regular expressions for Python.

use pyo3::exceptions::PyValueError;
use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use stepwell_query::regex::{Dialect, Flags, Regex, StepsLeft};

import_exception!(stepwell.asl.errors, ExpressionSyntaxError);

/// How many steps a match makes with the GIL. Most need far fewer; one that needs more starts again
/// without it.
const STEPS_WITH_GIL: u64 = 50_000;

/// A compiled pattern of `java.util.regex`.
#[pyclass(frozen, module = "stepwell._core")]
pub struct JavaRegex {
    regex: Regex,
    steps: u64,
}

#[pymethods]
impl JavaRegex {
    #[new]
    #[pyo3(signature = (pattern, flags = "", steps = 1_000_000))]
    fn new(pattern: &Bound<'_, PyString>, flags: &str, steps: u64) -> PyResult<Self> {
        let pattern = units(pattern)?;
        match Regex::compile(&pattern, Dialect::Java, read_flags(flags)?) {
            Ok(regex) => Ok(JavaRegex { regex, steps }),
            Err(error) => Err(ExpressionSyntaxError::new_err(error.message)),
        }
    }

    /// Whether the whole text matches.
    fn matches(&self, text: &Bound<'_, PyString>) -> PyResult<bool> {
        Ok(self.matches_within(text, self.steps)?.0)
    }

    /// Whether the whole text matches, and the steps that this took, which are at most `steps`.
    fn matches_within(&self, text: &Bound<'_, PyString>, steps: u64) -> PyResult<(bool, u64)> {
        let py = text.py();
        let text = units(text)?;
        let steps = steps.min(self.steps);
        let quick = steps.min(STEPS_WITH_GIL);
        let mut budget = StepsLeft(quick);
        if let Ok(result) = self.regex.matches_whole(&text, &mut budget) {
            return Ok((result, quick - budget.0));
        }
        let mut budget = StepsLeft(steps);
        py.detach(|| self.regex.matches_whole(&text, &mut budget))
            .map(|result| (result, steps - budget.0))
            .or_else(|_| Err(out_of_steps(py)?))
    }
}

/// The code units of a text, lone surrogates included.
fn units(text: &Bound<'_, PyString>) -> PyResult<Vec<u16>> {
    if let Ok(text) = text.to_str() {
        return Ok(text.encode_utf16().collect());
    }
    let bytes = text.call_method1("encode", ("utf-16-le", "surrogatepass"))?;
    let bytes = bytes.cast_into::<PyBytes>()?;
    let pairs = bytes.as_bytes().chunks_exact(2);
    Ok(pairs
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect())
}

fn read_flags(letters: &str) -> PyResult<Flags> {
    let mut flags = Flags::default();
    for letter in letters.chars() {
        match letter {
            'i' => flags.ignore_case = true,
            'm' => flags.multiline = true,
            's' => flags.dot_all = true,
            'd' => flags.unix_lines = true,
            'u' => flags.unicode_case = true,
            'x' => flags.comments = true,
            'U' => flags.unicode_class = true,
            other => return Err(PyValueError::new_err(format!("there is no flag {other:?}"))),
        }
    }
    Ok(flags)
}

/// The error of an evaluation that exceeds its budget of steps.
fn out_of_steps(py: Python<'_>) -> PyResult<PyErr> {
    let runtime_error = py.import("stepwell.asl.errors")?.getattr("runtime_error")?;
    let error = runtime_error.call1(("The regular expression takes too many steps.",))?;
    Ok(PyErr::from_value(error))
}
