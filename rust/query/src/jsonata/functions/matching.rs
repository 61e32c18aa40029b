//! Regular expressions and what matches, replaces and splits with them.

use std::rc::Rc;

use super::argument;
use super::texts::find_units;
use crate::jsonata::error::{Answer, Bound, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::function::{Function, Matcher};
use crate::jsonata::number::parse_int;
use crate::jsonata::text::Text;
use crate::jsonata::value::{Fields, Value};

/// A regular expression as a function: what it finds in a text from a place on.
pub fn call(evaluator: &mut Evaluator, matcher: &Rc<Matcher>, text: &Value, from: f64) -> Answer {
    let text = match text {
        Value::Text(text) => text.clone(),
        Value::Undefined => "undefined".into(),
        Value::Null => "null".into(),
        Value::Number(number) => crate::jsonata::number::to_text(*number).into(),
        value => crate::jsonata::json::plain(value).into(),
    };
    evaluator.budget.bytes(text.bytes().len())?;
    matcher.last_index.set(from.max(0.0) as usize);
    find(evaluator, matcher, &text.to_utf16().into())
}

/// The match after the last one.
pub fn next(evaluator: &mut Evaluator, matcher: &Rc<Matcher>, units: &Rc<[u16]>) -> Answer {
    match following(evaluator, matcher, units)? {
        Some(found) => Ok(found.as_object(matcher, units)),
        None => Ok(Value::Undefined),
    }
}

fn find(evaluator: &mut Evaluator, matcher: &Rc<Matcher>, units: &Rc<[u16]>) -> Answer {
    match searched(evaluator, matcher, units)? {
        Some(found) => Ok(found.as_object(matcher, units)),
        None => Ok(Value::Undefined),
    }
}

fn following(evaluator: &mut Evaluator, matcher: &Matcher, units: &[u16]) -> Answer<Option<Match>> {
    if matcher.last_index.get() >= units.len() {
        return Ok(None);
    }
    let found = searched(evaluator, matcher, units)?;
    let is_empty = |found: &Match| found.text.as_text().is_some_and(Text::is_empty);
    match found.as_ref().is_some_and(is_empty) {
        true => Err(Fault::new("D1004").value_text(&matcher.source)),
        false => Ok(found),
    }
}

fn searched(evaluator: &mut Evaluator, matcher: &Matcher, units: &[u16]) -> Answer<Option<Match>> {
    let found = matcher
        .regex
        .find_at(units, matcher.last_index.get(), &mut evaluator.budget);
    let Some(captures) = found.map_err(|_| Fault::bound(Bound::Steps))? else {
        matcher.last_index.set(0);
        return Ok(None);
    };
    let part = |place: Option<(usize, usize)>| match place {
        Some((start, end)) => Value::Text(Text::from_utf16(&units[start..end])),
        None => Value::Undefined,
    };
    let (start, end) = captures.groups.first().copied().flatten().unwrap_or((0, 0));
    matcher.last_index.set(end);
    let groups = captures.groups[1..].iter().map(|&group| part(group));
    Ok(Some(Match {
        text: part(Some((start, end))),
        start: Value::Number(start as f64),
        end: Value::Number(end as f64),
        groups: Value::array(groups.collect()),
        whole: Value::Undefined,
    }))
}

/// The matches of a matcher, one after the other.
struct Matches {
    source: Source,
    is_first: bool,
}

/// Where matches come from.
enum Source {
    Regex(Rc<Matcher>, Rc<[u16]>),
    /// A function of the expression, and the text that it gets first.
    Function(Value, Text),
}

/// What a matcher tells of one match.
struct Match {
    text: Value,
    start: Value,
    end: Value,
    groups: Value,
    /// The object that a function of the expression gave.
    whole: Value,
}

impl Match {
    /// As a function of the expression gets it.
    fn as_object(&self, matcher: &Rc<Matcher>, units: &Rc<[u16]>) -> Value {
        let next = Function::NextMatch(Rc::clone(matcher), Rc::clone(units));
        let mut fields = Fields::with_capacity(5);
        fields.add("match".into(), self.text.clone());
        fields.add("start".into(), self.start.clone());
        fields.add("end".into(), self.end.clone());
        fields.add("groups".into(), self.groups.clone());
        fields.add("next".into(), Value::function(next));
        Value::object(fields)
    }
}

impl Matches {
    fn of(matcher: &Value, text: &Text) -> Matches {
        let mut inner = matcher;
        while let Value::Function(function) = inner
            && let Function::Wrapped { inner: wrapped, .. } = &**function
        {
            inner = wrapped;
        }
        let regex = match inner {
            Value::Function(function) => match &**function {
                Function::Matcher(regex) => Some(Rc::clone(regex)),
                _ => None,
            },
            _ => None,
        };
        let source = match regex {
            Some(regex) => Source::Regex(regex, text.to_utf16().into()),
            None => Source::Function(matcher.clone(), text.clone()),
        };
        Matches {
            source,
            is_first: true,
        }
    }

    fn next(&mut self, evaluator: &mut Evaluator) -> Answer<Option<Match>> {
        evaluator.budget.spend(1)?;
        let is_first = std::mem::replace(&mut self.is_first, false);
        match &mut self.source {
            Source::Regex(matcher, units) if is_first => {
                evaluator.budget.bytes(units.len())?;
                matcher.last_index.set(0);
                searched(evaluator, matcher, units)
            }
            Source::Regex(matcher, units) => following(evaluator, matcher, units),
            Source::Function(function, text) => {
                let argument = if is_first {
                    Value::Text(text.clone())
                } else {
                    Value::Undefined
                };
                let found = evaluator.call_js("matcher", function, vec![argument])?;
                let Some((found, next)) = told(found)? else {
                    return Ok(None);
                };
                *function = next;
                Ok(Some(found))
            }
        }
    }

    /// The match as an object.
    fn object(&self, one: &Match) -> Value {
        match &self.source {
            Source::Regex(matcher, units) => one.as_object(matcher, units),
            Source::Function(..) => one.whole.clone(),
        }
    }
}

/// What a function of the expression tells of a match, and the function for the next one.
fn told(found: Value) -> Answer<Option<(Match, Value)>> {
    let fields = match &found {
        Value::Undefined => return Ok(None),
        Value::Object(fields) => Rc::clone(fields),
        Value::Null => {
            return Err(Fault::uncoded(
                "Cannot read properties of null (reading 'match')",
            ));
        }
        value if value.is_truthy() => return Err(Fault::new("T1010")),
        _ => {
            return Err(Fault::uncoded(
                "Cannot read properties of undefined (reading 'apply')",
            ));
        }
    };
    let groups = fields.get(b"groups");
    let next = fields.get(b"next");
    let is_structure = fields.get(b"start").as_number().is_some()
        || matches!(groups, Value::Array(_))
        || matches!(next, Value::Function(_));
    if !is_structure {
        return Err(Fault::new("T1010"));
    }
    let (text, start, end) = (
        fields.get(b"match"),
        fields.get(b"start"),
        fields.get(b"end"),
    );
    Ok(Some((
        Match {
            text,
            start,
            end,
            groups,
            whole: found,
        },
        next,
    )))
}

fn limit(value: &Value, code: &'static str) -> Answer<f64> {
    match value.as_number() {
        Some(limit) if limit < 0.0 => Err(Fault::new(code).value(value)),
        Some(limit) => Ok(limit),
        None => Ok(f64::INFINITY),
    }
}

pub fn contains(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let Value::Text(text) = argument(arguments, 0) else {
        return Ok(Value::Undefined);
    };
    match argument(arguments, 1) {
        Value::Text(part) => {
            evaluator.budget.bytes(text.bytes().len())?;
            let found = match part.has_half() {
                true => find_units(&text.to_utf16(), &part.to_utf16(), 0).is_some(),
                false => super::texts::find(text.bytes(), part.bytes(), 0).is_some(),
            };
            Ok(Value::Bool(found))
        }
        matcher => Ok(Value::Bool(
            Matches::of(matcher, text).next(evaluator)?.is_some(),
        )),
    }
}

pub fn matches(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let Value::Text(text) = argument(arguments, 0) else {
        return Ok(Value::Undefined);
    };
    let limit = limit(argument(arguments, 2), "D3040")?;
    let mut found = Vec::new();
    if limit > 0.0 {
        let mut matches = Matches::of(argument(arguments, 1), text);
        while let Some(one) = matches.next(evaluator)? {
            if found.len() as f64 >= limit {
                break;
            }
            let mut fields = Fields::with_capacity(3);
            fields.add("match".into(), one.text);
            fields.add("index".into(), one.start);
            fields.add("groups".into(), one.groups);
            found.push(Value::object(fields));
            evaluator.budget.refuse_length(found.len())?;
        }
    }
    Ok(Value::sequence(found))
}

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
    while let Some(at) = find_units(units, pattern, position).filter(|_| count < limit) {
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
    while let Some(at) = find_units(units, separator, start) {
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
