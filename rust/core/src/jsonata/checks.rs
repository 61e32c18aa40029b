//! The functions that check sizes while an expression is evaluated; [`super::guard`] writes the calls.
//!
//! Each returns its argument as it came, or refuses it. Their names have a space in them, so that no
//! expression can call or replace them. Where a check is about two arguments of a call together, the
//! first is noted when it is evaluated and taken up when the next one is: calls nest, so a stack does.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::functions::string::build_regex;
use jsonata_core::value::JValue;

use super::error::{MEMORY_LIMIT, STACK_OVERFLOW, TIMEOUT};
use super::guard::is_wrapped_as_value;
use super::limits::value_bytes;

/// Returns its argument, unless it is too large.
pub const CHECK: &str = "check size";
/// Returns its argument, unless it is a number that asks for a text too long.
pub const CHECK_WIDTH: &str = "check width";
/// As [`CHECK`], and remembers the argument for the check of the next one.
pub const NOTE: &str = "note size";
/// Returns its argument, a pattern, unless the noted text has too many matches of it.
pub const CHECK_MATCHES: &str = "check matches";
/// As [`CHECK_MATCHES`], and remembers the matches for the check of the replacement.
pub const NOTE_MATCHES: &str = "note matches";
/// Returns its argument, unless as often as the noted value could take it, it is too large.
pub const CHECK_REPEATED: &str = "check repeated size";
/// Returns its argument, unless a picture of roman numerals for the noted number would be too long.
pub const CHECK_PICTURE: &str = "check picture";
/// Returns its argument, unless it is one of the functions that may only be called with checks.
pub const CHECK_NO_FUNCTION: &str = "check that it is no function";
/// Returns its argument, unless comparing each of its items with each other would take too long.
pub const CHECK_PAIRS: &str = "check pairs";

/// Where a name is both a function and a variable, the function can only be called by its name.
const SHADOWED: &str = "A function whose name is a variable's too can only be called";
/// What a built-in may build in one call, where only an upper bound of it is known beforehand.
const MAX_BUILT_BYTES: usize = 256 << 20;
/// Finding a match takes a microsecond or more, so that many take as long as an evaluation may.
const MAX_MATCHES: usize = 400_000;
/// The roman numeral of a number has a letter for every thousand.
const MAX_ROMAN: f64 = 1e7;
/// `$distinct` compares an item with each distinct one before it.
const MAX_COMPARISONS: usize = 100_000_000;

/// Make the checks callable, for values of at most `limit` bytes.
pub fn register(evaluator: &mut Evaluator, limit: usize) -> Result<(), EvaluatorError> {
    let noted = Noted::default();
    let mut define = |name: &str, act: Check| {
        let noted = Rc::clone(&noted);
        evaluator.register_fn(name, move |arguments: &[JValue]| {
            let value = arguments.first().unwrap_or(&JValue::Undefined);
            act(value, &mut noted.borrow_mut())?;
            Ok(value.clone())
        })
    };
    let check = move |value: &JValue| refuse_if(value_bytes(value, limit) > limit, MEMORY_LIMIT);
    define(CHECK, Box::new(move |value, _| check(value)))?;
    define(
        CHECK_WIDTH,
        Box::new(move |value, _| match value {
            JValue::Number(width) => refuse_if(width.abs() > limit as f64, MEMORY_LIMIT),
            value => check(value),
        }),
    )?;
    define(
        NOTE,
        Box::new(move |value, noted| {
            noted.push(value.clone());
            check(value)
        }),
    )?;
    define(
        CHECK_MATCHES,
        Box::new(|pattern, noted| count_matches(pattern, noted).map(drop)),
    )?;
    define(
        NOTE_MATCHES,
        Box::new(|pattern, noted| {
            let matches = count_matches(pattern, noted)?;
            noted.push(JValue::from(matches as i64));
            Ok(())
        }),
    )?;
    define(
        CHECK_REPEATED,
        Box::new(move |value, noted| {
            let times = noted.pop().map_or(0, |noted| times(&noted));
            let bytes = value.as_str().map_or(0, str::len);
            refuse_if(times.saturating_mul(bytes) > MAX_BUILT_BYTES, MEMORY_LIMIT)?;
            check(value)
        }),
    )?;
    define(
        CHECK_PICTURE,
        Box::new(|picture, noted| {
            let number = noted.pop().and_then(|noted| noted.as_f64()).unwrap_or(0.0);
            let is_roman = picture
                .as_str()
                .is_some_and(|picture| picture.starts_with(['I', 'i']));
            refuse_if(is_roman && number.abs() > MAX_ROMAN, STACK_OVERFLOW)
        }),
    )?;
    define(
        CHECK_NO_FUNCTION,
        Box::new(|value, _| {
            let is_function =
                matches!(value, JValue::Builtin { name } if is_wrapped_as_value(name));
            refuse_if(is_function, SHADOWED)
        }),
    )?;
    define(
        CHECK_PAIRS,
        Box::new(move |value, _| {
            refuse_if(comparisons(value) > MAX_COMPARISONS, TIMEOUT)?;
            check(value)
        }),
    )
}

type Check = Box<dyn Fn(&JValue, &mut Vec<JValue>) -> Checked>;
type Checked = Result<(), EvaluatorError>;
/// Arguments of calls that have not come to the check of their next argument.
type Noted = Rc<RefCell<Vec<JValue>>>;

fn refuse_if(refuse: bool, message: &str) -> Checked {
    match refuse {
        true => Err(EvaluatorError::EvaluationError(message.to_owned())),
        false => Ok(()),
    }
}

/// How often `pattern` is in the text noted last, if it is long enough for that to matter.
fn count_matches(pattern: &JValue, noted: &mut Vec<JValue>) -> Result<usize, EvaluatorError> {
    let Some(JValue::String(text)) = noted.pop() else {
        return Ok(0);
    };
    if text.len() <= MAX_MATCHES {
        return Ok(text.len() + 1);
    }
    let matches = match pattern {
        JValue::String(pattern) => text.matches(&**pattern).take(MAX_MATCHES + 1).count(),
        JValue::Regex { pattern, flags } => match build_regex(pattern, flags) {
            Ok(regex) => regex.find_iter(&text).take(MAX_MATCHES + 1).count(),
            Err(_) => 0,
        },
        _ => MAX_MATCHES,
    };
    refuse_if(matches > MAX_MATCHES, MEMORY_LIMIT)?;
    Ok(matches)
}

/// How often a text is joined between the items of `value`, or put in place of so many matches.
fn times(value: &JValue) -> usize {
    match value {
        JValue::Array(items) => items.len(),
        JValue::Number(matches) => *matches as usize,
        _ => 1,
    }
}

/// How many comparisons it takes to tell the items of `value` apart, at most.
fn comparisons(value: &JValue) -> usize {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    if items.len() * items.len() <= MAX_COMPARISONS {
        return 0;
    }
    let mut texts = HashSet::new();
    let mut numbers = HashSet::new();
    let mut others = 0;
    for item in items {
        match item {
            JValue::String(text) => drop(texts.insert(&**text)),
            JValue::Number(number) => drop(numbers.insert(number.to_bits())),
            _ => others += 1,
        }
    }
    items.len() * (texts.len() + numbers.len() + others)
}
