//! Functions of arrays, objects and of any value.

use std::collections::HashSet;

use super::argument;
use super::sorting::reordered;
use crate::jsonata::error::{Answer, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::number;
use crate::jsonata::operators::is_numeric;
use crate::jsonata::surroundings;
use crate::jsonata::text::Text;
use crate::jsonata::value::{self, Array, Fields, Value};

pub fn boolean(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    Ok(evaluator
        .boolean(argument(arguments, 0))?
        .map_or(Value::Undefined, Value::Bool))
}

pub fn not(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    Ok(evaluator
        .boolean(argument(arguments, 0))?
        .map_or(Value::Undefined, |flag| Value::Bool(!flag)))
}

pub fn zip(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let lengths = arguments
        .iter()
        .map(|argument| argument.as_array().map_or(0, |items| items.len()));
    let length = lengths.min().unwrap_or(0);
    evaluator.budget.items(length * arguments.len())?;
    let row = |at: usize| {
        Value::array(
            arguments
                .iter()
                .filter_map(|items| items.as_array()?.get(at).cloned())
                .collect(),
        )
    };
    Ok(Value::array((0..length).map(row).collect()))
}

pub fn keys(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let mut names = Fields::default();
    collect_keys(evaluator, argument(arguments, 0), &mut names, 0)?;
    Ok(Value::sequence(
        names
            .iter()
            .map(|(name, _)| Value::Text(name.clone()))
            .collect(),
    ))
}

fn collect_keys(
    evaluator: &mut Evaluator,
    value: &Value,
    names: &mut Fields,
    depth: usize,
) -> Answer<()> {
    evaluator.budget.refuse_nesting(depth)?;
    match value {
        Value::Array(items) => {
            evaluator.budget.items(items.len())?;
            items.iter().try_for_each(|item| {
                stacker::maybe_grow(64 << 10, 1 << 20, || {
                    collect_keys(evaluator, item, names, depth + 1)
                })
            })
        }
        Value::Object(object) => {
            evaluator.budget.items(object.len())?;
            object.each(|name, _| names.set(name.clone(), Value::Null));
            Ok(())
        }
        _ => Ok(()),
    }
}

pub fn lookup(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    match argument(arguments, 1) {
        Value::Text(name) => evaluator.name(name.bytes(), argument(arguments, 0), 0),
        _ => evaluator.name(b"undefined", argument(arguments, 0), 0),
    }
}

pub fn append(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let (one, other) = (argument(arguments, 0), argument(arguments, 1));
    if one.is_undefined() {
        return Ok(other.clone());
    }
    if other.is_undefined() {
        return Ok(one.clone());
    }
    let parts = [one.clone(), other.clone()];
    let count = parts
        .iter()
        .map(|part| part.as_array().map_or(1, |items| items.len()))
        .sum();
    evaluator.budget.refuse_length(count)?;
    evaluator.budget.items(count)?;
    let mut items = Vec::with_capacity(count);
    for part in parts {
        match part {
            Value::Array(part) => items.extend_from_slice(&part),
            part => items.push(part),
        }
    }
    Ok(Value::array(items))
}

pub fn exists(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    Ok(Value::Bool(!argument(arguments, 0).is_undefined()))
}

pub fn spread(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    match argument(arguments, 0) {
        value @ (Value::Array(_) | Value::Object(_)) => {
            let mut found = Vec::new();
            let is_sequence = matches!(value, Value::Object(_))
                || matches!(value, Value::Array(items) if items.is_empty());
            collect_spread(evaluator, value, &mut found, 0)?;
            Ok(if is_sequence {
                Value::sequence(found)
            } else {
                Value::array(found)
            })
        }
        value => Ok(value.clone()),
    }
}

fn collect_spread(
    evaluator: &mut Evaluator,
    value: &Value,
    found: &mut Vec<Value>,
    depth: usize,
) -> Answer<()> {
    evaluator.budget.refuse_nesting(depth)?;
    evaluator.budget.spend(1)?;
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| {
            stacker::maybe_grow(64 << 10, 1 << 20, || {
                collect_spread(evaluator, item, found, depth + 1)
            })
        }),
        Value::Object(object) => {
            evaluator.budget.items(4 * object.len())?;
            object.each(|name, value| {
                let mut single = Fields::with_capacity(1);
                single.add(name.clone(), value.clone());
                found.push(Value::object(single));
            });
            evaluator.budget.refuse_length(found.len())
        }
        Value::Undefined => Ok(()),
        value => {
            found.push(value.clone());
            Ok(())
        }
    }
}

