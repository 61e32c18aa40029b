//! The values of an evaluation, as JavaScript has them: undefined and null, doubles, texts, arrays
//! with the marks of sequences, objects with JavaScript's order of fields, functions.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::charge::Charge;
use super::function::Function;
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
fn drop_deep(items: Vec<Value>) {
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
                    let fields = std::mem::take(&mut *object.fields.borrow_mut());
                    open.extend(fields.entries.into_iter().map(|(_, value)| value));
                }
            }
            _ => {}
        }
    }
}

/// An object. Only a transform changes one.
pub struct Object {
    fields: RefCell<Fields>,
}

/// The fields of an object: names that are array indexes first, in their order, then the others as they came.
#[derive(Default)]
pub struct Fields {
    entries: Vec<(Text, Value)>,
    indexes: usize,
    places: Option<HashMap<Text, usize>>,
    charge: Option<Charge>,
}

/// From so many fields on, names are hashed.
const HASHED: usize = 12;

impl Fields {
    pub fn with_capacity(capacity: usize) -> Fields {
        Fields {
            entries: Vec::with_capacity(capacity),
            ..Fields::default()
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, (Text, Value)> {
        self.entries.iter()
    }

    #[inline]
    fn place(&self, name: &[u8]) -> Option<usize> {
        match &self.places {
            Some(places) if self.entries.len() > HASHED => {
                places.get(&Text::from_wtf8(name)).copied()
            }
            _ => self
                .entries
                .iter()
                .position(|(known, _)| known.bytes() == name),
        }
    }

    #[inline]
    pub fn get(&self, name: &[u8]) -> Option<&Value> {
        self.place(name).map(|at| &self.entries[at].1)
    }

    pub fn set(&mut self, name: Text, value: Value) {
        if self.entries.len() > HASHED && self.places.is_none() {
            self.number_places();
        }
        match self.place(name.bytes()) {
            Some(at) => self.entries[at].1 = value,
            None => self.add(name, value),
        }
    }

    /// Adds a field that is not there yet.
    #[inline]
    pub fn add(&mut self, name: Text, value: Value) {
        match index_of_name(&name) {
            None => {
                if let Some(places) = &mut self.places {
                    places.insert(name.clone(), self.entries.len());
                }
                self.entries.push((name, value));
            }
            Some(index) => {
                let before = |entry: &(Text, Value)| index_of_name(&entry.0) < Some(index);
                let at = self.entries[..self.indexes].partition_point(before);
                self.entries.insert(at, (name, value));
                self.indexes += 1;
                if self.places.is_some() {
                    self.number_places();
                }
            }
        }
    }

    pub fn remove(&mut self, name: &Text) {
        if let Some(at) = self.place(name.bytes()) {
            self.entries.remove(at);
            if at < self.indexes {
                self.indexes -= 1;
            }
            if self.places.is_some() {
                self.number_places();
            }
        }
    }

    fn number_places(&mut self) {
        let names = self.entries.iter().enumerate();
        self.places = Some(names.map(|(at, (name, _))| (name.clone(), at)).collect());
    }

    fn counted(mut self) -> Fields {
        if self.entries.len() > HASHED && self.places.is_none() {
            self.number_places();
        }
        let bytes = self.entries.len() * size_of::<(Text, Value)>() + 80;
        self.charge = Some(Charge::new(bytes));
        self
    }
}

/// The number that a name is, if JavaScript takes it for an array index.
#[inline]
fn index_of_name(name: &Text) -> Option<u32> {
    let bytes = name.bytes();
    match bytes {
        [b'0'] => Some(0),
        [b'1'..=b'9', ..] if bytes.len() <= 10 => {
            let number: u64 = name.as_str()?.parse().ok()?;
            u32::try_from(number)
                .ok()
                .filter(|&index| index != u32::MAX)
        }
        _ => None,
    }
}

impl Object {
    pub fn new(fields: Fields) -> Rc<Object> {
        Rc::new(Object {
            fields: RefCell::new(fields.counted()),
        })
    }

    #[inline]
    pub fn get(&self, name: &[u8]) -> Value {
        self.fields.borrow().get(name).cloned().unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.fields.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Act on each field; `act` evaluates nothing.
    pub fn each(&self, mut act: impl FnMut(&Text, &Value)) {
        self.fields
            .borrow()
            .iter()
            .for_each(|(name, value)| act(name, value));
    }

    /// Act on each field until one fails; `act` evaluates nothing.
    pub fn try_each<E>(&self, act: impl FnMut(&(Text, Value)) -> Result<(), E>) -> Result<(), E> {
        self.fields.borrow().iter().try_for_each(act)
    }

    /// The fields as they are now.
    pub fn entries(&self) -> Vec<(Text, Value)> {
        self.fields.borrow().entries.clone()
    }

    pub fn set(&self, name: Text, value: Value) {
        let mut fields = self.fields.borrow_mut();
        fields.set(name, value);
        let bytes = fields.entries.len() * size_of::<(Text, Value)>() + 80;
        if let Some(charge) = &mut fields.charge {
            charge.set(bytes);
        }
    }

    pub fn remove(&self, name: &Text) {
        self.fields.borrow_mut().remove(name);
    }
}

impl std::fmt::Debug for Object {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let fields = self.fields.borrow();
        formatter
            .debug_map()
            .entries(fields.iter().map(|(name, value)| (name, value)))
            .finish()
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        let fields = std::mem::take(self.fields.get_mut());
        drop_deep(fields.entries.into_iter().map(|(_, value)| value).collect());
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
