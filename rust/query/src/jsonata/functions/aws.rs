//! The functions that AWS adds to JSONata (ASL A4.19), as measured on AWS.

use sha2::Digest;

use crate::jsonata::error::{Answer, Bound, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::json_read;
use crate::jsonata::limits::MAX_RANGE;
use crate::jsonata::surroundings;
use crate::jsonata::value::Value;

/// `$partition(array, size)`: arrays of `size` items, the last one shorter.
pub fn partition(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    refuse_surplus(arguments, 2)?;
    let items = match argument(arguments, 0) {
        None => return Ok(Value::Undefined),
        Some(Value::Array(items)) => items,
        Some(value) => {
            return Err(Fault::new("T0412")
                .token("partition")
                .value(value)
                .index(1)
                .message("undefined"));
        }
    };
    if items.is_empty() {
        return Ok(Value::Undefined);
    }
    evaluator.budget.items(items.len())?;
    let size = match argument(arguments, 1) {
        None => return Ok(Value::array(vec![Value::Array(items.clone())])),
        Some(size) => towards_zero(Some(size), 2)?,
    };
    match usize::try_from(size) {
        Err(_) => Err(Fault::new("D3137").message("Second argument must be zero or greater")),
        Ok(0) => Ok(Value::Undefined),
        Ok(size) => Ok(Value::array(
            items
                .chunks(size)
                .map(|part| Value::array(part.to_vec()))
                .collect(),
        )),
    }
}

/// `$range(start, end, step)`: the numbers from `start` to `end`, which is in it when a step lands there.
pub fn range(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    refuse_surplus(arguments, 3)?;
    let start = towards_zero(argument(arguments, 0), 1)?;
    let end = towards_zero(argument(arguments, 1), 2)?;
    let step = match argument(arguments, 2) {
        None => return Ok(Value::Undefined),
        Some(step) => towards_zero(Some(step), 3)?,
    };
    let backwards = (step > 0 && start > end) || (step < 0 && start < end);
    if step == 0 || backwards {
        return Ok(Value::Undefined);
    }
    let count = (end.abs_diff(start) / step.unsigned_abs()).saturating_add(1);
    if count > MAX_RANGE {
        return Err(Fault::bound(Bound::Memory));
    }
    evaluator.budget.items(count as usize)?;
    // Each number lies between start and end, so what wraps on the way there wraps back.
    let number = |at: i64| start.wrapping_add(at.wrapping_mul(step)) as f64;
    // A sequence: a range of one number is that number.
    Ok(Value::sequence(
        (0..count as i64)
            .map(|at| Value::Number(number(at)))
            .collect(),
    ))
}

/// `$hash(text, algorithm)`: the digest in hexadecimal. The name of the algorithm is case-sensitive.
pub fn hash(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    refuse_surplus(arguments, 2)?;
    let Some(Value::Text(text)) = argument(arguments, 0) else {
        return Err(mismatch(1));
    };
    let algorithm = match argument(arguments, 1) {
        None => return Ok(Value::Undefined),
        Some(Value::Text(algorithm)) => algorithm.to_lossy(),
        Some(_) => return Err(mismatch(2)),
    };
    let text = text.to_lossy();
    evaluator.budget.bytes(8 * text.len())?;
    let digest = match &*algorithm {
        "MD5" => hexadecimal(&md5::Md5::digest(text)),
        "SHA-1" => hexadecimal(&sha1::Sha1::digest(text)),
        "SHA-256" => hexadecimal(&sha2::Sha256::digest(text)),
        "SHA-384" => hexadecimal(&sha2::Sha384::digest(text)),
        "SHA-512" => hexadecimal(&sha2::Sha512::digest(text)),
        other => {
            let message = format!(
                "Hash algorithm '{other}' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5"
            );
            return Err(Fault::new("D3137").message(message));
        }
    };
    Ok(Value::text(digest))
}

/// `$random(seed)`: a number from 0 to 1, the same for the same seed.
pub fn random(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    refuse_surplus(arguments, 1)?;
    let seed = match argument(arguments, 0) {
        None => surroundings::entropy(),
        Some(seed) => towards_zero(Some(seed), 1)?,
    };
    Ok(Value::Number(Random::seeded(seed).double()))
}

/// `java.util.Random`, which is what AWS draws from.
pub struct Random(u64);

impl Random {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;

    pub fn seeded(seed: i64) -> Random {
        Random((seed as u64 ^ Self::MULTIPLIER) & Self::MASK)
    }

    fn next(&mut self, bits: u32) -> u64 {
        self.0 = self.0.wrapping_mul(Self::MULTIPLIER).wrapping_add(0xB) & Self::MASK;
        self.0 >> (48 - bits)
    }

    /// `nextDouble()`
    pub fn double(&mut self) -> f64 {
        let (high, low) = (self.next(26), self.next(27));
        ((high << 27) + low) as f64 / (1_u64 << 53) as f64
    }
}

pub fn uuid(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    refuse_surplus(arguments, 0)?;
    Ok(Value::text(surroundings::new_uuid()))
}

/// `$parse(text)`: the JSON value that `text` is. No trailing text, no name twice.
pub fn parse(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    refuse_surplus(arguments, 1)?;
    match argument(arguments, 0) {
        None => Ok(Value::Undefined),
        Some(Value::Text(text)) => {
            evaluator.budget.bytes(16 * text.bytes().len())?;
            json_read::parse(text).ok_or_else(|| Fault::new("D3137").message("Invalid JSON"))
        }
        Some(_) => Err(mismatch(1)),
    }
}

fn argument(arguments: &[Value], at: usize) -> Option<&Value> {
    arguments.get(at).filter(|value| !value.is_undefined())
}

fn refuse_surplus(arguments: &[Value], arity: usize) -> Answer<()> {
    match argument(arguments, arity) {
        None => Ok(()),
        Some(_) => Err(mismatch(arity + 1)),
    }
}

fn towards_zero(argument: Option<&Value>, at: usize) -> Answer<i64> {
    match argument {
        Some(Value::Number(number)) => Ok(*number as i64),
        Some(Value::Long(integer)) => Ok(*integer),
        _ => Err(mismatch(at)),
    }
}

fn mismatch(at: usize) -> Box<Fault> {
    Fault::new("T0410").index(at)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_are_those_of_java() {
        assert_eq!(Random::seeded(42).double(), 0.7275636800328681);
        assert_eq!(Random::seeded(0).double(), 0.730967787376657);
    }
}
