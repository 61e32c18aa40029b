//! Values of Python as values of JSONata, and back.

use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use stepwell_core::jsonata::names::Use;
use stepwell_core::jsonata::numbers::Original;
use stepwell_core::jsonata::{JMap, JValue, Limits, Numbers};

use crate::jsonata::{JsonataError, not_json};

/// From here on a whole number is no 64-bit integer.
const LONG_END: f64 = 9_223_372_036_854_775_808.0;

/// Converts the values for one evaluation.
#[derive(Default)]
pub struct FromPython {
    pub numbers: Rc<Numbers>,
    bytes: usize,
}

impl FromPython {
    /// AWS's limits. What came in larger than AWS would take it may come out again.
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::AWS;
        limits.value_bytes = limits.value_bytes.map(|bytes| bytes.max(2 * self.bytes));
        limits.memory = limits.memory.map(|bytes| bytes + 16 * self.bytes);
        limits
    }

    pub fn convert(&mut self, value: &Bound<'_, PyAny>) -> PyResult<JValue> {
        self.bytes += 8;
        if let Ok(text) = value.cast::<PyString>() {
            let text = text.to_str()?;
            self.bytes += text.len();
            return Ok(JValue::string(text));
        }
        if let Ok(object) = value.cast::<PyDict>() {
            let mut fields = JMap::default();
            fields.reserve(object.len());
            for (name, field) in object.iter() {
                fields.insert(self.name(&name)?, self.convert(&field)?);
            }
            return Ok(JValue::Object(fields.into()));
        }
        if let Ok(array) = value.cast::<PyList>() {
            let mut items = Vec::with_capacity(array.len());
            for item in array.iter() {
                items.push(self.convert(&item)?);
            }
            return Ok(JValue::array(items));
        }
        self.convert_scalar(value)
    }

    /// Only the parts of `value` that are used. A field that no path names cannot be missed.
    pub fn convert_used(&mut self, value: &Bound<'_, PyAny>, used: &Use) -> PyResult<JValue> {
        let (Use::Fields(fields), Ok(object)) = (used, value.cast::<PyDict>()) else {
            return self.convert(value);
        };
        let mut converted = JMap::default();
        for (name, used) in fields {
            if let Some(field) = object.get_item(name)? {
                converted.insert(name.clone(), self.convert_used(&field, used)?);
            }
        }
        Ok(JValue::Object(converted.into()))
    }

    fn name(&mut self, name: &Bound<'_, PyAny>) -> PyResult<String> {
        let name = name
            .cast::<PyString>()
            .map_err(|_| not_json("a key of a dict"))?
            .to_str()?;
        self.bytes += name.len();
        Ok(name.to_owned())
    }

    fn convert_scalar(&mut self, value: &Bound<'_, PyAny>) -> PyResult<JValue> {
        if value.is_none() {
            Ok(JValue::Null)
        } else if let Ok(flag) = value.cast::<PyBool>() {
            Ok(JValue::Bool(flag.is_true()))
        } else if let Ok(number) = value.cast::<PyInt>() {
            let double = match number.extract::<i64>() {
                Ok(integer) => self.numbers.integer(integer),
                Err(_) => self.numbers.double(number.extract()?),
            };
            Ok(JValue::Number(double))
        } else if let Ok(number) = value.cast::<PyFloat>() {
            Ok(JValue::Number(self.numbers.double(number.value())))
        } else {
            Err(not_json(&format!(
                "a value of type {}",
                value.get_type().name()?
            )))
        }
    }
}

/// A value of JSONata for Python. What is nothing becomes `nothing`; a function has no value.
pub fn to_python<'py>(
    py: Python<'py>,
    value: &JValue,
    numbers: &Numbers,
    nothing: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    match value {
        JValue::Undefined => Ok(nothing.clone()),
        JValue::Null => Ok(py.None().into_bound(py)),
        JValue::Bool(flag) => Ok(PyBool::new(py, *flag).to_owned().into_any()),
        JValue::Number(number) => Ok(number_to_python(py, *number, numbers)),
        JValue::String(text) => Ok(PyString::new(py, text).into_any()),
        JValue::Array(items) => {
            let list = PyList::empty(py);
            for item in items.iter().filter(|item| !item.is_undefined()) {
                list.append(to_python(py, item, numbers, nothing)?)?;
            }
            Ok(list.into_any())
        }
        JValue::Object(fields) => {
            let dict = PyDict::new(py);
            for (name, field) in fields.iter().filter(|(_, field)| !field.is_undefined()) {
                dict.set_item(name, to_python(py, field, numbers, nothing)?)?;
            }
            Ok(dict.into_any())
        }
        _ => Err(JsonataError::new_err((
            "the result is or holds a function",
            "unsupported",
        ))),
    }
}

/// Whole numbers are integers; what JSON cannot say is the text that JavaScript has for it (ASL A4.21).
fn number_to_python<'py>(py: Python<'py>, number: f64, numbers: &Numbers) -> Bound<'py, PyAny> {
    if !number.is_finite() {
        let text = match number.is_nan() {
            true => "NaN",
            false if number > 0.0 => "Infinity",
            false => "-Infinity",
        };
        return PyString::new(py, text).into_any();
    }
    let number = match numbers.original(number) {
        Original::Integer(integer) => return PyInt::new(py, integer).into_any(),
        Original::Double(double) => double,
    };
    if number.fract() == 0.0 && (-LONG_END..LONG_END).contains(&number) {
        return PyInt::new(py, number as i64).into_any();
    }
    PyFloat::new(py, number).into_any()
}
