//! AWS's bounds on one evaluation, and how large a value is (ASL A4.20).

use jsonata_core::value::JValue;

/// The largest single value that AWS holds: `[1..873782]` passes, one element more does not.
pub const MAX_VALUE_BYTES: usize = MAX_SEQUENCE * SCALAR_BYTES;
/// The longest sequence that fits into [`MAX_VALUE_BYTES`].
pub const MAX_SEQUENCE: usize = 873_782;
/// The most elements that `$range` gives.
pub const MAX_RANGE: u64 = 360_145;

const SCALAR_BYTES: usize = 8;

/// The bounds of one evaluation.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How deep evaluation nests, counting the value at the bottom.
    pub depth: Option<usize>,
    /// How long it runs, in milliseconds.
    pub millis: Option<u64>,
    /// How many elements a sequence has.
    pub sequence: Option<usize>,
    /// How large one value is, in the bytes of [`value_bytes`].
    pub value_bytes: Option<usize>,
    /// How much memory the evaluation holds at once.
    pub memory: Option<usize>,
}

impl Limits {
    /// As on AWS, which accepts a depth of 100. Its time limit is not known.
    pub const AWS: Limits = Limits {
        depth: Some(100),
        millis: Some(2_000),
        sequence: Some(MAX_SEQUENCE),
        value_bytes: Some(MAX_VALUE_BYTES),
        memory: Some(256 << 20),
    };
    /// None at all.
    pub const NONE: Limits = Limits {
        depth: None,
        millis: None,
        sequence: None,
        value_bytes: None,
        memory: None,
    };
}

/// The bytes of a value as AWS counts them: 8 a number, boolean or null, 1 a character.
///
/// Stops soon after `limit`, so a value that shares its parts a million times over costs no more
/// to refuse than one just over the limit.
pub fn value_bytes(value: &JValue, limit: usize) -> usize {
    let mut bytes = 0;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            JValue::String(text) => bytes += text.len(),
            // What holds nothing counts too, or nests of it would cost nothing.
            JValue::Array(items) if !items.is_empty() => {
                if bytes.saturating_add(items.len()) > limit {
                    return bytes + items.len();
                }
                open.extend(items.iter());
            }
            JValue::Object(fields) if !fields.is_empty() => {
                bytes += fields.keys().map(String::len).sum::<usize>();
                open.extend(fields.values());
            }
            _ => bytes += SCALAR_BYTES,
        }
        if bytes > limit {
            break;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(json: &str) -> usize {
        value_bytes(&JValue::from_json_str(json).expect("JSON"), usize::MAX)
    }

    #[test]
    fn a_number_is_eight_bytes_and_a_character_one() {
        assert_eq!(size("[1, null, true]"), 24);
        assert_eq!(size(r#"{"name": "abc", "n": 1}"#), 16);
        assert_eq!(size("[[], {}]"), 16);
    }

    #[test]
    fn shared_parts_count_as_often_as_they_stand_and_cost_nothing_past_the_limit() {
        let mut value = JValue::array(vec![JValue::Null; 2]);
        for _ in 0..100 {
            value = JValue::array(vec![value.clone(), value]);
        }
        assert!(value_bytes(&value, MAX_VALUE_BYTES) > MAX_VALUE_BYTES);
    }

    #[test]
    fn the_largest_sequence_is_just_within_the_limit() {
        let sequence = |length| JValue::array(vec![JValue::Null; length]);
        assert!(value_bytes(&sequence(MAX_SEQUENCE), MAX_VALUE_BYTES) <= MAX_VALUE_BYTES);
        assert!(value_bytes(&sequence(MAX_SEQUENCE + 1), MAX_VALUE_BYTES) > MAX_VALUE_BYTES);
    }
}
