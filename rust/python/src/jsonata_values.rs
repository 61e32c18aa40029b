//! Values of Python as values of JSONata, and back.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use stepwell_core::jsonata::names::Use;
use stepwell_core::jsonata::{JMap, JValue, Limits};

use crate::jsonata::{JsonataError, not_json};

/// What each large double stands for: an integer that a double may not hold, or itself.
///
/// JSONata's numbers are doubles. AWS nevertheless gives back an integer of up to 64 bits as it came
/// (ASL A3.15), and so does this, unless the expression calculated with it.
pub type Exact = HashMap<u64, Original>;

/// The number that came in.
#[derive(Clone, Copy, PartialEq)]
pub enum Original {
    Integer(i64),
    Double(f64),
}

/// Below this a double holds every integer, and stands for no other.
const ALL_EXACT: f64 = 9_007_199_254_740_992.0;
/// From here on a whole number is no 64-bit integer.
const LONG_END: f64 = 9_223_372_036_854_775_808.0;

/// Converts the values for one evaluation.
#[derive(Default)]
pub struct FromPython {
    pub exact: Exact,
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
            let fields = object
                .iter()
                .map(|(name, field)| Ok((self.name(&name)?, self.convert(&field)?)));
            return Ok(JValue::Object(fields.collect::<PyResult<JMap>>()?.into()));
        }
        if let Ok(array) = value.cast::<PyList>() {
            let items = array.iter().map(|item| self.convert(&item));
            return Ok(JValue::array(items.collect::<PyResult<_>>()?));
        }
        self.convert_scalar(value)
    }

    /// Only the parts of `value` that are used. A field that no path names cannot be missed.
    pub fn convert_used(&mut self, value: &Bound<'_, PyAny>, used: &Use) -> PyResult<JValue> {
        let (Use::Fields(fields), Ok(object)) = (used, value.cast::<PyDict>()) else {
            return self.convert(value);
        };
        let mut converted = Vec::with_capacity(fields.len());
        for (name, used) in fields {
            if let Some(field) = object.get_item(name)? {
                converted.push((name.clone(), self.convert_used(&field, used)?));
            }
        }
        Ok(JValue::Object(
            converted.into_iter().collect::<JMap>().into(),
        ))
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
            match number.extract::<i64>() {
                Ok(number) => Ok(self.number(number as f64, Original::Integer(number))),
                Err(_) => number
                    .extract()
                    .map(|double| self.number(double, Original::Double(double))),
            }
        } else if let Ok(number) = value.cast::<PyFloat>() {
            Ok(self.number(number.value(), Original::Double(number.value())))
        } else {
            Err(not_json(&format!(
                "a value of type {}",
                value.get_type().name()?
            )))
        }
    }

    /// The double for a number. Where the nearest one stands for another number, the next below.
    fn number(&mut self, mut double: f64, original: Original) -> JValue {
        if double.abs() >= ALL_EXACT && double.is_finite() {
            while *self.exact.entry(double.to_bits()).or_insert(original) != original {
                double = double.next_down();
            }
        }
        JValue::Number(double)
    }
}

/// A value of JSONata for Python. What is nothing becomes `nothing`; a function has no value.
pub fn to_python<'py>(
    py: Python<'py>,
    value: &JValue,
    exact: &Exact,
    nothing: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    match value {
        JValue::Undefined => Ok(nothing.clone()),
        JValue::Null => Ok(py.None().into_bound(py)),
        JValue::Bool(flag) => Ok(PyBool::new(py, *flag).to_owned().into_any()),
        JValue::Number(number) => Ok(number_to_python(py, *number, exact)),
        JValue::String(text) => Ok(PyString::new(py, text).into_any()),
        JValue::Array(items) => {
            let list = PyList::empty(py);
            for item in items.iter().filter(|item| !item.is_undefined()) {
                list.append(to_python(py, item, exact, nothing)?)?;
            }
            Ok(list.into_any())
        }
        JValue::Object(fields) => {
            let dict = PyDict::new(py);
            for (name, field) in fields.iter().filter(|(_, field)| !field.is_undefined()) {
                dict.set_item(name, to_python(py, field, exact, nothing)?)?;
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
fn number_to_python<'py>(py: Python<'py>, number: f64, exact: &Exact) -> Bound<'py, PyAny> {
    if !number.is_finite() {
        let text = match number.is_nan() {
            true => "NaN",
            false if number > 0.0 => "Infinity",
            false => "-Infinity",
        };
        return PyString::new(py, text).into_any();
    }
    if let Some(Original::Integer(integer)) = exact.get(&number.to_bits()) {
        return PyInt::new(py, *integer).into_any();
    }
    let number = match exact.get(&number.to_bits()) {
        Some(Original::Double(double)) => *double,
        _ => number,
    };
    if number.fract() == 0.0 && (-LONG_END..LONG_END).contains(&number) {
        return PyInt::new(py, number as i64).into_any();
    }
    PyFloat::new(py, number).into_any()
}
