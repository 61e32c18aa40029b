//! From a value to its parts: by a name, `*`, `**`.

use super::error::Answer;
use super::evaluator::Evaluator;
use super::value::{self, Value};

impl Evaluator<'_> {
    /// `$lookup`: the field `name` of an object, or of each object of an array.
    pub fn name(&mut self, name: &[u8], input: &Value, depth: usize) -> Answer {
        match input {
            Value::Object(object) => Ok(object.get(name)),
            Value::Array(items) => {
                self.budget.refuse_nesting(depth)?;
                self.budget.items(items.len())?;
                let mut found = Vec::new();
                for item in items.iter() {
                    let value = match item {
                        Value::Object(object) => object.get(name),
                        Value::Array(_) => stacker::maybe_grow(64 << 10, 1 << 20, || {
                            self.name(name, item, depth + 1)
                        })?,
                        _ => continue,
                    };
                    match value {
                        Value::Undefined => {}
                        Value::Array(inner) => {
                            self.budget.items(inner.len())?;
                            self.budget.refuse_length(found.len() + inner.len())?;
                            found.extend_from_slice(&inner);
                        }
                        value => found.push(value),
                    }
                }
                Ok(Value::sequence(found))
            }
            _ => Ok(Value::Undefined),
        }
    }

    pub(super) fn wildcard(&mut self, input: &Value) -> Answer {
        let input = match input {
            Value::Array(items) if items.has(value::OUTER_WRAPPER) && !items.is_empty() => {
                &items[0]
            }
            input => input,
        };
        let mut found = Vec::new();
        let mut is_sequence = true;
        let values: Vec<Value> = match input {
            Value::Object(object) => object
                .entries()
                .into_iter()
                .map(|(_, value)| value)
                .collect(),
            Value::Array(items) => items.to_vec(),
            _ => Vec::new(),
        };
        for value in values {
            match value {
                Value::Array(_) => {
                    self.flatten(&value, &mut found, 0)?;
                    is_sequence = false;
                }
                value => found.push(value),
            }
        }
        self.budget.items(found.len())?;
        self.budget.refuse_length(found.len())?;
        // `concat` leaves a plain array.
        Ok(match is_sequence {
            true => Value::sequence(found),
            false => Value::array(found),
        })
    }

    pub(super) fn flatten(
        &mut self,
        value: &Value,
        found: &mut Vec<Value>,
        depth: usize,
    ) -> Answer<()> {
        self.budget.refuse_nesting(depth)?;
        match value {
            Value::Array(items) => {
                self.budget.items(items.len())?;
                self.budget.refuse_length(found.len() + items.len())?;
                items.iter().try_for_each(|item| {
                    stacker::maybe_grow(64 << 10, 1 << 20, || self.flatten(item, found, depth + 1))
                })
            }
            value => {
                found.push(value.clone());
                Ok(())
            }
        }
    }

    pub(super) fn descendants(&mut self, input: &Value) -> Answer {
        if input.is_undefined() {
            return Ok(Value::Undefined);
        }
        let mut found = Vec::new();
        self.descend(input, &mut found, 0)?;
        Ok(match found.len() {
            1 => found.remove(0),
            _ => Value::sequence(found),
        })
    }

    pub(super) fn descend(
        &mut self,
        input: &Value,
        found: &mut Vec<Value>,
        depth: usize,
    ) -> Answer<()> {
        self.budget.refuse_nesting(depth)?;
        self.budget.spend(1)?;
        let children: Vec<Value> = match input {
            Value::Array(items) => items.to_vec(),
            Value::Object(object) => object
                .entries()
                .into_iter()
                .map(|(_, value)| value)
                .collect(),
            _ => Vec::new(),
        };
        if !matches!(input, Value::Array(_)) {
            found.push(input.clone());
            self.budget.refuse_length(found.len())?;
        }
        self.budget.items(children.len())?;
        children.iter().try_for_each(|child| {
            stacker::maybe_grow(64 << 10, 1 << 20, || self.descend(child, found, depth + 1))
        })
    }
}
