//! Converts Python values to JSONata values and back.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};
use stepwell_query::jsonata::limits::MAX_NESTING;
use stepwell_query::jsonata::{Expression, Fields, Limits, Text, Use, Value, integer_value};

use crate::errors::{JsonataError, not_json};

/// From this number on a whole number does not fit into a 64-bit integer.
const LONG_END: f64 = 9_223_372_036_854_775_808.0;

/// Converts the values for one evaluation.
pub struct FromPython {
    /// How many bytes this thread's values held before.
    pub held_before: usize,
    bytes: usize,
    depth: usize,
}

impl FromPython {
    pub fn new() -> Self {
        FromPython {
            held_before: Expression::held(),
            bytes: 0,
            depth: 0,
        }
    }

    /// AWS's limits. A value that came in larger than AWS allows may be returned again.
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::AWS;
        limits.value_bytes = limits.value_bytes.max(2 * self.bytes);
        limits.sequence = limits.sequence.max(self.bytes / 8);
        limits.memory += 16 * self.bytes;
        limits
    }

    pub fn convert(&mut self, value: &Bound<'_, PyAny>) -> PyResult<Value> {
        self.bytes += 8;
        if let Ok(text) = value.cast::<PyString>() {
            return self.text(text).map(Value::Text);
        }
        if let Ok(object) = value.cast::<PyDict>() {
            return self.nested(|values| {
                let mut fields = Fields::with_capacity(object.len());
                for (name, field) in object.iter() {
                    fields.add(values.name(&name)?, values.convert(&field)?);
                }
                Ok(Value::object(fields))
            });
        }
        if let Ok(array) = value.cast::<PyList>() {
            return self.nested(|values| {
                let mut items = Vec::with_capacity(array.len());
                for item in array.iter() {
                    items.push(values.convert(&item)?);
                }
                Ok(Value::array(items))
            });
        }
        convert_scalar(value)
    }

    fn nested(&mut self, act: impl FnOnce(&mut Self) -> PyResult<Value>) -> PyResult<Value> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(too_deep());
        }
        let value = act(self);
        self.depth -= 1;
        value
    }

    /// Converts only the parts of `value` that the expression reads.
    pub fn convert_used(&mut self, value: &Bound<'_, PyAny>, used: &Use) -> PyResult<Value> {
        let (Use::Fields(names), Ok(object)) = (used, value.cast::<PyDict>()) else {
            return self.convert(value);
        };
        let mut fields = Fields::with_capacity(names.len());
        for (name, used) in names {
            if let Some(field) = object.get_item(name)? {
                fields.add(name.as_str().into(), self.convert_used(&field, used)?);
            }
        }
        Ok(Value::object(fields))
    }

    fn name(&mut self, name: &Bound<'_, PyAny>) -> PyResult<Text> {
        let name = name
            .cast::<PyString>()
            .map_err(|_| not_json("a key of a dict"))?;
        self.text(name)
    }

    fn text(&mut self, text: &Bound<'_, PyString>) -> PyResult<Text> {
        let converted = text_of(text)?;
        self.bytes += converted.bytes().len();
        Ok(converted)
    }
}

pub fn text_of(text: &Bound<'_, PyString>) -> PyResult<Text> {
    if let Ok(text) = text.to_str() {
        return Ok(text.into());
    }
    // A lone surrogate cannot be encoded in UTF-8.
    let bytes = text.call_method1("encode", ("utf-8", "surrogatepass"))?;
    Ok(Text::from_generalized_utf8(
        bytes.cast::<PyBytes>()?.as_bytes(),
    ))
}

fn convert_scalar(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_none() {
        Ok(Value::Null)
    } else if let Ok(flag) = value.cast::<PyBool>() {
        Ok(Value::Bool(flag.is_true()))
    } else if let Ok(number) = value.cast::<PyInt>() {
        match number.extract::<i64>() {
            Ok(integer) => Ok(integer_value(integer)),
            Err(_) => number.extract().map(Value::Number),
        }
    } else if let Ok(number) = value.cast::<PyFloat>() {
        Ok(Value::Number(number.value()))
    } else {
        let kind = value.get_type().name()?;
        Err(not_json(&format!("a value of type {kind}")))
    }
}

