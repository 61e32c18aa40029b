//! Integers in English words, as Roman numerals and as the letters of spreadsheets.

use crate::jsonata::error::{Answer, Bound, Fault};
use crate::jsonata::limits::Budget;

const FEW: [&str; 20] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const ORDINALS: [&str; 20] = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
];
const DECADES: [&str; 9] = [
    "Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety", "Hundred",
];
const MAGNITUDES: [&str; 4] = ["Thousand", "Million", "Billion", "Trillion"];

/// Numbers of more digits are millions of trillions of trillions: the words of each level nest.
const MAX_WORDS: f64 = 1e300;

/// The words of a number that is not negative.
pub fn to_words(number: f64, is_ordinal: bool) -> Answer<String> {
    if !number.is_finite() || number > MAX_WORDS {
        return Err(Fault::uncoded("Maximum call stack size exceeded"));
    }
    Ok(words(number, false, is_ordinal))
}

fn words(number: f64, is_after: bool, is_ordinal: bool) -> String {
    let and = if is_after { " and " } else { "" };
    let comma = if is_after { ", " } else { "" };
    if number <= 19.0 {
        let names = if is_ordinal { &ORDINALS } else { &FEW };
        return format!("{and}{}", names[number as usize]);
    }
    if number < 100.0 {
        let decade = DECADES[(number / 10.0).floor() as usize - 2];
        let rest = number % 10.0;
        return match (rest > 0.0, is_ordinal) {
            (true, _) => format!("{and}{decade}-{}", words(rest, false, is_ordinal)),
            (false, true) => format!("{and}{}ieth", &decade[..decade.len() - 1]),
            (false, false) => format!("{and}{decade}"),
        };
    }
    let (start, rest) = if number < 1000.0 {
        let hundreds = (number / 100.0).floor();
        (
            format!("{comma}{} Hundred", FEW[hundreds as usize]),
            number % 100.0,
        )
    } else {
        let magnitude = ((number.log10() / 3.0).floor() as usize).clamp(1, MAGNITUDES.len());
        let factor = 10_f64.powi(3 * magnitude as i32);
        let mantissa = (number / factor).floor();
        let start = format!(
            "{comma}{} {}",
            words(mantissa, false, false),
            MAGNITUDES[magnitude - 1]
        );
        (start, number - mantissa * factor)
    };
    match (rest > 0.0, is_ordinal) {
        (true, _) => format!("{start}{}", words(rest, true, is_ordinal)),
        (false, true) => format!("{start}th"),
        (false, false) => start,
    }
}

/// The words that are numbers, in lower case, and what they are.
pub fn word_values() -> impl Iterator<Item = (String, f64)> {
    let small = |names: [&'static str; 20]| {
        names
            .into_iter()
            .enumerate()
            .map(|(at, name)| (name.to_lowercase(), at as f64))
    };
    let decades = DECADES.into_iter().enumerate().flat_map(|(at, name)| {
        let (name, value) = (name.to_lowercase(), (at + 2) as f64 * 10.0);
        let ordinal = format!("{}ieth", &name[..name.len() - 1]);
        [(name, value), (ordinal, value)]
    });
    let magnitudes = MAGNITUDES.into_iter().enumerate().flat_map(|(at, name)| {
        let (name, value) = (name.to_lowercase(), 10_f64.powi(3 * (at as i32 + 1)));
        [(name.clone(), value), (format!("{name}th"), value)]
    });
    let hundredth = std::iter::once(("hundredth".to_owned(), 100.0));
    small(FEW)
        .chain(small(ORDINALS))
        .chain(decades)
        .chain(hundredth)
        .chain(magnitudes)
}

/// The number that `text` is in words; NaN where a word is none.
pub fn from_words(text: &str) -> f64 {
    let values: std::collections::HashMap<String, f64> = word_values().collect();
    let mut segments = vec![0.0];
    for part in word_parts(text) {
        let value = values.get(&part).copied().unwrap_or(f64::NAN);
        if value < 100.0 {
            let mut top: f64 = segments.pop().unwrap_or(f64::NAN);
            if top >= 1000.0 {
                segments.push(top);
                top = 0.0;
            }
            segments.push(top + value);
        } else {
            let top = segments.pop().unwrap_or(f64::NAN);
            segments.push(top * value);
        }
    }
    segments.iter().sum()
}

/// `text.split(/,\s|\sand\s|[\s\\-]/)`
fn word_parts(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let is_blank = |at: usize| letters.get(at).is_some_and(|letter| letter.is_whitespace());
    let mut parts = vec![String::new()];
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let is_and =
            is_blank(at) && letters[at + 1..].starts_with(&['a', 'n', 'd']) && is_blank(at + 4);
        let width = match letter {
            ',' if is_blank(at + 1) => 2,
            _ if is_and => 5,
            '-' | '\\' => 1,
            _ if is_blank(at) => 1,
            _ => 0,
        };
        match (width, parts.last_mut()) {
            (0, Some(part)) => part.push(letter),
            _ => parts.push(String::new()),
        }
        at += width.max(1);
    }
    parts
}

const ROMAN: [(f64, &str); 13] = [
    (1000.0, "m"),
    (900.0, "cm"),
    (500.0, "d"),
    (400.0, "cd"),
    (100.0, "c"),
    (90.0, "xc"),
    (50.0, "l"),
    (40.0, "xl"),
    (10.0, "x"),
    (9.0, "ix"),
    (5.0, "v"),
    (4.0, "iv"),
    (1.0, "i"),
];

/// jsonata-js makes a call for each letter, so that its stack bounds the number.
const MAX_ROMAN: f64 = 8e6;

pub fn to_roman(mut number: f64, budget: &mut Budget) -> Answer<String> {
    if number > MAX_ROMAN {
        return Err(Fault::bound(Bound::Depth));
    }
    budget.bytes(number.max(0.0) as usize / 1000)?;
    let mut roman = String::new();
    for (value, letters) in ROMAN {
        while number >= value {
            roman.push_str(letters);
            number -= value;
        }
    }
    Ok(roman)
}

/// The number of a Roman numeral in capitals; NaN where a letter is none.
pub fn from_roman(text: &str) -> f64 {
    let mut number = 0.0;
    let mut most: f64 = 1.0;
    for letter in text.chars().rev() {
        let value = match letter {
            'M' => 1000.0,
            'D' => 500.0,
            'C' => 100.0,
            'L' => 50.0,
            'X' => 10.0,
            'V' => 5.0,
            'I' => 1.0,
            _ => f64::NAN,
        };
        if value < most {
            number -= value;
        } else {
            most = value;
            number += value;
        }
    }
    number
}

pub fn to_letters(mut number: f64, first: char) -> Answer<String> {
    let mut letters = Vec::new();
    if number.is_infinite() {
        return Err(Fault::bound(Bound::Memory));
    }
    while number > 0.0 {
        let letter = (number - 1.0) % 26.0;
        letters.push(char::from(first as u8 + letter as u8));
        number = ((number - 1.0) / 26.0).floor();
    }
    Ok(letters.into_iter().rev().collect())
}

pub fn from_letters(text: &str, first: char) -> f64 {
    let value = |(place, unit): (usize, u16)| {
        (f64::from(unit) - f64::from(first as u32) + 1.0) * 26_f64.powf(place as f64)
    };
    let units: Vec<u16> = text.encode_utf16().collect();
    units.into_iter().rev().enumerate().map(value).sum()
}
