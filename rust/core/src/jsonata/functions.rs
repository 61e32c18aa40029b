//! The functions that AWS adds to JSONata (ASL A4.19), as measured on AWS.

use std::rc::Rc;

use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;
use sha2::Digest;

use super::limits::MAX_RANGE;
use super::numbers::Numbers;

type Answer = Result<JValue, EvaluatorError>;
pub type Function = fn(&[JValue]) -> Answer;

const FUNCTIONS: [(&str, Function); 7] = [
    ("partition", partition),
    ("range", range),
    ("hash", hash),
    ("random", random),
    ("uuid", uuid),
    ("parse", removed),
    ("eval", removed),
];

/// AWS's functions among `names`, for an evaluator to register.
pub fn named<'a>(names: impl Iterator<Item = &'a String>) -> Vec<(&'static str, Function)> {
    let known = |name: &String| FUNCTIONS.iter().find(|(known, _)| known == name).copied();
    names.filter_map(known).collect()
}

/// Make `functions` callable. `$random` and `$eval` replace the language's own. `$parse` tells
/// `numbers` of integers that it finds.
pub fn register(
    evaluator: &mut Evaluator,
    functions: &[(&'static str, Function)],
    numbers: &Rc<Numbers>,
) -> Result<(), EvaluatorError> {
    functions.iter().try_for_each(|&(name, function)| {
        if name != "parse" {
            return evaluator.register_fn_override(name, function);
        }
        let numbers = Rc::clone(numbers);
        evaluator.register_fn(name, move |arguments: &[JValue]| parse(arguments, &numbers))
    })
}

/// `$partition(array, size)`: arrays of `size` items, the last one shorter.
fn partition(arguments: &[JValue]) -> Answer {
    refuse_surplus(arguments, "partition", 2)?;
    let items = match argument(arguments, 0) {
        None => return Ok(JValue::Undefined),
        Some(JValue::Array(items)) => items,
        Some(_) => {
            return failure(
                "T0412: Argument 1 of function \"partition\" must be an array of undefined",
            );
        }
    };
    if items.is_empty() {
        return Ok(JValue::Undefined);
    }
    let size = match argument(arguments, 1) {
        None => return Ok(JValue::array(vec![JValue::Array(items.clone())])),
        Some(size) => towards_zero(Some(size), "partition", 2)?,
    };
    match usize::try_from(size) {
        Err(_) => failure("D3137: Second argument must be zero or greater"),
        Ok(0) => Ok(JValue::Undefined),
        Ok(size) => Ok(JValue::array(
            items
                .chunks(size)
                .map(|part| JValue::array(part.to_vec()))
                .collect(),
        )),
    }
}

/// `$range(start, end, step)`: the numbers from `start` to `end`, which is in it when a step lands there.
fn range(arguments: &[JValue]) -> Answer {
    refuse_surplus(arguments, "range", 3)?;
    let start = towards_zero(argument(arguments, 0), "range", 1)?;
    let end = towards_zero(argument(arguments, 1), "range", 2)?;
    let step = match argument(arguments, 2) {
        None => return Ok(JValue::Undefined),
        Some(step) => towards_zero(Some(step), "range", 3)?,
    };
    let backwards = (step > 0 && start > end) || (step < 0 && start < end);
    if step == 0 || backwards {
        return Ok(JValue::Undefined);
    }
    let count = (end.abs_diff(start) / step.unsigned_abs()).saturating_add(1);
    if count > MAX_RANGE {
        return failure(super::error::MEMORY_LIMIT);
    }
    // Each number lies between start and end, so what wraps on the way there wraps back.
    let number = |at: i64| start.wrapping_add(at.wrapping_mul(step)) as f64;
    let numbers = (0..count as i64).map(|at| JValue::Number(number(at)));
    // A sequence: a range of one number is that number.
    Ok(JValue::sequence_flat(numbers.collect(), true))
}

/// `$hash(text, algorithm)`: the digest in hexadecimal. The name of the algorithm is case-sensitive.
fn hash(arguments: &[JValue]) -> Answer {
    refuse_surplus(arguments, "hash", 2)?;
    let Some(JValue::String(text)) = argument(arguments, 0) else {
        return signature("hash", 1);
    };
    let algorithm = match argument(arguments, 1) {
        None => return Ok(JValue::Undefined),
        Some(JValue::String(algorithm)) => algorithm,
        Some(_) => return signature("hash", 2),
    };
    let bytes = text.as_bytes();
    let digest = match &**algorithm {
        "MD5" => hexadecimal(&md5::Md5::digest(bytes)),
        "SHA-1" => hexadecimal(&sha1::Sha1::digest(bytes)),
        "SHA-256" => hexadecimal(&sha2::Sha256::digest(bytes)),
        "SHA-384" => hexadecimal(&sha2::Sha384::digest(bytes)),
        "SHA-512" => hexadecimal(&sha2::Sha512::digest(bytes)),
        other => {
            return failure(&format!(
                "D3137: Hash algorithm '{other}' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5"
            ));
        }
    };
    Ok(JValue::string(digest))
}

/// `$random(seed)`: a number from 0 to 1, the same for the same seed.
fn random(arguments: &[JValue]) -> Answer {
    refuse_surplus(arguments, "random", 1)?;
    let seed = match argument(arguments, 0) {
        None => uuid::Uuid::new_v4().as_u64_pair().1 as i64,
        Some(seed) => towards_zero(Some(seed), "random", 1)?,
    };
    Ok(JValue::Number(java_random_double(seed)))
}

/// `java.util.Random(seed).nextDouble()`, which is what AWS draws from.
fn java_random_double(seed: i64) -> f64 {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = (seed as u64 ^ MULTIPLIER) & MASK;
    let mut next = |bits: u32| {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        state >> (48 - bits)
    };
    let (high, low) = (next(26), next(27));
    ((high << 27) + low) as f64 / (1_u64 << 53) as f64
}

fn uuid(arguments: &[JValue]) -> Answer {
    refuse_surplus(arguments, "uuid", 0)?;
    Ok(JValue::string(uuid::Uuid::new_v4().to_string()))
}

/// `$parse(text)`: the JSON value that `text` is. No trailing text, no key twice.
fn parse(arguments: &[JValue], numbers: &Numbers) -> Answer {
    refuse_surplus(arguments, "parse", 1)?;
    match argument(arguments, 0) {
        None => Ok(JValue::Undefined),
        Some(JValue::String(text)) => match super::strict_json::parse(text, numbers) {
            Some(value) => Ok(value),
            None => failure("D3137: Invalid JSON"),
        },
        Some(_) => signature("parse", 1),
    }
}

/// `$eval` is not there, so calling it is calling nothing (ASL A4.18).
fn removed(_: &[JValue]) -> Answer {
    failure("T1006: Attempted to invoke a non-function")
}

fn argument(arguments: &[JValue], at: usize) -> Option<&JValue> {
    arguments.get(at).filter(|value| !value.is_undefined())
}

fn refuse_surplus(
    arguments: &[JValue],
    function: &str,
    arity: usize,
) -> Result<(), EvaluatorError> {
    match argument(arguments, arity) {
        None => Ok(()),
        Some(_) => signature(function, arity + 1).map(drop),
    }
}

fn towards_zero(
    argument: Option<&JValue>,
    function: &str,
    at: usize,
) -> Result<i64, EvaluatorError> {
    match argument {
        Some(JValue::Number(number)) => Ok(*number as i64),
        _ => Err(error(&mismatch(function, at))),
    }
}

fn signature(function: &str, at: usize) -> Answer {
    failure(&mismatch(function, at))
}

fn mismatch(function: &str, at: usize) -> String {
    format!("T0410: Argument {at} of function \"{function}\" does not match function signature")
}

fn failure(message: &str) -> Answer {
    Err(error(message))
}

fn error(message: &str) -> EvaluatorError {
    EvaluatorError::EvaluationError(message.to_owned())
}

fn hexadecimal(bytes: &[u8]) -> Rc<str> {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_are_those_of_java() {
        assert_eq!(java_random_double(42), 0.7275636800328681);
        assert_eq!(java_random_double(0), 0.730967787376657);
    }

    #[test]
    fn a_range_never_overflows() {
        let numbers = [i64::MIN as f64, i64::MAX as f64, i64::MAX as f64].map(JValue::Number);
        let range = range(&numbers).expect("three numbers");
        assert_eq!(range.as_array().map(Vec::len), Some(3));
    }
}
