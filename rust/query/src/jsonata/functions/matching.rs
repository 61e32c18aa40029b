//! Regular expressions and what matches, replaces and splits with them.

use std::rc::Rc;

use super::argument;
use super::texts;
use crate::jsonata::error::{Answer, Bound, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::function::{Function, Matcher};
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
pub struct Matches {
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
pub struct Match {
    pub text: Value,
    pub start: Value,
    pub end: Value,
    pub groups: Value,
    /// The object that a function of the expression gave.
    pub whole: Value,
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
    pub fn of(matcher: &Value, text: &Text) -> Matches {
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

    pub fn next(&mut self, evaluator: &mut Evaluator) -> Answer<Option<Match>> {
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
                let Some((found, next)) = match_of(found)? else {
                    return Ok(None);
                };
                *function = next;
                Ok(Some(found))
            }
        }
    }

    /// The match as an object.
    pub fn object(&self, one: &Match) -> Value {
        match &self.source {
            Source::Regex(matcher, units) => one.as_object(matcher, units),
            Source::Function(..) => one.whole.clone(),
        }
    }
}

/// The match that a function of the expression returned, and the function for the next one.
fn match_of(found: Value) -> Answer<Option<(Match, Value)>> {
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

pub fn limit(value: &Value, code: &'static str) -> Answer<f64> {
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
                true => texts::find(&text.to_utf16(), &part.to_utf16(), 0).is_some(),
                false => texts::find(text.bytes(), part.bytes(), 0).is_some(),
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
