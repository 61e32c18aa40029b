//! `$replace` and `$split`.

use super::argument;
use super::matching::{Match, Matches, limit};
use super::texts::find;
use crate::jsonata::error::{Answer, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::number::parse_int;
use crate::jsonata::text::Text;
use crate::jsonata::value::Value;

pub fn replace(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let Value::Text(text) = argument(arguments, 0) else {
        return Ok(Value::Undefined);
    };
    let (pattern, replacement) = (argument(arguments, 1), argument(arguments, 2));
    if matches!(pattern, Value::Text(pattern) if pattern.is_empty()) {
        return Err(Fault::new("D3010").value(pattern));
    }
    let limit = limit(argument(arguments, 3), "D3011")?;
    if limit <= 0.0 || limit.is_nan() {
        return Ok(Value::Text(text.clone()));
    }
    let units = text.to_utf16();
    let mut result = Vec::new();
    let position = match pattern {
        Value::Text(pattern) => {
            let replacement = units_of(replacement);
            replace_text(
                evaluator,
                &units,
                &pattern.to_utf16(),
                &replacement,
                limit,
                &mut result,
            )?
        }
        matcher => {
            let mut matches = Matches::of(matcher, text);
            let Some(first) = matches.next(evaluator)? else {
                return Ok(Value::Text(text.clone()));
            };
            replace_matches(
                evaluator,
                &units,
                (first, matches),
                replacement,
                limit,
                &mut result,
            )?
        }
    };
    result.extend_from_slice(units.get(position..).unwrap_or(&[]));
    evaluator.budget.text(result.len())?;
    Ok(Value::Text(Text::from_utf16(&result)))
}

/// What JavaScript appends of a value that is no text.
fn units_of(value: &Value) -> Vec<u16> {
    match value {
        Value::Text(text) => text.to_utf16(),
        Value::Undefined => "undefined".encode_utf16().collect(),
        // An argument that is a function is an async closure.
        _ => "async function (...params) {\n                    // invoke func\n                    return await apply(arg, params, null, environment);\n                }"
            .encode_utf16()
            .collect(),
    }
}

fn replace_text(
    evaluator: &mut Evaluator,
    units: &[u16],
    pattern: &[u16],
    replacement: &[u16],
    limit: f64,
    result: &mut Vec<u16>,
) -> Answer<usize> {
    evaluator.budget.bytes(units.len())?;
    let (mut position, mut count) = (0, 0.0);
    while let Some(at) = find(units, pattern, position).filter(|_| count < limit) {
        evaluator.budget.refuse_text_growth(
            result.len() + at - position + replacement.len(),
            replacement.len(),
        )?;
        result.extend_from_slice(&units[position..at]);
        result.extend_from_slice(replacement);
        position = at + pattern.len();
        count += 1.0;
    }
    Ok(position)
}

fn replace_matches(
    evaluator: &mut Evaluator,
    units: &[u16],
    found: (Match, Matches),
    replacement: &Value,
    limit: f64,
    result: &mut Vec<u16>,
) -> Answer<usize> {
    let (first, mut matches) = found;
    let mut next = Some(first);
    let (mut position, mut count) = (0, 0.0);
    while let Some(one) = next.take().filter(|_| count < limit) {
        let start = one.start.as_number().unwrap_or(0.0).max(0.0) as usize;
        let (from, to) = (
            position.min(start).min(units.len()),
            position.max(start).min(units.len()),
        );
        result.extend_from_slice(&units[from..to]);
        let text = match replacement {
            Value::Text(template) => substituted(template, &one),
            replacer => {
                match evaluator.call_js("replacer", replacer, vec![matches.object(&one)])? {
                    Value::Text(text) => text.to_utf16(),
                    other => return Err(Fault::new("D3012").value(&other)),
                }
            }
        };
        evaluator
            .budget
            .refuse_text_growth(result.len() + text.len(), text.len())?;
        result.extend_from_slice(&text);
        position = start + one.text.as_text().map_or(0, Text::utf16_len);
        count += 1.0;
        next = matches.next(evaluator)?;
    }
    Ok(position)
}

/// The replacement of one match: `$0` is the match, `$1` a group, `$$` a dollar.
fn substituted(template: &Text, one: &Match) -> Vec<u16> {
    const DOLLAR: u16 = b'$' as u16;
    let template = template.to_utf16();
    let groups = one
        .groups
        .as_array()
        .map_or(&[][..], |groups| groups.items());
    let mut result = Vec::new();
    let mut position = 0;
    while let Some(dollar) = template[position..].iter().position(|&unit| unit == DOLLAR) {
        result.extend_from_slice(&template[position..position + dollar]);
        position += dollar + 1;
        match template.get(position) {
            Some(&DOLLAR) => {
                result.push(DOLLAR);
                position += 1;
            }
            Some(48) => {
                result.extend(one.text.as_text().map(Text::to_utf16).unwrap_or_default());
                position += 1;
            }
            _ => match group_number(&template[position..], groups.len()) {
                Some((number, width)) => {
                    if let Some(Value::Text(group)) =
                        number.checked_sub(1).and_then(|at| groups.get(at))
                    {
                        result.extend(group.to_utf16());
                    }
                    position = (position + width).min(template.len());
                }
                None => result.push(DOLLAR),
            },
        }
    }
    result.extend_from_slice(&template[position..]);
    result
}

/// The number of the group that stands here, with as many digits as there may be groups.
fn group_number(rest: &[u16], groups: usize) -> Option<(usize, usize)> {
    let digits = if groups == 0 {
        1
    } else {
        groups.to_string().len()
    };
    let parse =
        |digits: usize| parse_int(&String::from_utf16_lossy(&rest[..digits.min(rest.len())]));
    let mut number = parse(digits);
    if digits > 1 && number > groups as f64 {
        number = parse(digits - 1);
    }
    if number.is_nan() {
        return None;
    }
    let width = crate::jsonata::number::to_text(number).len();
    Some((number.max(0.0) as usize, width))
}

pub fn split(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let Value::Text(text) = argument(arguments, 0) else {
        return Ok(Value::Undefined);
    };
    let limit = limit(argument(arguments, 2), "D3020")?;
    let mut parts = Vec::new();
    if limit > 0.0 {
        let units = text.to_utf16();
        match argument(arguments, 1) {
            Value::Text(separator) => {
                split_text(evaluator, &units, &separator.to_utf16(), limit, &mut parts)?
            }
            matcher => split_matches(evaluator, text, &units, matcher, limit, &mut parts)?,
        }
    }
    Ok(Value::array(parts))
}

fn split_text(
    evaluator: &mut Evaluator,
    units: &[u16],
    separator: &[u16],
    limit: f64,
    parts: &mut Vec<Value>,
) -> Answer<()> {
    // As an index of an array, a limit has no fraction.
    let limit = if limit.is_finite() {
        limit.trunc() % 4_294_967_296.0
    } else {
        4_294_967_295.0
    };
    evaluator.budget.bytes(units.len())?;
    let mut push = |evaluator: &mut Evaluator, part: &[u16]| -> Answer<bool> {
        if parts.len() as f64 >= limit {
            return Ok(false);
        }
        evaluator.budget.spend(1)?;
        evaluator.budget.refuse_length(parts.len())?;
        parts.push(Value::Text(Text::from_utf16(part)));
        Ok(true)
    };
    if separator.is_empty() {
        for unit in units.chunks(1) {
            if !push(evaluator, unit)? {
                break;
            }
        }
        return Ok(());
    }
    let mut start = 0;
    while let Some(at) = find(units, separator, start) {
        if !push(evaluator, &units[start..at])? {
            return Ok(());
        }
        start = at + separator.len();
    }
    push(evaluator, &units[start..]).map(drop)
}

fn split_matches(
    evaluator: &mut Evaluator,
    text: &Text,
    units: &[u16],
    matcher: &Value,
    limit: f64,
    parts: &mut Vec<Value>,
) -> Answer<()> {
    let mut matches = Matches::of(matcher, text);
    let mut next = matches.next(evaluator)?;
    let place =
        |value: &Value| (value.as_number().unwrap_or(0.0).max(0.0) as usize).min(units.len());
    let between = |one: usize, other: usize| {
        Value::Text(Text::from_utf16(&units[one.min(other)..one.max(other)]))
    };
    let mut start = 0;
    let mut count = 0.0;
    while let Some(one) = next.take().filter(|_| count < limit) {
        parts.push(between(start, place(&one.start)));
        evaluator.budget.refuse_length(parts.len())?;
        start = place(&one.end);
        next = matches.next(evaluator)?;
        count += 1.0;
    }
    if count < limit {
        parts.push(between(start, units.len()));
    }
    Ok(())
}
