//! JSONata for Python: values converted in and out directly, and the GIL let go when it takes long.

use std::time::Duration;

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PyString, PyTuple};
use stepwell_query::jsonata::{
    Binding, Bound as Limit, EvaluationError, Expression, Limits, Use, Value,
};

use crate::jsonata_values::{FromPython, text_of, to_python};

create_exception!(
    _core,
    JsonataError,
    PyException,
    "An evaluation that failed: (message, code or None)."
);
create_exception!(
    _core,
    JsonataSyntaxError,
    PyException,
    "An expression that does not parse: (message, code or None)."
);

/// How many steps an evaluation makes with the GIL, less than a millisecond of work. Letting it go
/// and taking it back costs more than most expressions do; one that takes longer starts anew without it.
const STEPS_WITH_GIL: u64 = 10_000;

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

    /// The value with ``$states`` and the workflow variables bound, as on AWS; ``nothing`` where there is none.
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
        let result = self.evaluate_bounded(py, bindings, &values)?;
        to_python(py, &result, &nothing)
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
        let result = self
            .expression
            .evaluate_over(&data, bound, &limits, values.held_before)
            .map_err(raise)?;
        to_python(nothing.py(), &result, &nothing)
    }

    /// Variables that it reads and does not bind itself, without their ``$``; functions among them.
    #[getter]
    fn variables<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyFrozenSet>> {
        PyFrozenSet::new(py, &self.expression.names().variables)
    }

    /// The fields of ``$states`` that it reads; None if it reads ``$states`` itself.
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

    /// Whether ``$$`` stands in it.
    #[getter]
    fn reads_root(&self) -> bool {
        self.expression.names().root
    }
}

impl Jsonata {
    fn evaluate_bounded(
        &self,
        py: Python<'_>,
        bindings: Vec<Binding>,
        values: &FromPython,
    ) -> PyResult<Value> {
        let limits = values.limits();
        let given = values.held_before;
        let quick = Limits {
            steps: STEPS_WITH_GIL,
            ..limits.clone()
        };
        // What a transform has changed is no longer what was given, so it cannot start anew.
        if !self.expression.names().transforms {
            match self.expression.evaluate(bindings.clone(), &quick, given) {
                Err(error) if error.bound == Some(Limit::Steps) => {}
                result => return result.map_err(raise),
            }
        }
        let bindings = SameThread(bindings);
        let detached = py.detach(|| {
            let SameThread(bindings) = { bindings };
            SameThread(self.expression.evaluate(bindings, &limits, given))
        });
        detached.0.map_err(raise)
    }
}

/// A value that stays on its thread while the GIL is let go.
struct SameThread<T>(T);

// SAFETY: `Python::detach` runs its closure on the calling thread, so nothing is sent anywhere; it
// asks for `Send` only to keep objects of Python out. What is wrapped here holds none.
unsafe impl<T> Send for SameThread<T> {}

fn raise(error: EvaluationError) -> PyErr {
    JsonataError::new_err((error.message, error.code))
}

pub(crate) fn not_json(what: &str) -> PyErr {
    PyValueError::new_err(format!(
        "{what} is not JSON: expected dict, list, str, int, float, bool or None"
    ))
}