pub fn merge(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let Value::Array(objects) = argument(arguments, 0) else {
        return Ok(Value::Undefined);
    };
    let mut merged = Fields::default();
    for object in objects.iter() {
        match object {
            Value::Object(object) => {
                evaluator.budget.items(4 * object.len())?;
                object.each(|name, value| merged.set(name.clone(), value.clone()));
            }
            Value::Text(text) => {
                for (at, unit) in text.to_utf16().into_iter().enumerate() {
                    merged.set(
                        number::to_text(at as f64).into(),
                        Value::Text(Text::from_utf16(&[unit])),
                    );
                }
            }
            _ => {}
        }
    }
    Ok(Value::object(merged))
}

pub fn reverse(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let value = argument(arguments, 0);
    match value {
        Value::Array(items) if items.len() > 1 => {
            evaluator.budget.items(items.len())?;
            Ok(Value::array(items.iter().rev().cloned().collect()))
        }
        value => Ok(value.clone()),
    }
}

pub fn shuffle(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    reordered(evaluator, argument(arguments, 0), |_, mut items| {
        let mut random = super::aws::Random::seeded(surroundings::entropy());
        for at in (1..items.len()).rev() {
            let other = (random.double() * (at + 1) as f64) as usize;
            items.swap(at, other.min(at));
        }
        Ok(items)
    })
}

pub fn error(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    Err(Fault::new("D3137").message(message(
        argument(arguments, 0),
        "$error() function evaluated",
    )))
}

pub fn assert(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    match argument(arguments, 0).is_truthy() {
        true => Ok(Value::Undefined),
        false => Err(Fault::new("D3141").message(message(
            argument(arguments, 1),
            "$assert() statement failed",
        ))),
    }
}

fn message(value: &Value, otherwise: &str) -> String {
    match value {
        Value::Text(text) if !text.is_empty() => text.to_lossy(),
        _ => otherwise.to_owned(),
    }
}

pub fn kind(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    let value = argument(arguments, 0);
    Ok(Value::text(match value {
        Value::Undefined => return Ok(Value::Undefined),
        Value::Null => "null",
        Value::Text(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Array(_) => "array",
        Value::Function(_) => "function",
        value if is_numeric(value)? => "number",
        _ => "object",
    }))
}

pub fn distinct(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let value = argument(arguments, 0);
    let Value::Array(items) = value else {
        return Ok(value.clone());
    };
    if items.len() <= 1 {
        return Ok(value.clone());
    }
    let mut texts = HashSet::new();
    let mut numbers = HashSet::new();
    let mut others: Vec<Value> = Vec::new();
    let mut found = Vec::new();
    for item in items.iter() {
        evaluator.budget.spend(1)?;
        let is_new = match item {
            Value::Text(text) => texts.insert(text.clone()),
            Value::Number(number) if number.is_nan() => true,
            Value::Number(number) => numbers.insert((number + 0.0).to_bits()),
            item => {
                let is_known = is_among(evaluator, item, &others)?;
                if !is_known {
                    others.push(item.clone());
                }
                !is_known
            }
        };
        if is_new {
            found.push(item.clone());
        }
    }
    let flags = if items.has(value::SEQUENCE) {
        value::SEQUENCE
    } else {
        0
    };
    Ok(Value::Array(Array::new(found, flags)))
}

fn is_among(evaluator: &mut Evaluator, item: &Value, others: &[Value]) -> Answer<bool> {
    for other in others {
        evaluator.budget.spend(1)?;
        if evaluator.is_equal(item, other, 0)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A copy by way of JSON: numbers have 15 digits then.
pub fn clone(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let value = argument(arguments, 0);
    match value {
        Value::Undefined => Ok(Value::Undefined),
        Value::Array(items) if items.has(value::OUTER_WRAPPER) => {
            copy(evaluator, items.first().unwrap_or(value), 0)
        }
        value => copy(evaluator, value, 0),
    }
}

fn copy(evaluator: &mut Evaluator, value: &Value, depth: usize) -> Answer {
    evaluator.budget.refuse_nesting(depth)?;
    evaluator.budget.spend(1)?;
    Ok(match value {
        Value::Array(items) => {
            let copies = items.iter().map(|item| {
                stacker::maybe_grow(64 << 10, 1 << 20, || copy(evaluator, item, depth + 1))
            });
            Value::array(copies.collect::<Answer<Vec<_>>>()?)
        }
        Value::Object(object) => {
            let mut fields = Fields::with_capacity(object.len());
            for (name, value) in object.entries() {
                if !value.is_undefined() {
                    let copied = stacker::maybe_grow(64 << 10, 1 << 20, || {
                        copy(evaluator, &value, depth + 1)
                    })?;
                    fields.add(name, copied);
                }
            }
            Value::object(fields)
        }
        Value::Undefined => Value::Null,
        Value::Function(_) => Value::Text(Text::EMPTY),
        Value::Number(number) => match is_numeric(value)? {
            true => Value::Number(number::to_15_digits(*number)),
            false => Value::Null,
        },
        value => value.clone(),
    })
}