fn too_deep() -> PyErr {
    let message = stepwell_query::jsonata::error::STACK_OVERFLOW;
    JsonataError::new_err((message, None::<String>))
}

/// Converts a JSONata value to Python. `undefined` becomes `nothing`; a function has no value.
///
/// `keeps_halves`: whether texts may hold halves of surrogate pairs, as in the language's own tests.
pub fn to_python<'py>(
    py: Python<'py>,
    value: &Value,
    nothing: &Bound<'py, PyAny>,
    keeps_halves: bool,
) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Undefined => Ok(nothing.clone()),
        value => Writer {
            py,
            names: Default::default(),
            depth: 0,
            keeps_halves,
        }
        .write(value),
    }
}

/// How many names of fields are remembered.
const NAMES: usize = 16;

/// Makes Python objects.
struct Writer<'py> {
    py: Python<'py>,
    /// Recently written field names: most of them occur in many objects.
    names: [Option<(Text, Bound<'py, PyAny>)>; NAMES],
    depth: usize,
    keeps_halves: bool,
}

impl<'py> Writer<'py> {
    fn write(&mut self, value: &Value) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        match value {
            // In an array, undefined becomes null, as in JavaScript's JSON.
            Value::Null | Value::Undefined => Ok(py.None().into_bound(py)),
            Value::Bool(flag) => Ok(PyBool::new(py, *flag).to_owned().into_any()),
            Value::Number(number) => Ok(number_to_python(py, *number)),
            Value::Long(integer) => Ok(PyInt::new(py, *integer).into_any()),
            Value::Text(text) => self.text(text),
            Value::Array(items) => self.nested(|writer| {
                let list = PyList::empty(py);
                for item in items.iter() {
                    list.append(writer.write(item)?)?;
                }
                Ok(list.into_any())
            }),
            Value::Object(object) => self.nested(|writer| {
                let dict = PyDict::new(py);
                object.try_each(|(name, field)| match field {
                    Value::Undefined => Ok(()),
                    field => dict.set_item(writer.name(name)?, writer.write(field)?),
                })?;
                Ok(dict.into_any())
            }),
            Value::Function(_) => Err(JsonataError::new_err((
                "the result is or holds a function",
                "unsupported",
            ))),
        }
    }

    fn text(&self, text: &Text) -> PyResult<Bound<'py, PyAny>> {
        text_to_python(self.py, text, self.keeps_halves)
    }

    fn nested(
        &mut self,
        act: impl FnOnce(&mut Self) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(too_deep());
        }
        let written = act(self);
        self.depth -= 1;
        written
    }

    fn name(&mut self, name: &Text) -> PyResult<Bound<'py, PyAny>> {
        let bytes = name.bytes();
        let ends = bytes.first().zip(bytes.last());
        let place = ends.map_or(0, |(first, last)| {
            bytes.len() + usize::from(*first) + 3 * usize::from(*last)
        });
        let place = &mut self.names[place % NAMES];
        if let Some((known, written)) = place
            && known == name
        {
            return Ok(written.clone());
        }
        let written = text_to_python(self.py, name, self.keeps_halves)?;
        *place = Some((name.clone(), written.clone()));
        Ok(written)
    }
}

fn text_to_python<'py>(
    py: Python<'py>,
    text: &Text,
    keeps_halves: bool,
) -> PyResult<Bound<'py, PyAny>> {
    match text.as_str() {
        Some(text) => Ok(PyString::new(py, text).into_any()),
        None if keeps_halves => {
            PyBytes::new(py, text.bytes()).call_method1("decode", ("utf-8", "surrogatepass"))
        }
        None => Ok(PyString::new(py, &text.to_lossy()).into_any()),
    }
}

/// Whole numbers become integers; what JSON cannot express becomes the text that JavaScript has for it (ASL A4.21).
fn number_to_python(py: Python<'_>, number: f64) -> Bound<'_, PyAny> {
    if !number.is_finite() {
        let text = match number.is_nan() {
            true => "NaN",
            false if number > 0.0 => "Infinity",
            false => "-Infinity",
        };
        return PyString::new(py, text).into_any();
    }
    if number.fract() == 0.0 && (-LONG_END..LONG_END).contains(&number) {
        return PyInt::new(py, number as i64).into_any();
    }
    PyFloat::new(py, number).into_any()
}
