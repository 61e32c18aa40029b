//! JSONata for Python: converts values directly, and releases the GIL when an evaluation takes long.

use std::cell::Cell;
use std::time::Duration;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PyString, PyTuple};
use stepwell_query::jsonata::{
    Binding, EvaluationError, Expression, Limits, Use, Value, surroundings,
};

use crate::errors::{JsonataError, JsonataSyntaxError};
use crate::jsonata_values::{FromPython, text_of, to_python};

/// How many steps an evaluation makes with the GIL: about a millisecond of work. Releasing and acquiring
/// it costs more than most expressions.
const STEPS_WITH_GIL: u64 = 10_000;

/// Fixes the time (milliseconds since 1970) and the seed of this thread's evaluations; `None`: the machine's again.
#[pyfunction]
#[pyo3(signature = (millis, seed=0))]
pub fn fix_jsonata(millis: Option<f64>, seed: u64) {
    match millis {
        Some(millis) => surroundings::fix(millis, seed),
        None => surroundings::release(),
    }
}

/// A compiled JSONata expression.
#[pyclass(frozen, module = "stepwell._core")]
pub struct Jsonata {
    expression: Expression,
}

#[pymethods]
impl Jsonata {
    #[new]
    fn new(text: &Bound<'_, PyString>) -> PyResult<Self> {
        match Expression::compile_text(&text_of(text)?) {
            Ok(expression) => Ok(Jsonata { expression }),
            Err(error) => Err(JsonataSyntaxError::new_err((error.message, error.code))),
        }
    }

    /// The value with ``$states`` and the workflow variables bound, as on AWS; ``nothing`` if there is none.
    fn evaluate<'py>(
        &self,
        states: &Bound<'py, PyDict>,
        variables: &Bound<'py, PyDict>,
        nothing: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = nothing.py();
        let mut values = FromPython::new();
        let names = self.expression.names();
        let mut bindings: Vec<Binding> = Vec::with_capacity(names.variables.len() + 1);
        for name in &names.variables {
            if let Some(value) = variables.get_item(name)? {
                bindings.push((name, values.convert(&value)?));
            }
        }
        if names.states != Use::default() {
            bindings.push((
                "states",
                values.convert_used(states.as_any(), &names.states)?,
            ));
        }
        let result = without_gil_if_long(values.limits(), |limits| {
            self.expression
                .evaluate(bindings, limits, values.held_before)
        })
        .map_err(raise)?;
        to_python(py, &result, &nothing, false)
    }

    /// The language alone over ``data``, without AWS's additions and limits, for the official test suite.
    #[pyo3(signature = (data, bindings, nothing, depth=None, millis=None))]
    fn evaluate_over<'py>(
        &self,
        data: Option<Bound<'py, PyAny>>,
        bindings: &Bound<'py, PyDict>,
        nothing: Bound<'py, PyAny>,
        depth: Option<usize>,
        millis: Option<u64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut values = FromPython::new();
        let data = match data {
            Some(data) if !data.is(&nothing) => values.convert(&data)?,
            Some(_) => Value::Undefined,
            None => Value::Null,
        };
        let names: Vec<String> = bindings.keys().extract()?;
        let mut bound: Vec<Binding> = Vec::with_capacity(names.len());
        for (name, value) in names.iter().zip(bindings.values().iter()) {
            bound.push((name, values.convert(&value)?));
        }
        let mut limits = Limits::LANGUAGE;
        limits.depth = depth.unwrap_or(limits.depth);
        limits.time = millis.map_or(limits.time, Duration::from_millis);
        let result = without_gil_if_long(limits, |limits| {
            self.expression
                .evaluate_over(&data, bound, limits, values.held_before)
        })
        .map_err(raise)?;
        to_python(nothing.py(), &result, &nothing, true)
    }

    /// Variables that the expression reads and does not bind itself, without their ``$``; including functions.
    #[getter]
    fn variables<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyFrozenSet>> {
        PyFrozenSet::new(py, &self.expression.names().variables)
    }

    /// The fields of ``$states`` that the expression reads; None if it reads ``$states`` itself.
    #[getter]
    fn states_fields<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyFrozenSet>>> {
        match &self.expression.names().states {
            Use::Whole => Ok(None),
            Use::Fields(fields) => PyFrozenSet::new(py, fields.keys()).map(Some),
        }
    }

    /// Names read from the context item, which Step Functions does not have; ``$`` for the item itself.
    #[getter]
    fn context_fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.expression.names().context)
    }

    /// Whether the expression contains ``$$``.
    #[getter]
    fn reads_root(&self) -> bool {
        self.expression.names().root
    }
}

thread_local! {
    /// The thread's state while its evaluation runs without the GIL.
    static RELEASED: Cell<*mut ffi::PyThreadState> = const { Cell::new(std::ptr::null_mut()) };
}

/// Releases the GIL; [`Gil`] acquires it again.
fn release_gil() {
    // SAFETY: the thread has the GIL, because Python called it; an evaluation touches no Python object.
    RELEASED.with(|released| released.set(unsafe { ffi::PyEval_SaveThread() }));
}

/// Acquires the GIL at the end of an evaluation, if it was released.
struct Gil;

impl Drop for Gil {
    fn drop(&mut self) {
        let state = RELEASED.with(|released| released.replace(std::ptr::null_mut()));
        if !state.is_null() {
            // SAFETY: this thread saved the state, and restores it once.
            unsafe { ffi::PyEval_RestoreThread(state) };
        }
    }
}

/// Evaluates with the GIL for as long as an expression usually takes, then without it.
fn without_gil_if_long<T>(mut limits: Limits, evaluate: impl FnOnce(&Limits) -> T) -> T {
    let _gil = Gil;
    limits.when_long = Some((STEPS_WITH_GIL, release_gil));
    evaluate(&limits)
}

fn raise(error: EvaluationError) -> PyErr {
    JsonataError::new_err((error.message, error.code))
}
