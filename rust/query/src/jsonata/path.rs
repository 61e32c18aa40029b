//! Paths: each step maps over what the step before it gave. Where positions, focus variables or
//! parents are bound, the items are tuples of what is bound.

use std::rc::Rc;

use super::ast::{Kind, Node, Stage};
use super::error::{Answer, Fault};
use super::evaluator::Evaluator;
use super::frame::Frame;
use super::functions::sorting;
use super::operators;
use super::text::Text;
use super::value::{self, Array, Value};

/// What one step gave.
pub enum Items {
    One(Value),
    Many(Rc<Array>),
}

impl Items {
    pub fn into_value(self) -> Value {
        match self {
            Items::One(item) => Value::sequence(vec![item]),
            Items::Many(items) => Value::Array(items),
        }
    }
}

impl Evaluator<'_> {
    pub fn path(
        &mut self,
        node: &Node,
        steps: &[Node],
        keep_singleton: bool,
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Answer {
        let is_absolute = matches!(steps[0].kind, Kind::Variable(_) | Kind::Context);
        let mut items = match input {
            Value::Array(items) if !is_absolute => Items::Many(Rc::clone(items)),
            input => Items::One(input.clone()),
        };
        let last = steps.len() - 1;
        for (at, step) in steps.iter().enumerate() {
            if step.is_tuple() {
                return self.tuple_path(node, (steps, at), keep_singleton, items, frame);
            }
            let result = if at == 0 && step.is_cons {
                self.evaluate(step, &items.into_value(), frame)?
            } else {
                match self.step(step, items, frame, at == last)? {
                    Items::One(item) if at == last => {
                        return self.end_path(node, keep_singleton, item, frame);
                    }
                    Items::One(item) => {
                        items = Items::One(item);
                        continue;
                    }
                    Items::Many(found) => Value::Array(found),
                }
            };
            items = match result {
                Value::Array(found) if !found.is_empty() && at < last => Items::Many(found),
                Value::Array(_) | Value::Undefined => {
                    return self.finish_path(node, keep_singleton, result, frame);
                }
                // To JavaScript a text without characters is as empty as an array without items.
                Value::Text(text) if text.is_empty() => {
                    return self.finish_path(node, keep_singleton, Value::Text(text), frame);
                }
                result if at < last => Items::Many(as_sequence(&result, &steps[at + 1])?),
                result => return self.finish_path(node, keep_singleton, result, frame),
            };
        }
        Ok(Value::Undefined)
    }

    /// Ends a path with a sequence of one.
    #[inline]
    fn end_path(
        &mut self,
        node: &Node,
        keep_singleton: bool,
        item: Value,
        frame: &Rc<Frame>,
    ) -> Answer {
        if !keep_singleton && !node.keep_array && node.extra.is_none() {
            return Ok(item);
        }
        self.finish_path(node, keep_singleton, Value::sequence(vec![item]), frame)
    }

    fn finish_path(
        &mut self,
        node: &Node,
        keep_singleton: bool,
        mut result: Value,
        frame: &Rc<Frame>,
    ) -> Answer {
        if keep_singleton && let Value::Array(items) = &result {
            if items.has(value::CONS) && !items.has(value::SEQUENCE) {
                result = Value::sequence(vec![result.clone()]);
            }
            if let Value::Array(items) = &result {
                items.mark(value::KEEP_SINGLETON);
            }
        }
        match node.group() {
            Some(group) => self.group(group, &result, frame),
            None => Ok(result),
        }
    }

    fn step(
        &mut self,
        step: &Node,
        items: Items,
        frame: &Rc<Frame>,
        is_last: bool,
    ) -> Answer<Items> {
        if let Kind::Sort(terms) = &step.kind {
            let mut sorted = self.sort_by(terms, &items.into_value(), frame)?;
            if let Some(stages) = step.stages() {
                sorted = self.stages(stages, sorted, frame)?;
            }
            return Ok(match sorted {
                Value::Array(items) => Items::Many(items),
                item => Items::One(item),
            });
        }
        match items {
            Items::One(item) => {
                let result = self.stepped(step, &item, frame)?;
                Ok(match result {
                    Value::Undefined => Items::Many(Array::new(Vec::new(), value::SEQUENCE)),
                    Value::Array(found) => one_array(found, is_last),
                    result => Items::One(result),
                })
            }
            Items::Many(items) => self.step_over(step, &items, frame, is_last),
        }
    }

    fn step_over(
        &mut self,
        step: &Node,
        items: &[Value],
        frame: &Rc<Frame>,
        is_last: bool,
    ) -> Answer<Items> {
        let mut found: Vec<Value> = Vec::with_capacity(items.len().min(1024));
        let mut first_array = None;
        let mut results = 0;
        for item in items {
            match self.stepped(step, item, frame)? {
                Value::Undefined => continue,
                Value::Array(inner) if !inner.has(value::CONS) => {
                    self.budget.items(inner.len())?;
                    found.extend_from_slice(&inner);
                    first_array = first_array.or(Some(Value::Array(inner)));
                }
                result => {
                    if matches!(result, Value::Array(_)) {
                        first_array = first_array.or(Some(result.clone()));
                    }
                    found.push(result);
                }
            }
            results += 1;
            self.budget.refuse_length(found.len())?;
        }
        if let (true, 1, Some(Value::Array(only))) = (is_last, results, first_array)
            && !only.has(value::SEQUENCE)
        {
            return Ok(Items::Many(only));
        }
        Ok(Items::Many(Array::new(found, value::SEQUENCE)))
    }

    /// A step for one item, with the step's filters.
    #[inline]
    fn stepped(&mut self, step: &Node, item: &Value, frame: &Rc<Frame>) -> Answer {
        let mut result = self.evaluate(step, item, frame)?;
        for stage in step.stages().into_iter().flatten() {
            if let Stage::Filter(predicate) = stage {
                result = self.filter(predicate, result, frame)?;
            }
        }
        Ok(result)
    }

    pub fn stages(&mut self, stages: &[Stage], mut items: Value, frame: &Rc<Frame>) -> Answer {
        for stage in stages {
            match stage {
                Stage::Filter(predicate) => items = self.filter(predicate, items, frame)?,
                Stage::Index(name) => {
                    let name = self.name_of(*name);
                    for (at, tuple) in items
                        .as_array()
                        .map_or(&[][..], |items| items.items())
                        .iter()
                        .enumerate()
                    {
                        if let Value::Object(tuple) = tuple {
                            tuple.set(name.clone(), Value::Number(at as f64));
                        }
                    }
                }
            }
        }
        Ok(items)
    }

    /// The items that `predicate` chooses: by their positions, or because it is true for them.
    pub fn filter(&mut self, predicate: &Node, input: Value, frame: &Rc<Frame>) -> Answer {
        let flags = match input.is_tuple_stream() {
            true => value::SEQUENCE | value::TUPLE_STREAM,
            false => value::SEQUENCE,
        };
        let items = match input {
            Value::Array(items) => items,
            item => Array::new(vec![item], value::SEQUENCE),
        };
        if let Kind::Number(position) = predicate.kind {
            return Ok(match at_position(&items, position) {
                Some(Value::Array(item)) => Value::Array(item),
                Some(Value::Undefined) | None => Value::Array(Array::new(Vec::new(), flags)),
                Some(item) => Value::Array(Array::new(vec![item], flags)),
            });
        }
        let mut found = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let result = match items.has(value::TUPLE_STREAM) {
                true => {
                    let (item, inner) = self.tuple_frame(item, frame);
                    self.evaluate(predicate, &item, &inner)?
                }
                false => self.evaluate(predicate, item, frame)?,
            };
            for _ in 0..self.times_chosen(&result, at, items.len())? {
                found.push(item.clone());
            }
            self.budget.refuse_length(found.len())?;
        }
        Ok(Value::Array(Array::new(found, flags)))
    }

    fn times_chosen(&mut self, result: &Value, at: usize, length: usize) -> Answer<usize> {
        if let Value::Bool(flag) = result {
            return Ok(usize::from(*flag));
        }
        let is_here = |number: f64| {
            let position = number.floor();
            let position = if position < 0.0 {
                length as f64 + position
            } else {
                position
            };
            position == at as f64
        };
        if operators::is_numeric(result)? {
            return Ok(usize::from(result.as_number().is_some_and(is_here)));
        }
        if let Value::Array(numbers) = result {
            self.budget.items(numbers.len())?;
            if sorting::is_array_of_numbers(numbers)? {
                return Ok(numbers
                    .iter()
                    .filter_map(Value::as_number)
                    .filter(|&number| is_here(number))
                    .count());
            }
        }
        Ok(usize::from(self.boolean(result)? == Some(true)))
    }
}

