//! JSONata for Python: values converted in and out directly, and the GIL let go when it takes long.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PyTuple};
use stepwell_core::jsonata::memory::CountingAllocator;
use stepwell_core::jsonata::names::Use;
use stepwell_core::jsonata::{Binding, EvaluationError, Expression, JValue, Limits};

use crate::jsonata_values::{FromPython, to_python};

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

/// How long an evaluation keeps the GIL. Letting it go and taking it back costs more than most
/// expressions do; one that takes longer starts anew without it.
const MILLIS_WITH_GIL: u64 = 1;

/// Counts what an evaluation holds; everything else passes through it unchanged.
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// A compiled JSONata expression.
#[pyclass(frozen, module = "stepwell._core")]
pub struct Jsonata {
    expression: Expression,
}

#[pymethods]
impl Jsonata {
    #[new]
    fn new(text: &str) -> PyResult<Self> {
        match Expression::compile(text) {
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
        let mut values = FromPython::default();
        let names = self.expression.names();
        let mut bindings: Vec<Binding> = Vec::with_capacity(names.variables.len() + 1);
        for name in &names.variables {
            if let Some(value) = variables.get_item(name)? {
                bindings.push((name.clone(), values.convert(&value)?));
            }
        }
        if names.states != Use::default() {
            bindings.push((
                "states".to_owned(),
                values.convert_used(states.as_any(), &names.states)?,
            ));
        }
        let result = self.evaluate_bounded(py, bindings, &values)?;
        to_python(py, &result, &values.numbers, &nothing)
    }

    /// The language alone over ``data``, without AWS's additions and limits, for the official test suite.
    #[pyo3(signature = (data, bindings, nothing, depth=None, millis=None, checked=false))]
    fn evaluate_over<'py>(
        &self,
        data: Option<Bound<'py, PyAny>>,
        bindings: &Bound<'py, PyDict>,
        nothing: Bound<'py, PyAny>,
        depth: Option<usize>,
        millis: Option<u64>,
        checked: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut values = FromPython::default();
        let data = match data {
            Some(data) if !data.is(&nothing) => values.convert(&data)?,
            Some(_) => JValue::Undefined,
            None => JValue::Null,
        };
        let mut bound: Vec<Binding> = Vec::with_capacity(bindings.len());
        for (name, value) in bindings.iter() {
            bound.push((name.extract()?, values.convert(&value)?));
        }
        let limits = Limits {
            depth,
            millis,
            ..Limits::NONE
        };
        let result = self
            .expression
            .evaluate_over(&data, bound, &limits, checked)
            .map_err(raise)?;
        to_python(nothing.py(), &result, &values.numbers, &nothing)
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
    ) -> PyResult<JValue> {
        let limits = values.limits();
        let quick = Limits {
            millis: Some(MILLIS_WITH_GIL),
            ..limits.clone()
        };
        match self
            .expression
            .evaluate(bindings.clone(), &quick, &values.numbers)
        {
            Err(error) if error.is_timeout() => {
                let given = SameThread((bindings, &values.numbers));
                py.detach(|| {
                    let SameThread((bindings, numbers)) = { given };
                    SameThread(self.expression.evaluate(bindings, &limits, numbers))
                })
                .0
                .map_err(raise)
            }
            result => result.map_err(raise),
        }
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
