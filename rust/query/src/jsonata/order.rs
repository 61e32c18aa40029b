//! Order-by: `^(>price, name)`.

use std::cmp::Ordering;
use std::rc::Rc;

use super::ast::{Node, Term};
use super::error::{Answer, Fault};
use super::evaluator::Evaluator;
use super::frame::Frame;
use super::functions::sorting;
use super::value::Value;

impl Evaluator<'_> {
    pub(super) fn sort_by(&mut self, terms: &[Term], input: &Value, frame: &Rc<Frame>) -> Answer {
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

    pub(super) fn sort_key(
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

fn not_sortable(one: &Value, other: &Value) -> Box<Fault> {
    let is_sortable =
        |value: &Value| matches!(value, Value::Text(_)) || value.as_number().is_some();
    match (is_sortable(one), is_sortable(other)) {
        (false, _) => Fault::new("T2008").value(one),
        (_, false) => Fault::new("T2008").value(other),
        _ => Fault::new("T2007").value(one).value2(other),
    }
}
