//! Functions of numbers.

use super::argument;
use crate::jsonata::error::{Answer, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::number;
use crate::jsonata::value::{Array, Value};

fn items(arguments: &[Value]) -> Option<&Array> {
    argument(arguments, 0).as_array().map(|items| &**items)
}

fn number_or_nan(value: &Value) -> f64 {
    value.as_number().unwrap_or(f64::NAN)
}

/// What JavaScript adds up: texts join, so only arrays of numbers come here.
fn total(evaluator: &mut Evaluator, items: &Array) -> Answer<f64> {
    evaluator.budget.items(items.len())?;
    Ok(items
        .iter()
        .fold(0.0, |total, item| total + number_or_nan(item)))
}

pub fn sum(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    match items(arguments) {
        None => Ok(Value::Undefined),
        Some(items) => total(evaluator, items).map(Value::Number),
    }
}

pub fn count(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    Ok(Value::Number(
        items(arguments).map_or(0, |items| items.len()) as f64,
    ))
}

pub fn max(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    extreme(
        evaluator,
        arguments,
        |one, other| if one > other { one } else { other },
    )
}

pub fn min(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    extreme(
        evaluator,
        arguments,
        |one, other| if one < other { one } else { other },
    )
}

fn extreme(evaluator: &mut Evaluator, arguments: &[Value], choose: fn(f64, f64) -> f64) -> Answer {
    let Some(items) = items(arguments).filter(|items| !items.is_empty()) else {
        return Ok(Value::Undefined);
    };
    evaluator.budget.items(items.len())?;
    let mut found = number_or_nan(&items[0]);
    for item in items.iter() {
        let number = number_or_nan(item);
        found = match found.is_nan() || number.is_nan() {
            true => f64::NAN,
            false => choose(found, number),
        };
    }
    Ok(Value::Number(found))
}

pub fn average(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    match items(arguments).filter(|items| !items.is_empty()) {
        None => Ok(Value::Undefined),
        Some(items) => Ok(Value::Number(total(evaluator, items)? / items.len() as f64)),
    }
}

fn mapped(arguments: &[Value], act: impl FnOnce(f64) -> f64) -> Answer {
    Ok(match argument(arguments, 0) {
        Value::Undefined => Value::Undefined,
        value => Value::Number(act(number_or_nan(value))),
    })
}

pub fn floor(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(arguments, f64::floor)
}

pub fn ceil(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(arguments, f64::ceil)
}

pub fn abs(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(arguments, f64::abs)
}

pub fn round(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    let precision = argument(arguments, 1).as_number().unwrap_or(0.0);
    mapped(arguments, |number| rounded(number, precision))
}

/// Rounded half to even, at so many places behind the point.
pub fn rounded(number: f64, precision: f64) -> f64 {
    let is_shifted = precision != 0.0 && !precision.is_nan();
    let number = if is_shifted {
        number::shifted(number, precision)
    } else {
        number
    };
    let mut result = javascript_round(number);
    let difference = result - number;
    if difference.abs() == 0.5 && (result % 2.0).abs() == 1.0 {
        result -= 1.0;
    }
    if is_shifted {
        result = number::shifted(result, -precision);
    }
    if result == 0.0 { 0.0 } else { result }
}

/// `Math.round`: half up.
fn javascript_round(number: f64) -> f64 {
    if !number.is_finite() || number.abs() >= 4_503_599_627_370_496.0 {
        return number;
    }
    let floor = number.floor();
    if number - floor >= 0.5 {
        floor + 1.0
    } else {
        floor
    }
}

pub fn sqrt(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    let value = argument(arguments, 0);
    match value.as_number() {
        Some(number) if number < 0.0 => Err(Fault::new("D3060").value(value)),
        _ => mapped(arguments, f64::sqrt),
    }
}

pub fn power(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    let (base, exponent) = (argument(arguments, 0), argument(arguments, 1));
    if base.is_undefined() {
        return Ok(Value::Undefined);
    }
    let [number, power] = [base, exponent]
        .map(|value| super::unchecked::to_number(value).unwrap_or_else(|| number_or_nan(value)));
    // JavaScript, unlike IEEE 754, has no value for 1 to the power of infinity.
    let result = match (number.abs() == 1.0 && power.is_infinite()) || power.is_nan() {
        true => f64::NAN,
        false => number.powf(power),
    };
    if !result.is_finite() {
        let exponent = crate::jsonata::json::plain(exponent);
        return Err(Fault::new("D3061").value(base).message(exponent));
    }
    Ok(Value::Number(result))
}

pub fn format_base(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    let value = argument(arguments, 0);
    if value.is_undefined() {
        return Ok(Value::Undefined);
    }
    let number = rounded(number_or_nan(value), 0.0);
    let radix = match argument(arguments, 1).as_number() {
        None => 10.0,
        Some(radix) => rounded(radix, 0.0),
    };
    if !(2.0..=36.0).contains(&radix) {
        if radix.is_nan() {
            return Err(Fault::uncoded("toString() radix must be between 2 and 36"));
        }
        return Err(Fault::new("D3100").value(&Value::Number(radix)));
    }
    Ok(Value::text(number::to_radix(number, radix as u32)))
}

pub fn number(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    let value = argument(arguments, 0);
    Ok(match value {
        Value::Undefined | Value::Number(_) | Value::Long(_) => value.clone(),
        Value::Bool(flag) => Value::Number(f64::from(u8::from(*flag))),
        Value::Text(text) => {
            let number = text.as_str().and_then(of_text);
            Value::Number(number.ok_or_else(|| Fault::new("D3030").value(value))?)
        }
        _ => return Err(Fault::new("D3030").value(value)),
    })
}

pub fn of_text(text: &str) -> Option<f64> {
    if is_decimal(text) {
        let number: f64 = text.parse().ok()?;
        return number.is_finite().then_some(number);
    }
    is_with_prefix(text).then(|| number::with_prefix(text))
}

/// `^-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?$`
fn is_decimal(text: &str) -> bool {
    let digits = |text: &'_ str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(rest);
    rest = &rest[whole..];
    if whole == 0 {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

/// `^(0[xX][0-9A-Fa-f]+)|(0[oO][0-7]+)|(0[bB][0-1]+)$`, whose parts are bound to the start, to nothing and to the end.
fn is_with_prefix(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_hex = matches!(bytes, [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit());
    let is_octal = bytes
        .windows(3)
        .any(|part| matches!(part, [b'0', b'o' | b'O', b'0'..=b'7']));
    let digits = bytes
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b'0' | b'1'))
        .count();
    let before = &bytes[..bytes.len() - digits];
    let is_binary = digits > 0 && (before.ends_with(b"0b") || before.ends_with(b"0B"));
    is_hex || is_octal || is_binary
}
