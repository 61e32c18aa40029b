//! Constructors of arrays and objects, and grouping.

use std::rc::Rc;

use super::ast::{Kind, Node};
use super::error::{Answer, Fault, Thrown};
use super::evaluator::{Evaluator, joined};
use super::frame::Frame;
use super::text::Text;
use super::value::{self, Fields, Value};

impl Evaluator<'_> {
    pub(super) fn array(
        &mut self,
        items: &[Node],
        is_cons: bool,
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Answer {
        let mut found = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let value = match self.evaluate_item(item, input, frame) {
                Ok(value) => value,
                Err((fault, steps)) => {
                    return Err(self.soonest(fault, steps, &items[at + 1..], input, frame));
                }
            };
            match value {
                Value::Undefined => {}
                Value::Array(inner) if !matches!(item.kind, Kind::Array(_)) => {
                    self.budget.items(inner.len())?;
                    self.budget.refuse_length(found.len() + inner.len())?;
                    found.extend_from_slice(&inner);
                }
                value => found.push(value),
            }
        }
        self.budget.refuse_length(found.len())?;
        let flags = if is_cons { value::CONS } else { 0 };
        Ok(Value::Array(value::Array::new(found, flags)))
    }

    /// An item of an array constructor; where it fails, with the steps that it took.
    pub(super) fn evaluate_item(
        &mut self,
        item: &Node,
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Result<Value, (Thrown, u64)> {
        let (steps, depth) = (self.budget.left(), self.budget.depth);
        self.evaluate(item, input, frame).map_err(|fault| {
            self.budget.depth = depth;
            (fault, steps - self.budget.left())
        })
    }

    /// jsonata-js evaluates the items side by side, so that of several that fail the soonest one is reported.
    pub(super) fn soonest(
        &mut self,
        fault: Thrown,
        steps: u64,
        rest: &[Node],
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Thrown {
        let mut soonest = (fault, steps);
        for item in rest {
            if soonest.0.bound.is_some() {
                break;
            }
            if let Err((fault, steps)) = self.evaluate_item(item, input, frame)
                && (fault.bound.is_some() || steps < soonest.1)
            {
                soonest = (fault, steps);
            }
        }
        soonest.0
    }

    /// A group of items with the same key.
    pub fn group(&mut self, pairs: &[(Node, Node)], input: &Value, frame: &Rc<Frame>) -> Answer {
        let is_tuples = input.is_tuple_stream();
        let single = [input.clone()];
        let items: &[Value] = match input {
            Value::Array(items) if items.is_empty() => &[Value::Undefined],
            Value::Array(items) => items,
            _ => &single,
        };
        if let ([item], false) = (items, is_tuples)
            && let Some(object) = self.object(pairs, item, frame)?
        {
            return Ok(object);
        }
        let groups = self.grouped(pairs, items, is_tuples, frame)?;
        let mut result = Fields::with_capacity(groups.len());
        for (key, group) in groups.iter() {
            let Value::Array(group) = group else { continue };
            let (pair, data) = (
                &pairs[group[0].as_number().unwrap_or(0.0) as usize],
                &group[1..],
            );
            let data = match data {
                [only] => only.clone(),
                data => joined(data),
            };
            let value = match is_tuples {
                true => {
                    let (context, inner) = self.reduced(&data, frame);
                    self.evaluate(&pair.1, &context, &inner)?
                }
                false => self.evaluate(&pair.1, &data, frame)?,
            };
            if !value.is_undefined() {
                result.set(key.clone(), value);
            }
        }
        Ok(Value::object(result))
    }

    /// The object of one item; None where names of indexes change the order.
    pub(super) fn object(
        &mut self,
        pairs: &[(Node, Node)],
        item: &Value,
        frame: &Rc<Frame>,
    ) -> Answer<Option<Value>> {
        let is_constant = |(key, _): &(Node, Node)| matches!(&key.kind, Kind::Text(name) if key.extra.is_none() && !name.first().is_some_and(u8::is_ascii_digit));
        if !pairs.iter().all(is_constant) {
            return Ok(None);
        }
        let mut result = Fields::with_capacity(pairs.len());
        for (at, (key, _)) in pairs.iter().enumerate() {
            let is_double = |other: &(Node, Node)| matches!((&other.0.kind, &key.kind), (Kind::Text(one), Kind::Text(other)) if one == other);
            if pairs[..at].iter().any(is_double) {
                return Ok(None);
            }
        }
        for (key, value) in pairs {
            let value = self.evaluate(value, item, frame)?;
            if let (Kind::Text(name), false) = (&key.kind, value.is_undefined()) {
                result.add(Text::from_wtf8(name), value);
            }
        }
        Ok(Some(Value::object(result)))
    }

    /// The items of each key, behind the number of the pair that gave it.
    pub(super) fn grouped(
        &mut self,
        pairs: &[(Node, Node)],
        items: &[Value],
        is_tuples: bool,
        frame: &Rc<Frame>,
    ) -> Answer<Fields> {
        let mut keys: Vec<(Text, usize, Vec<Value>)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for item in items {
            let (context, inner) = match is_tuples {
                // An empty stream has one item too, which is undefined.
                true if item.is_undefined() && !pairs.is_empty() => {
                    return Err(Fault::uncoded(
                        "Cannot read properties of undefined (reading '@')",
                    ));
                }
                true => self.tuple_frame(item, frame),
                false => (item.clone(), Rc::clone(frame)),
            };
            for (number, (key, _)) in pairs.iter().enumerate() {
                let key = match self.evaluate(key, &context, &inner)? {
                    Value::Undefined => continue,
                    Value::Text(key) => key,
                    key => return Err(Fault::new("T1003").value(&key)),
                };
                let place = *places.entry(key.clone()).or_insert(keys.len());
                match keys.get_mut(place) {
                    None => keys.push((key, number, vec![item.clone()])),
                    Some((_, known, _)) if *known != number => {
                        return Err(Fault::new("D1009").value(&Value::Text(key)));
                    }
                    Some((_, _, data)) => data.push(item.clone()),
                }
            }
        }
        let mut groups = Fields::with_capacity(keys.len());
        for (key, number, mut data) in keys {
            data.insert(0, Value::Number(number as f64));
            groups.add(key, Value::array(data));
        }
        Ok(groups)
    }
}