/// What JavaScript goes through of a value that is no array: the code units of a text.
fn as_sequence(value: &Value, next: &Node) -> Answer<Rc<Array>> {
    if next.is_tuple() {
        return Err(Fault::uncoded("input.map is not a function"));
    }
    let units = value.as_text().map(Text::to_utf16).unwrap_or_default();
    let letters = units
        .chunks(1)
        .map(|unit| Value::Text(Text::from_utf16(unit)));
    Ok(Array::new(letters.collect(), value::SEQUENCE))
}

/// The only result of a step, an array: a sequence of its items, but as it is at the end of a path.
fn one_array(found: Rc<Array>, is_last: bool) -> Items {
    if is_last && !found.has(value::SEQUENCE) {
        return Items::Many(found);
    }
    if found.has(value::CONS) {
        return Items::One(Value::Array(found));
    }
    match &found[..] {
        [only] => Items::One(only.clone()),
        items => Items::Many(Array::new(items.to_vec(), value::SEQUENCE)),
    }
}

fn at_position(items: &[Value], position: f64) -> Option<Value> {
    let position = position.floor();
    let position = if position < 0.0 {
        items.len() as f64 + position
    } else {
        position
    };
    if position < 0.0 || position >= items.len() as f64 {
        return None;
    }
    items.get(position as usize).cloned()
}
