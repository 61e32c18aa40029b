//! `$formatNumber`, as XPath's `format-number` and with jsonata-js's deviations.

use super::number_picture::{Part, Plan, Symbols, Units, find, split, units};
use crate::jsonata::error::{Answer, Bound, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::number::to_fixed;
use crate::jsonata::text::Text;
use crate::jsonata::value::Value;

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
