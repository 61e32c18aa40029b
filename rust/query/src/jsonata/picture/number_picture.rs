//! Pictures of `$formatNumber`: their symbols, their parts, what is wrong with them, and what they ask for.

use super::integer::greatest_divisor;
use crate::jsonata::error::{Answer, Fault};
use crate::jsonata::value::Value;

pub type Units = Vec<u16>;

/// The symbols of pictures and of numbers.
pub struct Symbols {
    pub decimal: Units,
    pub grouping: Units,
    pub exponent: Units,
    pub minus: Units,
    pub percent: Units,
    pub per_mille: Units,
    pub zero: Units,
    pub digit: Units,
    pub pattern: Units,
}

/// A picture for one sign, taken apart.
pub struct Part {
    pub picture: Units,
    pub prefix: Units,
    pub suffix: Units,
    pub active: Units,
    pub mantissa: Units,
    pub exponent: Option<Units>,
    pub integer: Units,
    pub fraction: Units,
}

/// What a picture asks for.
#[derive(Clone)]
pub struct Plan {
    pub picture: Units,
    pub prefix: Units,
    pub suffix: Units,
    pub integer_groups: Vec<usize>,
    pub regular_group: usize,
    pub fraction_groups: Vec<usize>,
    pub least_integer: usize,
    pub scaling: usize,
    pub least_fraction: usize,
    pub most_fraction: usize,
    pub least_exponent: usize,
}

pub fn units(text: &str) -> Units {
    text.encode_utf16().collect()
}

pub fn find(text: &[u16], part: &[u16], from: usize) -> Option<usize> {
    crate::jsonata::functions::find(text, part, from.min(text.len()))
}

pub fn find_last(text: &[u16], part: &[u16]) -> Option<usize> {
    if part.is_empty() {
        return Some(text.len());
    }
    text.windows(part.len()).rposition(|window| window == part)
}

impl Symbols {
    pub fn of(options: &Value) -> Answer<Symbols> {
        let mut symbols = Symbols {
            decimal: units("."),
            grouping: units(","),
            exponent: units("e"),
            minus: units("-"),
            percent: units("%"),
            per_mille: units("\u{2030}"),
            zero: units("0"),
            digit: units("#"),
            pattern: units(";"),
        };
        let Value::Object(options) = options else {
            return Ok(symbols);
        };
        for (name, value) in options.entries() {
            let symbol = match name.bytes() {
                b"decimal-separator" => &mut symbols.decimal,
                b"grouping-separator" => &mut symbols.grouping,
                b"exponent-separator" => &mut symbols.exponent,
                b"minus-sign" => &mut symbols.minus,
                b"percent" => &mut symbols.percent,
                b"per-mille" => &mut symbols.per_mille,
                b"zero-digit" => &mut symbols.zero,
                b"digit" => &mut symbols.digit,
                b"pattern-separator" => &mut symbols.pattern,
                _ => continue,
            };
            *symbol = match &value {
                Value::Text(text) => text.to_utf16(),
                _ if name.bytes() == b"zero-digit" => {
                    let text = match &value {
                        Value::Null => "Cannot read properties of null (reading 'charCodeAt')",
                        _ => "properties.zero-digit.charCodeAt is not a function",
                    };
                    return Err(Fault::uncoded(text));
                }
                value => units(&crate::jsonata::json::display(value)),
            };
        }
        Ok(symbols)
    }

    pub fn is_family(&self, unit: u16) -> bool {
        self.zero
            .first()
            .is_some_and(|&zero| (zero..=zero.saturating_add(9)).contains(&unit))
    }

    fn is_digit(&self, unit: u16) -> bool {
        self.digit == [unit]
    }

    fn is_any_digit(&self, unit: u16) -> bool {
        self.is_family(unit) || self.is_digit(unit)
    }

    fn is_active(&self, unit: u16) -> bool {
        let signs = [
            &self.decimal,
            &self.exponent,
            &self.grouping,
            &self.digit,
            &self.pattern,
        ];
        self.is_family(unit) || signs.iter().any(|sign| **sign == [unit])
    }

    fn is_border(&self, unit: u16) -> bool {
        self.is_active(unit) && self.exponent != [unit]
    }
}

pub fn split(text: &[u16], separator: &[u16]) -> Vec<Units> {
    if separator.is_empty() {
        return text.iter().map(|&unit| vec![unit]).collect();
    }
    let mut parts = Vec::new();
    let mut start = 0;
    while let Some(at) = find(text, separator, start) {
        parts.push(text[start..at].to_vec());
        start = at + separator.len();
    }
    parts.push(text[start..].to_vec());
    parts
}

impl Part {
    pub fn of(picture: Units, symbols: &Symbols) -> Answer<Part> {
        let start = picture.iter().position(|&unit| symbols.is_border(unit));
        let end = picture.iter().rposition(|&unit| symbols.is_border(unit));
        let (Some(start), Some(end)) = (start, end) else {
            // 2.0.6 stumbles over a picture without digits; AWS was measured to say this.
            return Err(Fault::new("D3086"));
        };
        let (prefix, suffix) = (picture[..start].to_vec(), picture[end + 1..].to_vec());
        let active = picture[start..=end].to_vec();
        let exponent_at = find(&picture, &symbols.exponent, start).filter(|&at| at <= end + 1);
        // The place is one in the whole picture, but it is used in the active part.
        let (mantissa, exponent) = match exponent_at {
            None => (active.clone(), None),
            Some(at) => {
                let mantissa = active[..at.min(active.len())].to_vec();
                (
                    mantissa,
                    Some(active[(at + 1).min(active.len())..].to_vec()),
                )
            }
        };
        let (integer, fraction) = match find(&mantissa, &symbols.decimal, 0) {
            None => (mantissa.clone(), suffix.clone()),
            Some(at) => (
                mantissa[..at].to_vec(),
                mantissa[(at + 1).min(mantissa.len())..].to_vec(),
            ),
        };
        Ok(Part {
            picture,
            prefix,
            suffix,
            active,
            mantissa,
            exponent,
            integer,
            fraction,
        })
    }

