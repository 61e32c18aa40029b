//! `$toMillis` with a picture: a regular expression made of the picture reads the text.

use std::collections::HashMap;

use super::calendar::{self, Date, utc_day};
use super::date::{DAYS, MONTHS, fragment};
use super::date_picture::{self, Marker, Part};
use super::days::DAY;
use super::integer::{self, Case, Format, Primary, Separators};
use super::words::word_values;
use crate::jsonata::error::{Answer, Bound, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::number::parse_int;
use crate::jsonata::value::Value;
use crate::regex::{Dialect, Flags, Regex};

/// `^\d{4}(-[01]\d)*(-[0-3]\d)*(T[0-2]\d:[0-5]\d:[0-5]\d)*(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?$`
pub fn looks_like_iso(text: &str) -> bool {
    let bytes = text.as_bytes();
    let matches = |at: usize, pattern: &[&[u8]]| {
        let part = bytes.get(at..at + pattern.len());
        part.is_some_and(|part| {
            part.iter()
                .zip(pattern)
                .all(|(byte, allowed)| allowed.contains(byte))
        })
    };
    const DIGITS: &[u8] = b"0123456789";
    let mut at = 4;
    if !matches(0, &[DIGITS; 4]) {
        return false;
    }
    // Months and days are read greedily, and what a month could be is a day too.
    while matches(at, &[b"-", b"01", DIGITS]) {
        at += 3;
    }
    while matches(at, &[b"-", b"0123", DIGITS]) {
        at += 3;
    }
    let ends = |mut at: usize| {
        while matches(
            at,
            &[
                b"T", b"012", DIGITS, b":", b"012345", DIGITS, b":", b"012345", DIGITS,
            ],
        ) {
            at += 9;
        }
        if matches(at, &[b".", DIGITS]) {
            at += 1 + bytes[at + 1..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
        }
        let zones: [&[&[u8]]; 3] = [
            &[b"+-", b"012", DIGITS, b":", b"012345", DIGITS],
            &[b"+-", b"012", DIGITS, b"012345", DIGITS],
            &[b"Z"],
        ];
        at == bytes.len()
            || zones
                .iter()
                .any(|zone| matches(at, zone) && at + zone.len() == bytes.len())
    };
    // A zone such as -0100 begins as a month does.
    ends(at) || (at > 4 && ends(at - 3))
}

/// What a part of a picture is to be read with.
enum Reader {
    Literal,
    Zone {
        has_prefix: bool,
        separator: Option<char>,
    },
    Integer(Format),
    Names(HashMap<String, f64>),
}

pub fn parse(evaluator: &mut Evaluator, text: &str, picture: &str) -> Answer {
    evaluator.budget.bytes(64 * picture.len())?;
    let parts = date_picture::analyse(picture)?;
    let mut pattern = "^".to_owned();
    let mut readers = Vec::with_capacity(parts.len());
    for part in &parts {
        let (part_pattern, reader) = reader(part)?;
        pattern.push_str(&format!("({part_pattern})"));
        readers.push(reader);
    }
    pattern.push('$');
    let pattern: Vec<u16> = pattern.encode_utf16().collect();
    let flags = Flags {
        ignore_case: true,
        ..Flags::default()
    };
    let regex = Regex::compile(&pattern, Dialect::EcmaScript, flags).map_err(|error| {
        Fault::uncoded(format!("Invalid regular expression: {}", error.message))
    })?;
    let units: Vec<u16> = text.encode_utf16().collect();
    let found = regex
        .find_at(&units, 0, &mut evaluator.budget)
        .map_err(|_| Fault::bound(Bound::Steps))?;
    let Some(captures) = found else {
        return Ok(Value::Undefined);
    };
    let mut components = Components::default();
    for (number, (part, reader)) in parts.iter().zip(&readers).enumerate() {
        if let Part::Marker(marker) = part {
            let (start, end) = captures
                .groups
                .get(number + 1)
                .copied()
                .flatten()
                .unwrap_or((0, 0));
            let value = reader.read(&String::from_utf16_lossy(&units[start..end]))?;
            components.found.insert(marker.component, value);
        }
    }
    components.into_millis(evaluator.now)
}

fn reader(part: &Part) -> Answer<(String, Reader)> {
    let marker = match part {
        Part::Literal(text) => return Ok((escaped(text), Reader::Literal)),
        Part::Marker(marker) => marker,
    };
    match (&marker.format, marker.component) {
        (Some(format), 'Z' | 'z') => {
            let separator = match format.separators {
                Separators::Regular(_, separator) => Some(separator),
                _ => None,
            };
            let has_prefix = marker.component == 'z';
            let prefix = if has_prefix { "GMT" } else { "" };
            let minutes = separator
                .map(|separator| format!("{separator}[0-9]+"))
                .unwrap_or_default();
            Ok((
                format!("{prefix}[-+][0-9]+{minutes}"),
                Reader::Zone {
                    has_prefix,
                    separator,
                },
            ))
        }
        (Some(format), _) => {
            let format = Format {
                digits: marker.digits,
                ..format.clone()
            };
            Ok((integer_pattern(&format)?, Reader::Integer(format)))
        }
        (None, _) => Ok(("[a-zA-Z]+".to_owned(), Reader::Names(names(marker)?))),
    }
}

fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if ".*+?^${}()|[]\\".contains(letter) {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

fn integer_pattern(format: &Format) -> Answer<String> {
    let is_upper = format.case == Case::Upper;
    Ok(match &format.primary {
        Primary::Letters => if is_upper { "[A-Z]+" } else { "[a-z]+" }.to_owned(),
        Primary::Roman => if is_upper { "[MDCLXVI]+" } else { "[mdclxvi]+" }.to_owned(),
        Primary::Words => {
            let mut words: Vec<String> = Vec::new();
            for (word, _) in word_values() {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            format!("(?:{}|and|[\\-, ])+", words.join("|"))
        }
        Primary::Decimal => {
            let times = match (format.digits, format.optional) {
                (Some(digits), 0) if digits > 0.0 => format!("{{{digits}}}"),
                (Some(digits), optional) if digits > 0.0 => {
                    format!("{{{},{digits}}}", digits - optional as f64)
                }
                _ => "+".to_owned(),
            };
            let suffix = if format.is_ordinal {
                "(?:th|st|nd|rd)"
            } else {
                ""
            };
            format!("[0-9]{times}{suffix}")
        }
        Primary::Sequence(token) => return Err(Fault::new("D3130").value_text(token)),
    })
}

fn names(marker: &Marker) -> Answer<HashMap<String, f64>> {
    let most = marker
        .width
        .and_then(|width| width.most)
        .filter(|&most| most > 0.0);
    let short = |name: &str| match most {
        Some(most) => name.chars().take(most as usize).collect(),
        None => name.to_owned(),
    };
    Ok(match marker.component {
        'M' | 'x' => MONTHS
            .iter()
            .enumerate()
            .map(|(at, name)| (short(name), (at + 1) as f64))
            .collect(),
        'F' => DAYS
            .iter()
            .enumerate()
            .skip(1)
            .map(|(at, name)| (short(name), at as f64))
            .collect(),
        'P' => [("am", 0.0), ("AM", 0.0), ("pm", 1.0), ("PM", 1.0)]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        component => return Err(Fault::new("D3133").value_text(&component.to_string())),
    })
}

impl Reader {
    /// The number that was read; None is undefined.
    fn read(&self, text: &str) -> Answer<Option<f64>> {
        Ok(match self {
            Reader::Literal => None,
            Reader::Integer(format) => Some(integer::read(text, format)?),
            Reader::Names(names) => names.get(text).copied(),
            Reader::Zone {
                has_prefix,
                separator,
            } => {
                let text = if *has_prefix {
                    text.get(3..).unwrap_or("")
                } else {
                    text
                };
                let (hours, minutes) = match separator {
                    Some(separator) => {
                        let (hours, minutes) = text.split_once(*separator).unwrap_or(("", text));
                        (parse_int(hours), parse_int(minutes))
                    }
                    None if text.len() <= 3 => (parse_int(text), 0.0),
                    None => (parse_int(&text[..3]), parse_int(&text[3..])),
                };
                Some(hours * 60.0 + minutes)
            }
        })
    }
}

/// The components of a date that were read.
#[derive(Default)]
struct Components {
    found: HashMap<char, Option<f64>>,
}

impl Components {
    fn get(&self, component: char) -> Option<f64> {
        self.found.get(&component).copied().flatten()
    }

    fn is_truthy(&self, component: char) -> bool {
        self.get(component)
            .is_some_and(|value| value != 0.0 && !value.is_nan())
    }

    fn mask(&self, components: &str) -> u32 {
        components.chars().fold(0, |mask, component| {
            mask << 1 | u32::from(self.is_truthy(component))
        })
    }

    fn into_millis(mut self, now: f64) -> Answer {
        if self.found.is_empty() {
            return Ok(Value::Undefined);
        }
        let is_kind = |kind: u32, mask: u32| !kind & mask == 0 && kind & mask != 0;
        let date = self.mask("YXMxWwdD");
        let is_a = is_kind(161, date);
        let is_b = !is_a && is_kind(130, date);
        let is_c = is_kind(84, date);
        let is_d = !is_c && is_kind(72, date);
        let time = self.mask("PHhmsf");
        let is_half_day = !is_kind(23, time) && is_kind(47, time);
        let dates = match (is_b, is_c, is_d) {
            (true, ..) => "YD",
            (_, true, _) => "XxwF",
            (_, _, true) => "XWF",
            _ => "YMD",
        };
        let times = if is_half_day { "Phmsf" } else { "Hmsf" };
        self.fill(&format!("{dates}{times}"), now)?;
        if is_c || is_d {
            return Err(Fault::new("D3136"));
        }
        self.result(is_b, is_half_day)
    }

    /// What is left out before the first component is as it is now, what is left out behind the last as it begins.
    fn fill(&mut self, components: &str, now: f64) -> Answer<()> {
        let (mut has_started, mut has_ended) = (false, false);
        let now = Date::new(now);
        for component in components.chars() {
            if self.get(component).is_some() {
                has_started = true;
                if has_ended {
                    return Err(Fault::new("D3136"));
                }
            } else if has_started {
                let least = if "MDd".contains(component) { 1.0 } else { 0.0 };
                self.found.insert(component, Some(least));
                has_ended = true;
            } else {
                self.found
                    .insert(component, Some(fragment(&now, component)));
            }
        }
        Ok(())
    }

    fn result(&self, is_day_of_year: bool, is_half_day: bool) -> Answer {
        let part = |component| self.get(component).unwrap_or(f64::NAN);
        let mut month = match part('M') {
            month if month > 0.0 => month - 1.0,
            _ => 0.0,
        };
        let mut day = part('D');
        if is_day_of_year {
            let first = utc_day(part('Y'), 0.0, 1.0);
            let date = Date::new(first + (part('d') - 1.0) * DAY);
            (month, day) = (date.month, date.day);
        }
        let mut hour = part('H');
        if is_half_day {
            hour = if part('h') == 12.0 { 0.0 } else { part('h') };
            if part('P') == 1.0 {
                hour += 12.0;
            }
        }
        let millis = calendar::utc(
            part('Y'),
            month,
            day,
            [hour, part('m'), part('s'), part('f')],
        );
        let zone = ['Z', 'z']
            .into_iter()
            .filter(|&zone| self.is_truthy(zone))
            .find_map(|zone| self.get(zone));
        Ok(Value::Number(millis - zone.unwrap_or(0.0) * 60_000.0))
    }
}
