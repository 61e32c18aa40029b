//! Steps whose items are tuples of what is bound: positions (`#`), focus variables (`@`), parents (`%`).

use std::rc::Rc;

use super::ast::{Kind, Node, Term};
use super::error::{Answer, Fault};
use super::evaluator::Evaluator;
use super::frame::Frame;
use super::path::Items;
use super::text::Text;
use super::value::{self, Array, Fields, Value};

impl Evaluator<'_> {
    pub(super) fn tuple_path(
        &mut self,
        node: &Node,
        (steps, first): (&[Node], usize),
        keep_singleton: bool,
        items: Items,
        frame: &Rc<Frame>,
    ) -> Answer {
        let mut input = items.into_value();
        let mut tuples: Option<Value> = None;
        for (at, step) in steps.iter().enumerate().skip(first) {
            if at == 0 && step.is_cons {
                let result = self.evaluate(step, &input, frame)?;
                if step.focus().is_none() {
                    input = result;
                }
                continue;
            }
            tuples = Some(self.tuple_step(step, &input, tuples.as_ref(), frame)?);
        }
        let Some(tuples) = tuples else {
            return Err(Fault::uncoded(
                "Cannot read properties of undefined (reading 'length')",
            ));
        };
        let bound = tuples.as_array().map_or(&[][..], |tuples| tuples.items());
        let mut result = match node.is_tuple() {
            true => tuples.clone(),
            false => Value::sequence(bound.iter().map(item_of).collect()),
        };
        if keep_singleton && let Value::Array(items) = &result {
            items.mark(value::KEEP_SINGLETON);
        }
        if let Some(group) = node.group() {
            result = self.group(group, &tuples, frame)?;
        }
        Ok(result)
    }

    pub(super) fn tuple_step(
        &mut self,
        step: &Node,
        input: &Value,
        tuples: Option<&Value>,
        frame: &Rc<Frame>,
    ) -> Answer {
        let result = match &step.kind {
            Kind::Sort(terms) => self.tuple_sort(step, terms, input, tuples, frame)?,
            _ => self.tuple_map(step, input, tuples, frame)?,
        };
        match step.stages() {
            Some(stages) => self.stages(stages, result, frame),
            None => Ok(result),
        }
    }

    pub(super) fn tuple_sort(
        &mut self,
        step: &Node,
        terms: &[Term],
        input: &Value,
        tuples: Option<&Value>,
        frame: &Rc<Frame>,
    ) -> Answer {
        if let Some(tuples) = tuples {
            return self.sort_by(terms, tuples, frame);
        }
        let sorted = self.sort_by(terms, input, frame)?;
        let items = sorted.as_array().map_or(&[][..], |items| items.items());
        let index = step.index().map(|name| self.name_of(name));
        let tuples = items.iter().enumerate().map(|(at, item)| {
            let mut tuple = Fields::default();
            tuple.set("@".into(), item.clone());
            if let Some(index) = &index {
                tuple.set(index.clone(), Value::Number(at as f64));
            }
            Value::object(tuple)
        });
        Ok(stream(tuples.collect()))
    }

    pub(super) fn tuple_map(
        &mut self,
        step: &Node,
        input: &Value,
        tuples: Option<&Value>,
        frame: &Rc<Frame>,
    ) -> Answer {
        let made;
        let tuples: &[Value] = match (tuples, input) {
            (Some(tuples), _) => tuples.as_array().map_or(&[][..], |tuples| tuples.items()),
            (None, input) => {
                let Value::Array(items) = input else {
                    return Err(Fault::uncoded("input.map is not a function"));
                };
                made = items.iter().map(tuple_of).collect::<Vec<_>>();
                &made
            }
        };
        let mut found = Vec::new();
        for tuple in tuples {
            let (item, inner) = self.tuple_frame(tuple, frame);
            let result = self.evaluate(step, &item, &inner)?;
            let is_stream = result.is_tuple_stream();
            let results = match result {
                Value::Undefined => continue,
                Value::Array(results) => results,
                result => Array::new(vec![result], 0),
            };
            for (at, result) in results.iter().enumerate() {
                self.budget.spend(1)?;
                found.push(self.bound(step, tuple, &item, result, at, is_stream));
            }
            self.budget.refuse_length(found.len())?;
        }
        Ok(stream(found))
    }

    /// The tuple with what `step` binds.
    pub(super) fn bound(
        &self,
        step: &Node,
        tuple: &Value,
        item: &Value,
        result: &Value,
        at: usize,
        is_stream: bool,
    ) -> Value {
        let mut bound = Fields::default();
        let mut take = |from: &Value| {
            if let Value::Object(from) = from {
                from.each(|name, value| bound.set(name.clone(), value.clone()));
            }
        };
        take(tuple);
        if is_stream {
            take(result);
            return Value::object(bound);
        }
        match step.focus() {
            Some(focus) => {
                bound.set(self.name_of(focus), result.clone());
                bound.set("@".into(), item.clone());
            }
            None => bound.set("@".into(), result.clone()),
        }
        if let Some(index) = step.index() {
            bound.set(self.name_of(index), Value::Number(at as f64));
        }
        if let Some(slot) = step.extra.as_ref().and_then(|extra| extra.ancestor) {
            bound.set(self.name_of(self.ast.slots[slot]), item.clone());
        }
        Value::object(bound)
    }

    /// The item of a tuple, and a frame with what the tuple binds.
    pub fn tuple_frame(&mut self, tuple: &Value, frame: &Rc<Frame>) -> (Value, Rc<Frame>) {
        let inner = Frame::new(Some(Rc::clone(frame)));
        if let Value::Object(tuple) = tuple {
            tuple.each(|name, value| {
                let symbol = self
                    .ast
                    .symbols
                    .iter()
                    .position(|known| **known == *name.bytes());
                if let Some(symbol) = symbol {
                    inner.bind(symbol as u32, value.clone());
                }
            });
        }
        (item_of(tuple), inner)
    }

    /// Several tuples of a group as one: what they bind, side by side.
    pub fn reduced(&mut self, tuples: &Value, frame: &Rc<Frame>) -> (Value, Rc<Frame>) {
        let Value::Array(tuples) = tuples else {
            return self.tuple_frame(tuples, frame);
        };
        let mut names: Vec<Text> = Vec::new();
        for tuple in tuples.iter() {
            if let Value::Object(tuple) = tuple {
                tuple.each(|name, _| {
                    if !names.contains(name) {
                        names.push(name.clone());
                    }
                });
            }
        }
        let mut reduced = Fields::default();
        for name in names {
            let values = tuples.iter().map(|tuple| match tuple {
                Value::Object(tuple) => tuple.get(name.bytes()),
                _ => Value::Undefined,
            });
            let mut values: Vec<Value> = values.filter(|value| !value.is_undefined()).collect();
            let value = match values.len() {
                0 => Value::Undefined,
                1 => values.remove(0),
                _ => super::evaluator::joined(&values),
            };
            reduced.set(name, value);
        }
        self.tuple_frame(&Value::object(reduced), frame)
    }
}

/// Where a tuple has its item.
const ITEM: &[u8] = b"@";

pub fn item_of(tuple: &Value) -> Value {
    match tuple {
        Value::Object(tuple) => tuple.get(ITEM),
        _ => Value::Undefined,
    }
}

fn tuple_of(item: &Value) -> Value {
    let mut tuple = Fields::default();
    tuple.set("@".into(), item.clone());
    Value::object(tuple)
}

fn stream(tuples: Vec<Value>) -> Value {
    Value::Array(Array::new(tuples, value::SEQUENCE | value::TUPLE_STREAM))
}
