//! `$formatNumber`, as XPath's `format-number` and with jsonata-js's deviations.

use super::integer::greatest_divisor;
use crate::jsonata::error::{Answer, Bound, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::number::to_fixed;
use crate::jsonata::text::Text;
use crate::jsonata::value::Value;

type Units = Vec<u16>;

/// The symbols of pictures and of numbers.
struct Symbols {
    decimal: Units,
    grouping: Units,
    exponent: Units,
    minus: Units,
    percent: Units,
    per_mille: Units,
    zero: Units,
    digit: Units,
    pattern: Units,
}

/// A picture for one sign, taken apart.
struct Part {
    picture: Units,
    prefix: Units,
    suffix: Units,
    active: Units,
    mantissa: Units,
    exponent: Option<Units>,
    integer: Units,
    fraction: Units,
}

/// What a picture asks for.
#[derive(Clone)]
struct Plan {
    picture: Units,
    prefix: Units,
    suffix: Units,
    integer_groups: Vec<usize>,
    regular_group: usize,
    fraction_groups: Vec<usize>,
    least_integer: usize,
    scaling: usize,
    least_fraction: usize,
    most_fraction: usize,
    least_exponent: usize,
}

fn units(text: &str) -> Units {
    text.encode_utf16().collect()
}

fn find(text: &[u16], part: &[u16], from: usize) -> Option<usize> {
    crate::jsonata::functions::find_units(text, part, from.min(text.len()))
}

fn find_last(text: &[u16], part: &[u16]) -> Option<usize> {
    if part.is_empty() {
        return Some(text.len());
    }
    text.windows(part.len()).rposition(|window| window == part)
}

impl Symbols {
    fn of(options: &Value) -> Answer<Symbols> {
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

    fn is_family(&self, unit: u16) -> bool {
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

pub fn format(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let Some(number) = arguments.first().and_then(Value::as_number) else {
        return Ok(Value::Undefined);
    };
    let Some(Value::Text(picture)) = arguments.get(1) else {
        return Err(Fault::uncoded(
            "Cannot read properties of undefined (reading 'split')",
        ));
    };
    let symbols = Symbols::of(arguments.get(2).unwrap_or(&Value::Undefined))?;
    let picture = picture.to_utf16();
    // Each check reads the picture once more.
    evaluator.budget.spend(16 + picture.len() as u64)?;
    let pictures = split(&picture, &symbols.pattern);
    if pictures.len() > 2 {
        return Err(Fault::new("D3080"));
    }
    let mut parts = Vec::new();
    for picture in pictures {
        parts.push(Part::of(picture, &symbols)?);
    }
    for part in &parts {
        if let Some(code) = part.problem(&symbols) {
            return Err(Fault::new(code));
        }
    }
    let mut plans: Vec<Plan> = parts.iter().map(|part| part.plan(&symbols)).collect();
    if plans.len() == 1 {
        let mut negative = plans[0].clone();
        negative.prefix = [symbols.minus.as_slice(), &negative.prefix].concat();
        plans.push(negative);
    }
    let plan = if number >= 0.0 { &plans[0] } else { &plans[1] };
    let text = plan.write(number, &symbols, evaluator)?;
    evaluator.budget.text(text.len())?;
    Ok(Value::Text(Text::from_utf16(&text)))
}

fn split(text: &[u16], separator: &[u16]) -> Vec<Units> {
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
    fn of(picture: Units, symbols: &Symbols) -> Answer<Part> {
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
    fn problem(&self, symbols: &Symbols) -> Option<&'static str> {
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

    fn plan(&self, symbols: &Symbols) -> Plan {
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

impl Plan {
    fn write(&self, number: f64, symbols: &Symbols, evaluator: &mut Evaluator) -> Answer<Units> {
        let has = |sign: &[u16]| find(&self.picture, sign, 0).is_some();
        let number = match (has(&symbols.percent), has(&symbols.per_mille)) {
            (true, _) => number * 100.0,
            (_, true) => number * 1000.0,
            _ => number,
        };
        let (mantissa, exponent) = self.scaled(number, evaluator)?;
        if self.most_fraction > 100 {
            return Err(Fault::uncoded(
                "toFixed() digits argument must be between 0 and 100",
            ));
        }
        let rounded = crate::jsonata::functions::rounded(mantissa, self.most_fraction as f64);
        let mut text = self.digits(rounded.abs(), symbols);
        self.group(&mut text, symbols);
        let point = find(&text, &symbols.decimal, 0);
        if !has(&symbols.decimal) || point == text.len().checked_sub(1) {
            text.pop();
        }
        if let Some(exponent) = exponent {
            let digits = in_family(&to_fixed(exponent.abs(), 0), symbols);
            text.extend_from_slice(&symbols.exponent);
            if exponent < 0.0 {
                text.extend_from_slice(&symbols.minus);
            }
            for _ in digits.len()..self.least_exponent {
                text.extend_from_slice(&symbols.zero);
            }
            text.extend(digits);
        }
        Ok([self.prefix.as_slice(), &text, &self.suffix].concat())
    }

    fn scaled(&self, number: f64, evaluator: &mut Evaluator) -> Answer<(f64, Option<f64>)> {
        if self.least_exponent == 0 {
            return Ok((number, None));
        }
        let (most, least) = (
            power_of_ten(self.scaling as i32),
            power_of_ten(self.scaling as i32 - 1),
        );
        let (mut mantissa, mut exponent) = (number, 0.0);
        while mantissa < least {
            evaluator.budget.spend(1)?;
            // A number that is not above zero never gets there: the engine would go on for ever.
            if mantissa <= 0.0 {
                return Err(Fault::bound(Bound::Steps));
            }
            mantissa *= 10.0;
            exponent -= 1.0;
        }
        while mantissa > most {
            evaluator.budget.spend(1)?;
            if mantissa.is_infinite() {
                return Err(Fault::bound(Bound::Steps));
            }
            mantissa /= 10.0;
            exponent += 1.0;
        }
        Ok((mantissa, Some(exponent)))
    }

    /// The digits with the point between them, as many as the picture wants at least.
    fn digits(&self, number: f64, symbols: &Symbols) -> Units {
        let fixed = in_family(&to_fixed(number, self.most_fraction), symbols);
        let point = u16::from(b'.');
        let mut text = match fixed.iter().position(|&unit| unit == point) {
            None => [fixed.as_slice(), &symbols.decimal].concat(),
            Some(at) => [&fixed[..at], &symbols.decimal, &fixed[at + 1..]].concat(),
        };
        let is_zero = |unit: Option<&u16>| {
            unit.map_or(&[][..], std::slice::from_ref) == symbols.zero.as_slice()
        };
        while !text.is_empty() && is_zero(text.first()) {
            text.remove(0);
        }
        while !text.is_empty() && is_zero(text.last()) {
            text.pop();
        }
        let point = find(&text, &symbols.decimal, 0).map_or(-1, |at| at as isize);
        let left = self.least_integer as isize - point;
        let right = self.least_fraction as isize - (text.len() as isize - point - 1);
        let zeros = |count: isize| symbols.zero.repeat(count.max(0) as usize);
        [zeros(left), text, zeros(right)].concat()
    }

    fn group(&self, text: &mut Units, symbols: &Symbols) {
        let point = find(text, &symbols.decimal, 0).map_or(-1, |at| at as isize);
        if self.regular_group > 0 {
            let every = self.regular_group as isize;
            for number in 1..=(point - 1).div_euclid(every) {
                insert(text, point - number * every, &symbols.grouping);
            }
        } else {
            for (number, &place) in self.integer_groups.iter().enumerate() {
                insert(
                    text,
                    point + number as isize - place as isize,
                    &symbols.grouping,
                );
            }
        }
        let point = find(text, &symbols.decimal, 0).map_or(-1, |at| at as isize);
        for &place in &self.fraction_groups {
            insert(text, place as isize + point + 1, &symbols.grouping);
        }
    }
}

/// `[text.slice(0, at), separator, text.slice(at)].join('')`
fn insert(text: &mut Units, at: isize, separator: &[u16]) {
    let length = text.len() as isize;
    let at = if at < 0 {
        (length + at).max(0)
    } else {
        at.min(length)
    } as usize;
    text.splice(at..at, separator.iter().copied());
}

fn in_family(text: &str, symbols: &Symbols) -> Units {
    if symbols.zero == [48] {
        return units(text);
    }
    let is_digit = |unit: u16| (48..58).contains(&unit);
    match symbols.zero.first() {
        Some(&zero) => text
            .encode_utf16()
            .map(|unit| {
                if is_digit(unit) {
                    unit - 48 + zero
                } else {
                    unit
                }
            })
            .collect(),
        // There is no family, so the digits vanish.
        None => text
            .encode_utf16()
            .filter(|&unit| !is_digit(unit))
            .collect(),
    }
}

fn power_of_ten(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().unwrap_or(f64::INFINITY)
}
