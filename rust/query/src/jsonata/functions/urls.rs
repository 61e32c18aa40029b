//! Encodings: URLs and Base64.

use super::argument;
use crate::jsonata::error::{Answer, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::text::Text;
use crate::jsonata::value::Value;

/// What no encoding touches, beside letters and digits.
const MARKS: &[u8] = b"-_.!~*'()";
/// What has a meaning in a URL.
const RESERVED: &[u8] = b";/?:@&=+$,#";

fn mapped(
    evaluator: &mut Evaluator,
    arguments: &[Value],
    function: &str,
    act: impl FnOnce(&Text) -> Option<Text>,
) -> Answer {
    let value = argument(arguments, 0);
    let Value::Text(text) = value else {
        return Ok(Value::Undefined);
    };
    evaluator.budget.text(text.bytes().len())?;
    match act(text) {
        Some(result) => {
            evaluator.budget.text(result.bytes().len())?;
            Ok(Value::Text(result))
        }
        None => Err(Fault::new("D3140").value(value).message(function)),
    }
}

pub fn encode_component(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(evaluator, arguments, "encodeUrlComponent", |text| {
        encoded(text, b"")
    })
}

pub fn encode(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(evaluator, arguments, "encodeUrl", |text| {
        encoded(text, RESERVED)
    })
}

fn encoded(text: &Text, kept: &[u8]) -> Option<Text> {
    let mut result = Vec::with_capacity(text.bytes().len());
    for &byte in text.as_str()?.as_bytes() {
        match byte.is_ascii_alphanumeric() || MARKS.contains(&byte) || kept.contains(&byte) {
            true => result.push(byte),
            false => result.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    Some(Text::from_vec(result))
}

pub fn decode_component(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(evaluator, arguments, "decodeUrlComponent", |text| {
        decoded(text, b"")
    })
}

pub fn decode(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(evaluator, arguments, "decodeUrl", |text| {
        decoded(text, RESERVED)
    })
}

fn decoded(text: &Text, kept: &[u8]) -> Option<Text> {
    let bytes = text.bytes();
    let mut result = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            result.push(bytes[at]);
            at += 1;
            continue;
        }
        let first = hex(bytes, at)?;
        let length = match first {
            0..=0x7F => 1,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => return None,
        };
        let letter: Option<Vec<u8>> = (0..length)
            .map(|number| hex(bytes, at + 3 * number))
            .collect();
        let letter = letter?;
        std::str::from_utf8(&letter).ok()?;
        match length == 1 && kept.contains(&first) {
            true => result.extend_from_slice(&bytes[at..at + 3]),
            false => result.extend_from_slice(&letter),
        }
        at += 3 * length;
    }
    Some(Text::from_vec(result))
}

/// The byte that `%XX` is.
fn hex(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    match bytes.get(at..at + 3)? {
        [b'%', high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A code unit is a byte: its lower half.
pub fn base64_encode(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(evaluator, arguments, "", |text| {
        let bytes: Vec<u8> = text.to_utf16().into_iter().map(|unit| unit as u8).collect();
        let mut result = Vec::with_capacity(bytes.len() * 4 / 3 + 4);
        for part in bytes.chunks(3) {
            let number = part
                .iter()
                .fold(0_u32, |number, &byte| number << 8 | u32::from(byte))
                << (8 * (3 - part.len()));
            for at in 0..4 {
                result.push(match at <= part.len() {
                    true => ALPHABET[(number >> (18 - 6 * at) & 63) as usize],
                    false => b'=',
                });
            }
        }
        Some(Text::from_vec(result))
    })
}

/// As lenient as Node's `Buffer`: it ends at `=`, knows the alphabet of URLs, and skips the rest.
pub fn base64_decode(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    mapped(evaluator, arguments, "", |text| {
        let mut units = Vec::new();
        let (mut number, mut bits) = (0_u32, 0);
        for &byte in text.bytes().iter().take_while(|&&byte| byte != b'=') {
            let byte = match byte {
                b'-' => b'+',
                b'_' => b'/',
                byte => byte,
            };
            let Some(digit) = ALPHABET.iter().position(|&known| known == byte) else {
                continue;
            };
            number = (number << 6 | digit as u32) & 0xFFFF;
            bits += 6;
            if bits >= 8 {
                bits -= 8;
                units.push((number >> bits & 0xFF) as u16);
            }
        }
        Some(Text::from_utf16(&units))
    })
}
