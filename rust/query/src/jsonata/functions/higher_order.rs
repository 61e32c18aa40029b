//! Functions that call what they are given.

use super::argument;
use crate::jsonata::error::{Answer, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::text::Text;
use crate::jsonata::value::{Fields, Value};

/// Calls `function` with as many of the arguments as it takes.
fn call(
    evaluator: &mut Evaluator,
    function: &Value,
    value: &Value,
    at: impl FnOnce() -> Value,
    all: &Value,
) -> Answer {
    let arity = arity_of(function)?;
    let mut arguments = Vec::with_capacity(arity.clamp(1, 3));
    arguments.push(value.clone());
    if arity >= 2 {
        arguments.push(at());
    }
    if arity >= 3 {
        arguments.push(all.clone());
    }
    evaluator.call_js("func", function, arguments)
}

/// How many arguments jsonata-js takes a function to have.
fn arity_of(function: &Value) -> Answer<usize> {
    let text = match function {
        Value::Function(function) => return Ok(function.arity()),
        Value::Text(text) => return Ok(text.utf16_len()),
        Value::Array(items) => return Ok(items.len()),
        Value::Undefined => "Cannot read properties of undefined (reading 'arity')",
        Value::Null => "Cannot read properties of null (reading 'arity')",
        _ => "Cannot read properties of undefined (reading 'length')",
    };
    Err(Fault::uncoded(text))
}

fn number(at: usize) -> Value {
    Value::Number(at as f64)
}

pub fn map(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let all = argument(arguments, 0);
    let Value::Array(items) = all else {
        return Ok(Value::Undefined);
    };
    let mut found = Vec::with_capacity(items.len().min(1024));
    for (at, item) in items.iter().enumerate() {
        let result = call(evaluator, argument(arguments, 1), item, || number(at), all)?;
        if !result.is_undefined() {
            found.push(result);
        }
    }
    Ok(Value::sequence(found))
}

pub fn filter(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let all = argument(arguments, 0);
    let Value::Array(items) = all else {
        return Ok(Value::Undefined);
    };
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let result = call(evaluator, argument(arguments, 1), item, || number(at), all)?;
        if evaluator.boolean(&result)? == Some(true) {
            found.push(item.clone());
        }
    }
    Ok(Value::sequence(found))
}

pub fn single(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let (all, function) = (argument(arguments, 0), argument(arguments, 1));
    let Value::Array(items) = all else {
        return Ok(Value::Undefined);
    };
    let mut found = None;
    for (at, item) in items.iter().enumerate() {
        evaluator.budget.spend(1)?;
        let is_wanted = match function {
            Value::Undefined => true,
            function => {
                let result = call(evaluator, function, item, || number(at), all)?;
                evaluator.boolean(&result)? == Some(true)
            }
        };
        if is_wanted && found.replace(item.clone()).is_some() {
            return Err(Fault::new("D3138"));
        }
    }
    found.ok_or_else(|| Fault::new("D3139"))
}

pub fn reduce(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let (all, function) = (argument(arguments, 0), argument(arguments, 1));
    let Value::Array(items) = all else {
        return Ok(Value::Undefined);
    };
    let arity = arity_of(function)?;
    if arity < 2 {
        return Err(Fault::new("D3050"));
    }
    let (mut result, first) = match (argument(arguments, 2), items.first()) {
        (Value::Undefined, Some(first)) => (first.clone(), 1),
        (initial, _) => (initial.clone(), 0),
    };
    for (at, item) in items.iter().enumerate().skip(first) {
        let mut given = vec![result, item.clone()];
        if arity >= 3 {
            given.push(number(at));
        }
        if arity >= 4 {
            given.push(all.clone());
        }
        result = evaluator.call_js("func", function, given)?;
    }
    Ok(result)
}

pub fn sift(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let mut found = Fields::default();
    for_each_field(evaluator, arguments, |evaluator, name, value, result| {
        if evaluator.boolean(&result)? == Some(true) {
            found.add(name.clone(), value);
        }
        Ok(())
    })?;
    match found.is_empty() {
        true => Ok(Value::Undefined),
        false => Ok(Value::object(found)),
    }
}

pub fn each(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let mut found = Vec::new();
    for_each_field(evaluator, arguments, |_, _, _, result| {
        if !result.is_undefined() {
            found.push(result);
        }
        Ok(())
    })?;
    Ok(Value::sequence(found))
}

/// Calls the function that is the second argument on each field of the object that is the first one.
fn for_each_field(
    evaluator: &mut Evaluator,
    arguments: &[Value],
    mut take: impl FnMut(&mut Evaluator, &Text, Value, Value) -> Answer<()>,
) -> Answer<()> {
    let (all, function) = (argument(arguments, 0), argument(arguments, 1));
    let Value::Object(object) = all else {
        return Ok(());
    };
    for (name, value) in object.entries() {
        let text = || Value::Text(name.clone());
        let result = call(evaluator, function, &value, text, all)?;
        take(evaluator, &name, value, result)?;
    }
    Ok(())
}
