//! Paths: each step maps over what the step before it gave. Where positions, focus variables or
//! parents are bound, the items are tuples of what is bound.

use std::cmp::Ordering;
use std::rc::Rc;

use super::ast::{Kind, Node, Stage, Term};
use super::error::{Answer, Fault};
use super::evaluator::{Evaluator, Frame};
use super::functions::sorting;
use super::operators;
use super::text::Text;
use super::value::{self, Array, Fields, Value};

/// Where a tuple has its item.
const ITEM: &[u8] = b"@";

/// What one step gave.
enum Items {
    One(Value),
    Many(Rc<Array>),
}

impl Items {
    fn into_value(self) -> Value {
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

    fn stages(&mut self, stages: &[Stage], mut items: Value, frame: &Rc<Frame>) -> Answer {
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

    fn tuple_path(
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

    fn tuple_step(
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

    fn tuple_sort(
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

    fn tuple_map(
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
    fn bound(
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

    fn sort_by(&mut self, terms: &[Term], input: &Value, frame: &Rc<Frame>) -> Answer {
        let is_tuples = input.is_tuple_stream();
        let Value::Array(items) = input else {
            return Ok(input.clone());
        };
        if items.len() <= 1 {
            return Ok(input.clone());
        }
        // What an item is sorted by is evaluated once, when it is first compared.
        let mut keys: Vec<Option<Value>> = vec![None; items.len() * terms.len()];
        let places: Vec<usize> = (0..items.len()).collect();
        let sorted = sorting::merge_sort(self, places, &mut |evaluator, &one, &other| {
            for (number, term) in terms.iter().enumerate() {
                for place in [one, other] {
                    let key = &mut keys[place * terms.len() + number];
                    if key.is_none() {
                        let expression = &term.expression;
                        *key = Some(evaluator.sort_key(
                            expression,
                            &items[place],
                            is_tuples,
                            frame,
                        )?);
                    }
                }
                let key = |place: usize| keys[place * terms.len() + number].as_ref();
                let undefined = &Value::Undefined;
                let (one, other) = (
                    key(one).unwrap_or(undefined),
                    key(other).unwrap_or(undefined),
                );
                match order_of(one, other, term.is_descending)? {
                    Ordering::Equal => {}
                    order => return Ok(order.is_gt()),
                }
            }
            Ok(false)
        })?;
        Ok(Value::array(
            sorted
                .into_iter()
                .map(|place| items[place].clone())
                .collect(),
        ))
    }

    fn sort_key(
        &mut self,
        term: &Node,
        item: &Value,
        is_tuples: bool,
        frame: &Rc<Frame>,
    ) -> Answer {
        if !is_tuples {
            return self.evaluate(term, item, frame);
        }
        let (item, inner) = self.tuple_frame(item, frame);
        self.evaluate(term, &item, &inner)
    }
}

/// The order of what two items are sorted by; what is undefined comes last, either way.
fn order_of(one: &Value, other: &Value, is_descending: bool) -> Answer<Ordering> {
    let order = match (one, other) {
        (Value::Undefined, Value::Undefined) => return Ok(Ordering::Equal),
        (Value::Undefined, _) => return Ok(Ordering::Greater),
        (_, Value::Undefined) => return Ok(Ordering::Less),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        _ => match (one.as_number(), other.as_number()) {
            (Some(one), Some(other)) if one == other => Ordering::Equal,
            (Some(one), Some(other)) if one < other => Ordering::Less,
            (Some(_), Some(_)) => Ordering::Greater,
            _ => return Err(not_sortable(one, other)),
        },
    };
    Ok(if is_descending {
        order.reverse()
    } else {
        order
    })
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

fn not_sortable(one: &Value, other: &Value) -> Box<Fault> {
    let is_sortable =
        |value: &Value| matches!(value, Value::Text(_)) || value.as_number().is_some();
    match (is_sortable(one), is_sortable(other)) {
        (false, _) => Fault::new("T2008").value(one),
        (_, false) => Fault::new("T2008").value(other),
        _ => Fault::new("T2007").value(one).value2(other),
    }
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

fn item_of(tuple: &Value) -> Value {
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
