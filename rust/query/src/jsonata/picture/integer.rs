//! `$formatInteger` and `$parseInteger`.

use super::words;
use crate::jsonata::error::{Answer, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::limits::Budget;
use crate::jsonata::number::{parse_int, to_text};
use crate::jsonata::value::Value;

/// An analysed picture of an integer.
#[derive(Clone, Debug)]
pub struct Format {
    pub primary: Primary,
    pub case: Case,
    pub is_ordinal: bool,
    pub zero: u32,
    /// None where the picture has no digits.
    pub mandatory: Option<f64>,
    pub optional: usize,
    pub separators: Separators,
    /// Of a date's component: how many digits it has at most.
    pub digits: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Primary {
    Decimal,
    Letters,
    Roman,
    Words,
    Sequence(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Case {
    Upper,
    Lower,
    Title,
}

#[derive(Clone, Debug)]
pub enum Separators {
    /// The same one every so many digits.
    Regular(usize, char),
    /// Each at its place from the right.
    Each(Vec<(usize, char)>),
    /// The picture is none of digits.
    None,
}

const DECIMAL_GROUPS: [u32; 37] = [
    0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
    0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0xFF10,
];

pub fn format(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let Some(number) = arguments.first().and_then(Value::as_number) else {
        return Ok(Value::Undefined);
    };
    let format = analyse(&picture(arguments)?)?;
    let text = write(number.floor(), &format, &mut evaluator.budget)?;
    evaluator.budget.text(text.len())?;
    Ok(Value::text(text))
}

pub fn parse(_: &mut Evaluator, arguments: &[Value]) -> Answer {
    let Some(text) = arguments.first().and_then(Value::as_text) else {
        return Ok(Value::Undefined);
    };
    let format = analyse(&picture(arguments)?)?;
    if let Primary::Sequence(token) = &format.primary {
        return Err(Fault::new("D3130").value_text(token));
    }
    read(&text.to_lossy(), &format).map(Value::Number)
}

fn picture(arguments: &[Value]) -> Answer<String> {
    match arguments.get(1) {
        Some(Value::Text(picture)) => Ok(picture.to_lossy()),
        _ => Err(Fault::uncoded(
            "Cannot read properties of undefined (reading 'lastIndexOf')",
        )),
    }
}

pub fn analyse(picture: &str) -> Answer<Format> {
    let (primary, modifier) = picture.rsplit_once(';').unwrap_or((picture, ""));
    let mut format = Format {
        primary: Primary::Decimal,
        case: Case::Lower,
        is_ordinal: modifier.starts_with('o'),
        zero: 0x30,
        mandatory: None,
        optional: 0,
        separators: Separators::None,
        digits: None,
    };
    (format.primary, format.case) = match primary {
        "A" => (Primary::Letters, Case::Upper),
        "a" => (Primary::Letters, Case::Lower),
        "I" => (Primary::Roman, Case::Upper),
        "i" => (Primary::Roman, Case::Lower),
        "W" => (Primary::Words, Case::Upper),
        "Ww" => (Primary::Words, Case::Title),
        "w" => (Primary::Words, Case::Lower),
        _ => {
            analyse_digits(primary, &mut format)?;
            (format.primary, Case::Lower)
        }
    };
    Ok(format)
}

fn analyse_digits(picture: &str, format: &mut Format) -> Answer<()> {
    let mut zero = None;
    let (mut mandatory, mut place) = (0, 0);
    let mut separators = Vec::new();
    for letter in picture.chars().rev() {
        let point = u32::from(letter);
        if let Some(&group) = DECIMAL_GROUPS
            .iter()
            .find(|&&group| (group..group + 10).contains(&point))
        {
            mandatory += 1;
            place += 1;
            if *zero.get_or_insert(group) != group {
                return Err(Fault::new("D3131"));
            }
        } else if letter == '#' {
            place += 1;
            format.optional += 1;
        } else {
            separators.push((place, letter));
        }
    }
    if mandatory == 0 {
        format.primary = Primary::Sequence(picture.to_owned());
        return Ok(());
    }
    format.zero = zero.unwrap_or(0x30);
    format.mandatory = Some(f64::from(mandatory));
    format.separators = match regular(&separators) {
        Some(every) => Separators::Regular(every, separators[0].1),
        None => Separators::Each(separators),
    };
    Ok(())
}

/// How far apart separators are that are all the same and evenly spaced.
fn regular(separators: &[(usize, char)]) -> Option<usize> {
    let &(_, first) = separators.first()?;
    if separators.iter().any(|&(_, separator)| separator != first) {
        return None;
    }
    let places: Vec<usize> = separators.iter().map(|&(place, _)| place).collect();
    let factor = places.iter().copied().reduce(greatest_divisor)?;
    let is_even = (1..=places.len()).all(|number| places.contains(&(number * factor)));
    (is_even && factor > 0).then_some(factor)
}

pub fn greatest_divisor(one: usize, other: usize) -> usize {
    if other == 0 {
        one
    } else {
        greatest_divisor(other, one % other)
    }
}

/// The number by its format.
pub fn write(number: f64, format: &Format, budget: &mut Budget) -> Answer<String> {
    let is_negative = number < 0.0;
    let number = number.abs();
    let text = match &format.primary {
        Primary::Letters => {
            words::to_letters(number, if format.case == Case::Upper { 'A' } else { 'a' })?
        }
        Primary::Roman => in_case(words::to_roman(number, budget)?, format.case),
        Primary::Words => in_case(words::to_words(number, format.is_ordinal)?, format.case),
        Primary::Decimal => write_digits(number, format, budget)?,
        Primary::Sequence(token) => return Err(Fault::new("D3130").value_text(token)),
    };
    Ok(if is_negative {
        format!("-{text}")
    } else {
        text
    })
}

fn in_case(text: String, case: Case) -> String {
    match case {
        Case::Upper => text.to_uppercase(),
        // Words are in title case, Roman numerals in lower case as they come.
        Case::Lower => text.to_lowercase(),
        Case::Title => text,
    }
}

fn write_digits(number: f64, format: &Format, budget: &mut Budget) -> Answer<String> {
    let mut digits: Vec<char> = to_text(number).chars().collect();
    let missing = format.mandatory.unwrap_or(f64::NAN) - digits.len() as f64;
    if missing > 0.0 {
        if missing > budget.limits.value_bytes as f64 {
            return Err(Fault::bound(crate::jsonata::error::Bound::Memory));
        }
        budget.text(missing as usize)?;
        digits.splice(0..0, std::iter::repeat_n('0', missing as usize));
    }
    if format.zero != 0x30 {
        let shifted = |letter: char| {
            (u32::from(letter) + format.zero)
                .checked_sub(0x30)
                .and_then(char::from_u32)
        };
        digits
            .iter_mut()
            .for_each(|letter| *letter = shifted(*letter).unwrap_or(*letter));
    }
    budget.items(digits.len())?;
    match &format.separators {
        Separators::Regular(every, separator) => {
            let count = digits.len().saturating_sub(1) / every;
            for number in (1..=count).rev() {
                let at = digits.len() - number * every;
                digits.insert(at, *separator);
            }
        }
        Separators::Each(separators) => {
            for &(place, separator) in separators.iter().rev() {
                // `substr` of a place before the start takes it from the end, or the whole text.
                let at = digits.len() as isize - place as isize;
                insert_at(&mut digits, at, separator);
            }
        }
        Separators::None => {
            return Err(Fault::uncoded(
                "Cannot read properties of undefined (reading 'reverse')",
            ));
        }
    }
    if format.is_ordinal {
        digits.extend(suffix(&digits).chars());
    }
    Ok(digits.into_iter().collect())
}

/// `text.substr(0, at) + separator + text.substr(at)`
fn insert_at(digits: &mut Vec<char>, at: isize, separator: char) {
    if let Ok(at) = usize::try_from(at) {
        digits.insert(at.min(digits.len()), separator);
        return;
    }
    let from = (digits.len() as isize + at).max(0) as usize;
    let mut inserted = vec![separator];
    inserted.extend_from_slice(&digits[from..]);
    *digits = inserted;
}

fn suffix(digits: &[char]) -> &'static str {
    let is_teen = digits.len() > 1 && digits[digits.len() - 2] == '1';
    match digits.last() {
        Some('1') if !is_teen => "st",
        Some('2') if !is_teen => "nd",
        Some('3') if !is_teen => "rd",
        _ => "th",
    }
}

/// The number that a text is by its format; NaN where it is none.
pub fn read(text: &str, format: &Format) -> Answer<f64> {
    Ok(match format.primary {
        Primary::Letters => {
            words::from_letters(text, if format.case == Case::Upper { 'A' } else { 'a' })
        }
        Primary::Roman if format.case == Case::Upper => words::from_roman(text),
        Primary::Roman => words::from_roman(&text.to_uppercase()),
        Primary::Words => words::from_words(&text.to_lowercase()),
        Primary::Decimal | Primary::Sequence(_) => return read_digits(text, format),
    })
}

fn read_digits(text: &str, format: &Format) -> Answer<f64> {
    let mut digits: String = text.to_owned();
    if format.is_ordinal {
        let units: Vec<u16> = text.encode_utf16().collect();
        digits = String::from_utf16_lossy(&units[..units.len().saturating_sub(2)]);
    }
    match &format.separators {
        Separators::Regular(..) => digits = digits.replace(',', ""),
        Separators::Each(separators) => {
            separators
                .iter()
                .for_each(|&(_, separator)| digits = digits.replace(separator, ""));
        }
        Separators::None => {}
    }
    if format.zero != 0x30 {
        let mut shifted = String::new();
        for unit in digits.encode_utf16() {
            let point = i64::from(unit) - i64::from(format.zero) + 0x30;
            match u32::try_from(point) {
                Ok(point) => shifted.push(char::from_u32(point).unwrap_or('?')),
                Err(_) => return Err(Fault::uncoded(format!("Invalid code point {point}"))),
            }
        }
        digits = shifted;
    }
    Ok(parse_int(&digits))
}
