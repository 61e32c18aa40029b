//! The values of an evaluation, as JavaScript has them: undefined and null, doubles, texts, arrays
//! with the marks of sequences, objects with JavaScript's order of fields, functions.

use std::cell::Cell;
use std::rc::Rc;

use super::charge::Charge;
use super::function::Function;
pub use super::object::{Fields, Object};
use super::text::Text;

/// A value. Copying one copies a reference.
#[derive(Clone, Debug, Default)]
pub enum Value {
    #[default]
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    /// An integer that a double does not hold. It passes through; a calculation takes the double next to it.
    Long(i64),
    Text(Text),
    Array(Rc<Array>),
    Object(Rc<Object>),
    Function(Rc<Function>),
}

pub const SEQUENCE: u8 = 1;
pub const KEEP_SINGLETON: u8 = 2;
/// Made by an array constructor in a path: not flattened.
pub const CONS: u8 = 4;
pub const OUTER_WRAPPER: u8 = 8;
pub const TUPLE_STREAM: u8 = 16;

/// An array, and what it is to the language.
pub struct Array {
    items: Vec<Value>,
    flags: Cell<u8>,
    _charge: Charge,
}

impl Array {
    pub fn new(items: Vec<Value>, flags: u8) -> Rc<Array> {
        Rc::new(Array {
            _charge: Charge::new(items.len() * size_of::<Value>() + 48),
            items,
            flags: Cell::new(flags),
        })
    }

    #[inline]
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    #[inline]
    pub fn has(&self, flag: u8) -> bool {
        self.flags.get() & flag != 0
    }

    pub fn mark(&self, flag: u8) {
        self.flags.set(self.flags.get() | flag);
    }
}

impl std::ops::Deref for Array {
    type Target = [Value];

    #[inline]
    fn deref(&self) -> &[Value] {
        &self.items
    }
}

impl std::fmt::Debug for Array {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        self.items.fmt(formatter)
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        drop_deep(std::mem::take(&mut self.items));
    }
}

/// Drops values without a call for each level of their nesting.
pub fn drop_deep(items: Vec<Value>) {
    let is_nested = |value: &Value| matches!(value, Value::Array(_) | Value::Object(_));
    if !items.iter().any(is_nested) {
        return;
    }
    let mut open = items;
    while let Some(value) = open.pop() {
        match value {
            Value::Array(array) => {
                if let Some(mut array) = Rc::into_inner(array) {
                    open.append(&mut array.items);
                }
            }
            Value::Object(object) => {
                if let Some(object) = Rc::into_inner(object) {
                    open.extend(object.into_values());
                }
            }
            _ => {}
        }
    }
}

impl Value {
    pub fn text(text: impl Into<Text>) -> Value {
        Value::Text(text.into())
    }

    pub fn array(items: Vec<Value>) -> Value {
        Value::Array(Array::new(items, 0))
    }

    pub fn sequence(items: Vec<Value>) -> Value {
        Value::Array(Array::new(items, SEQUENCE))
    }

    pub fn object(fields: Fields) -> Value {
        Value::Object(Object::new(fields))
    }

    pub fn function(function: Function) -> Value {
        Value::Function(Rc::new(function))
    }

    #[inline]
    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined)
    }

    #[inline]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Long(integer) => Some(*integer as f64),
            _ => None,
        }
    }

    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    #[inline]
    pub fn as_array(&self) -> Option<&Rc<Array>> {
        match self {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    pub fn is_sequence(&self) -> bool {
        matches!(self, Value::Array(array) if array.has(SEQUENCE))
    }

    pub fn is_tuple_stream(&self) -> bool {
        matches!(self, Value::Array(array) if array.has(TUPLE_STREAM))
    }

    /// JavaScript's `===`.
    pub fn is_same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
            (Value::Bool(one), Value::Bool(other)) => one == other,
            (Value::Long(one), Value::Long(other)) => one == other,
            (Value::Text(one), Value::Text(other)) => one == other,
            (Value::Array(one), Value::Array(other)) => Rc::ptr_eq(one, other),
            (Value::Object(one), Value::Object(other)) => Rc::ptr_eq(one, other),
            (Value::Function(one), Value::Function(other)) => Rc::ptr_eq(one, other),
            (one, other) => match (one.as_number(), other.as_number()) {
                (Some(one), Some(other)) => one == other,
                _ => false,
            },
        }
    }

    /// What JavaScript takes for true.
    pub fn is_truthy(&self) -> bool {
        match self {
            Value::Undefined | Value::Null => false,
            Value::Bool(flag) => *flag,
            Value::Number(number) => *number != 0.0 && !number.is_nan(),
            Value::Text(text) => !text.is_empty(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_indexes_come_first() {
        let mut fields = Fields::default();
        for name in ["b", "10", "01", "2", "4294967295", "a", "0"] {
            fields.set(name.into(), Value::Null);
        }
        let names: Vec<_> = fields.iter().map(|(name, _)| name.to_lossy()).collect();
        assert_eq!(names, ["0", "2", "10", "b", "01", "4294967295", "a"]);
        fields.remove(&"2".into());
        assert!(fields.get(b"2").is_none());
        assert!(fields.get(b"10").is_some());
    }

    #[test]
    fn many_fields_are_found_by_their_hashes() {
        let mut fields = Fields::default();
        for number in 0..100 {
            fields.set(
                format!("n{number}").into(),
                Value::Number(f64::from(number)),
            );
        }
        fields.set("n7".into(), Value::Null);
        assert_eq!(fields.len(), 100);
        assert!(matches!(fields.get(b"n7"), Some(Value::Null)));
        let object = Object::new(fields);
        assert_eq!(object.get(b"n99").as_number(), Some(99.0));
    }

    #[test]
    fn a_deep_value_is_dropped_without_a_stack() {
        let mut value = Value::Null;
        for _ in 0..1_000_000 {
            value = Value::array(vec![value]);
        }
        drop(value);
        assert_eq!(super::super::charge::held(), 0);
    }
}