    /// What is wrong with the picture: the last of its faults.
    pub fn problem(&self, symbols: &Symbols) -> Option<&'static str> {
        let picture = &self.picture;
        let is_twice = |sign: &[u16]| find(picture, sign, 0) != find_last(picture, sign);
        let has = |sign: &[u16]| find(picture, sign, 0).is_some();
        let decimal = find(picture, &symbols.decimal, 0);
        let is_grouping = |at: Option<usize>| {
            let unit = at
                .and_then(|at| picture.get(at))
                .map_or(&[][..], std::slice::from_ref);
            unit == symbols.grouping.as_slice()
        };
        let is_digits_around = |part: &[u16], at: Option<usize>, before: bool| {
            at.is_some_and(|at| {
                let side = if before { &part[..at] } else { &part[at..] };
                side.iter().any(|&unit| symbols.is_family(unit))
            })
        };
        let ends_in_grouping = self.integer.last().map_or(&[][..], std::slice::from_ref)
            == symbols.grouping.as_slice();
        let double = [symbols.grouping.as_slice(), &symbols.grouping].concat();
        let faults = [
            (is_twice(&symbols.decimal), "D3081"),
            (is_twice(&symbols.percent), "D3082"),
            (is_twice(&symbols.per_mille), "D3083"),
            (has(&symbols.percent) && has(&symbols.per_mille), "D3084"),
            (
                !self.mantissa.iter().any(|&unit| symbols.is_any_digit(unit)),
                "D3085",
            ),
            (
                self.active.iter().any(|&unit| !symbols.is_active(unit)),
                "D3086",
            ),
            (
                decimal
                    .is_some_and(|at| is_grouping(at.checked_sub(1)) || is_grouping(Some(at + 1))),
                "D3087",
            ),
            (decimal.is_none() && ends_in_grouping, "D3088"),
            (has(&double), "D3089"),
            (
                is_digits_around(&self.integer, find(&self.integer, &symbols.digit, 0), true),
                "D3090",
            ),
            (
                is_digits_around(
                    &self.fraction,
                    find_last(&self.fraction, &symbols.digit),
                    false,
                ),
                "D3091",
            ),
            (
                self.exponent
                    .as_ref()
                    .is_some_and(|exponent| !exponent.is_empty())
                    && (has(&symbols.percent) || has(&symbols.per_mille)),
                "D3092",
            ),
            (
                self.exponent.as_ref().is_some_and(|exponent| {
                    exponent.is_empty() || exponent.iter().any(|&unit| !symbols.is_family(unit))
                }),
                "D3093",
            ),
        ];
        faults
            .into_iter()
            .rev()
            .find(|(is_wrong, _)| *is_wrong)
            .map(|(_, code)| code)
    }

    pub fn plan(&self, symbols: &Symbols) -> Plan {
        let count =
            |part: &[u16], is: &dyn Fn(u16) -> bool| part.iter().filter(|&&unit| is(unit)).count();
        let is_family = |unit| symbols.is_family(unit);
        let is_any = |unit| symbols.is_any_digit(unit);
        let integer_groups = self.groups(&self.integer, false, symbols);
        let mut least_integer = count(&self.integer, &is_family);
        let scaling = least_integer;
        let mut least_fraction = count(&self.fraction, &is_family);
        let mut most_fraction = count(&self.fraction, &is_any);
        let has_exponent = self.exponent.is_some();
        if least_integer == 0 && most_fraction == 0 {
            match has_exponent {
                true => (least_fraction, most_fraction) = (1, 1),
                false => least_integer = 1,
            }
        }
        if has_exponent && least_integer == 0 && find(&self.integer, &symbols.digit, 0).is_some() {
            least_integer = 1;
        }
        if least_integer == 0 && least_fraction == 0 {
            least_fraction = 1;
        }
        Plan {
            picture: self.picture.clone(),
            prefix: self.prefix.clone(),
            suffix: self.suffix.clone(),
            regular_group: regular(&integer_groups),
            integer_groups,
            fraction_groups: self.groups(&self.fraction, true, symbols),
            least_integer,
            scaling,
            least_fraction,
            most_fraction,
            least_exponent: self
                .exponent
                .as_ref()
                .map_or(0, |exponent| count(exponent, &is_family)),
        }
    }

    /// How many digits stand right of each separator, or left of it.
    fn groups(&self, part: &[u16], is_left: bool, symbols: &Symbols) -> Vec<usize> {
        let mut groups = Vec::new();
        let mut next = find(part, &symbols.grouping, 0);
        while let Some(at) = next {
            let place = at.min(part.len());
            let side = if is_left {
                &part[..place]
            } else {
                &part[place..]
            };
            groups.push(
                side.iter()
                    .filter(|&&unit| symbols.is_any_digit(unit))
                    .count(),
            );
            // The next one is sought in the integer part, whichever part this is.
            next = find(&self.integer, &symbols.grouping, at + 1).filter(|&found| found > at);
        }
        groups
    }
}

/// The distance of separators that are evenly spaced, or 0.
fn regular(places: &[usize]) -> usize {
    let Some(factor) = places.iter().copied().reduce(greatest_divisor) else {
        return 0;
    };
    match (1..=places.len()).all(|number| places.contains(&(number * factor))) {
        true => factor,
        false => 0,
    }
}
