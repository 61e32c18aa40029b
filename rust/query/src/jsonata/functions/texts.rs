//! Functions of texts.

use super::argument;
use crate::jsonata::error::{Answer, Bound, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::json;
use crate::jsonata::text::{Text, push_wtf8};
use crate::jsonata::value::Value;

/// Where `part` begins in `text`: in bytes where both are WTF-8, or in code units.
pub fn find<T: Copy + PartialEq>(text: &[T], part: &[T], from: usize) -> Option<usize> {
    let Some(&first) = part.first() else {
        return (from <= text.len()).then_some(from);
    };
    let mut at = from;
    while at + part.len() <= text.len() {
        at += text[at..=text.len() - part.len()]
            .iter()
            .position(|&unit| unit == first)?;
        if text[at..].starts_with(part) {
            return Some(at);
        }
        at += 1;
    }
    None
}

pub fn string(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    match argument(arguments, 0) {
        Value::Undefined => Ok(Value::Undefined),
        value => {
            json::string(evaluator, value, argument(arguments, 1).is_truthy()).map(Value::Text)
        }
    }
}

/// Act on the text that is the first argument, if there is one.
fn mapped(
    evaluator: &mut Evaluator,
    arguments: &[Value],
    act: impl FnOnce(&mut Evaluator, &Text) -> Answer,
) -> Answer {
    match argument(arguments, 0) {
        Value::Text(text) => {
            evaluator.budget.bytes(text.bytes().len())?;
            act(evaluator, text)
        }
        _ => Ok(Value::Undefined),
    }
}

/// Where `Array.prototype.slice` begins or ends.
fn slice_position(position: f64, length: usize) -> usize {
    let position = if position.is_nan() {
        0.0
    } else {
        position.trunc()
    };
    let length = length as f64;
    let position = if position < 0.0 {
        (length + position).max(0.0)
    } else {
        position.min(length)
    };
    position as usize
}

pub fn substring(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let (start, length) = (argument(arguments, 1), argument(arguments, 2));
    mapped(evaluator, arguments, |_, text| {
        let size = text.point_count();
        let undefined = start.is_undefined();
        let mut start = start.as_number().unwrap_or(f64::NAN);
        if size as f64 + start < 0.0 {
            start = 0.0;
        }
        let from = slice_position(if undefined { 0.0 } else { start }, size);
        let to = match length.as_number() {
            None => size,
            Some(length) if length <= 0.0 => return Ok(Value::Text(Text::EMPTY)),
            Some(length) if start >= 0.0 => slice_position(start + length, size),
            Some(length) => slice_position(size as f64 + start + length, size),
        };
        Ok(Value::Text(text.slice_points(from, to)))
    })
}

pub fn substring_before(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    cut(evaluator, arguments, |units, at, _| units[..at].to_vec())
}

pub fn substring_after(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    cut(evaluator, arguments, |units, at, length| {
        units[at + length..].to_vec()
    })
}

fn cut(
    evaluator: &mut Evaluator,
    arguments: &[Value],
    take: fn(&[u16], usize, usize) -> Vec<u16>,
) -> Answer {
    let undefined = Text::from("undefined");
    let part = argument(arguments, 1).as_text().unwrap_or(&undefined);
    mapped(evaluator, arguments, |_, text| {
        let (units, part) = (text.to_utf16(), part.to_utf16());
        Ok(Value::Text(match find(&units, &part, 0) {
            Some(at) => Text::from_utf16(&take(&units, at, part.len())),
            None => text.clone(),
        }))
    })
}

pub fn lowercase(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(evaluator, arguments, |_, text| {
        Ok(Value::Text(with_case(text, str::to_lowercase)))
    })
}

pub fn uppercase(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(evaluator, arguments, |_, text| {
        Ok(Value::Text(with_case(text, str::to_uppercase)))
    })
}

/// Each part between halves of surrogate pairs in another case.
fn with_case(text: &Text, change: fn(&str) -> String) -> Text {
    let mut bytes = Vec::with_capacity(text.bytes().len());
    for part in text.bytes().utf8_chunks() {
        bytes.extend_from_slice(change(part.valid()).as_bytes());
        push_wtf8(&mut bytes, part.invalid());
    }
    Text::from_vec(bytes)
}

pub fn length(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(evaluator, arguments, |_, text| {
        Ok(Value::Number(text.point_count() as f64))
    })
}

pub fn trim(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(evaluator, arguments, |_, text| {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let words: Vec<&[u8]> = text
            .bytes()
            .split(is_blank)
            .filter(|word| !word.is_empty())
            .collect();
        Ok(Value::Text(Text::from_vec(words.join(&b' '))))
    })
}

pub fn pad(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let width = argument(arguments, 1).as_number().unwrap_or(f64::NAN);
    let blank = Text::from(" ");
    let filling = argument(arguments, 2)
        .as_text()
        .filter(|text| !text.is_empty())
        .unwrap_or(&blank);
    mapped(evaluator, arguments, |evaluator, text| {
        let missing = width.abs() - text.point_count() as f64;
        if missing.is_nan() || missing <= 0.0 {
            return Ok(Value::Text(text.clone()));
        }
        // What JavaScript makes no array of.
        if missing + 1.0 > f64::from(u32::MAX) || missing.fract() != 0.0 {
            return Err(Fault::uncoded("Invalid array length"));
        }
        let points = filling.point_count();
        let bytes_each = filling.bytes().len() as f64 / points as f64;
        if missing * bytes_each > evaluator.budget.limits.value_bytes as f64 {
            return Err(Fault::bound(Bound::Memory));
        }
        let missing = missing as usize;
        evaluator
            .budget
            .text(text.bytes().len() + (missing as f64 * bytes_each) as usize)?;
        let whole = filling.bytes().repeat(missing / points);
        let rest = filling.slice_points(0, missing % points);
        let mut padding = whole;
        push_wtf8(&mut padding, rest.bytes());
        let padding = Text::from_vec(padding);
        Ok(Value::Text(if width > 0.0 {
            text.concat(&padding)
        } else {
            padding.concat(text)
        }))
    })
}

pub fn join(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let Value::Array(items) = argument(arguments, 0) else {
        return Ok(Value::Undefined);
    };
    let separator = argument(arguments, 1)
        .as_text()
        .cloned()
        .unwrap_or(Text::EMPTY);
    let texts = || items.iter().filter_map(Value::as_text);
    evaluator.budget.items(items.len())?;
    let bytes = texts()
        .map(|text| text.bytes().len())
        .fold(0, usize::saturating_add);
    let between = separator
        .bytes()
        .len()
        .saturating_mul(items.len().saturating_sub(1));
    evaluator.budget.text(bytes.saturating_add(between))?;
    let mut joined = Vec::with_capacity(bytes + between);
    for (at, text) in texts().enumerate() {
        if at > 0 {
            push_wtf8(&mut joined, separator.bytes());
        }
        push_wtf8(&mut joined, text.bytes());
    }
    Ok(Value::text(Text::from_vec(joined)))
}
