//! Objects, with JavaScript's order of fields.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::charge::Charge;
use super::text::Text;
use super::value::{Value, drop_deep};

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

    /// The values, without the object.
    pub fn into_values(self) -> impl Iterator<Item = Value> {
        let fields = std::mem::take(&mut *self.fields.borrow_mut());
        fields.entries.into_iter().map(|(_, value)| value)
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
