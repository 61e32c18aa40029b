//! Numbers as texts, as JavaScript writes and reads them.

/// The digits of a positive number, and the power of ten of the first: the fewest that tell it.
fn shortest(number: f64) -> (String, i32) {
    split_exponent(&format!("{number:e}"))
}

fn split_exponent(text: &str) -> (String, i32) {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    (digits.replace('.', ""), exponent.parse().unwrap_or(0))
}

/// `String(number)`
pub fn to_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    if number < 0.0 {
        return format!("-{}", to_text(-number));
    }
    if number.is_infinite() {
        return "Infinity".to_owned();
    }
    if number.fract() == 0.0 && number < 1e15 {
        return (number as u64).to_string();
    }
    let (digits, exponent) = shortest(number);
    lay_out(&digits, exponent)
}

fn lay_out(digits: &str, exponent: i32) -> String {
    let count = digits.len() as i32;
    let point = exponent + 1;
    if count <= point && point <= 21 {
        return format!("{digits}{}", "0".repeat((point - count) as usize));
    }
    if 0 < point && point <= 21 {
        return format!(
            "{}.{}",
            &digits[..point as usize],
            &digits[point as usize..]
        );
    }
    if -6 < point && point <= 0 {
        return format!("0.{}{digits}", "0".repeat(-point as usize));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    match digits.len() {
        1 => format!("{digits}e{sign}{}", exponent.abs()),
        _ => format!("{}.{}e{sign}{}", &digits[..1], &digits[1..], exponent.abs()),
    }
}

/// `Number(number.toPrecision(15))`
pub fn to_15_digits(number: f64) -> f64 {
    if !number.is_finite() || number == 0.0 || (number.fract() == 0.0 && number.abs() < 1e15) {
        return number;
    }
    if shortest(number.abs()).0.len() <= 15 {
        return number;
    }
    let (digits, exponent) = split_exponent(&format!("{:.40e}", number.abs()));
    let rounded = rounded(&digits, 15);
    let text = format!("{}e{}", rounded, exponent - 14);
    let result: f64 = text.parse().unwrap_or(number);
    if number < 0.0 { -result } else { result }
}

/// The first `count` digits as an integer, rounded half up.
fn rounded(digits: &str, count: usize) -> String {
    let mut kept: Vec<u8> = digits.as_bytes()[..count].to_vec();
    if digits.as_bytes()[count] >= b'5' {
        let mut at = count;
        loop {
            if at == 0 {
                kept.insert(0, b'1');
                break;
            }
            at -= 1;
            if kept[at] == b'9' {
                kept[at] = b'0';
            } else {
                kept[at] += 1;
                break;
            }
        }
    }
    kept.into_iter().map(char::from).collect()
}

/// `number.toFixed(places)` of a number that is not negative; `places` is 100 at most.
pub fn to_fixed(number: f64, places: usize) -> String {
    if !number.is_finite() || number >= 1e21 {
        return to_text(number);
    }
    let exact = format!("{:.*}", places + 60, number);
    let (whole, fraction) = exact.split_once('.').unwrap_or((&exact, ""));
    let rounded = rounded(&format!("{whole}{fraction}"), whole.len() + places);
    let point = rounded.len() - places;
    match places {
        0 => rounded,
        _ => format!("{}.{}", &rounded[..point], &rounded[point..]),
    }
}

/// `number.toString(radix)` of an integer.
pub fn to_radix(number: f64, radix: u32) -> String {
    if radix == 10 || !number.is_finite() {
        return to_text(number);
    }
    let mut rest = number.abs();
    let mut digits = Vec::new();
    let base = f64::from(radix);
    while rest >= 9_007_199_254_740_992.0 {
        rest /= base;
        digits.push('0');
    }
    rest = rest.trunc();
    loop {
        digits.push(char::from_digit((rest % base) as u32, radix).unwrap_or('0'));
        rest = ((rest - rest % base) / base).trunc();
        if rest <= 0.0 {
            break;
        }
    }
    let sign = if number < 0.0 { "-" } else { "" };
    sign.chars().chain(digits.into_iter().rev()).collect()
}

/// What JavaScript takes for blanks around a number.
fn is_blank(letter: char) -> bool {
    letter != '\u{85}' && letter.is_whitespace() || letter == '\u{FEFF}'
}

/// `parseInt(text)`
pub fn parse_int(text: &str) -> f64 {
    let text = text.trim_start_matches(is_blank);
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return sign * in_radix(leading(hex, 16), 16);
    }
    let digits = leading(text, 10);
    match digits.is_empty() {
        true => f64::NAN,
        false => sign * digits.parse::<f64>().unwrap_or(f64::NAN),
    }
}

fn leading(text: &str, radix: u32) -> &str {
    let end = text
        .find(|letter: char| !letter.is_digit(radix))
        .unwrap_or(text.len());
    &text[..end]
}

fn in_radix(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() {
        return f64::NAN;
    }
    match u128::from_str_radix(digits, radix) {
        Ok(number) => number as f64,
        Err(_) => digits.chars().fold(0.0, |number, digit| {
            number * f64::from(radix) + f64::from(digit.to_digit(radix).unwrap_or(0))
        }),
    }
}

/// `Number(text)` of a text with a prefix for its radix.
pub fn with_prefix(text: &str) -> f64 {
    let text = text.trim_matches(is_blank);
    let radix = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => return f64::NAN,
    };
    let digits = &text[2..];
    match leading(digits, radix).len() == digits.len() {
        true => in_radix(digits, radix),
        false => f64::NAN,
    }
}

/// A number with a power of ten written behind it: `+(text + 'e' + exponent)`, as `$round` does.
pub fn shifted(number: f64, by: f64) -> f64 {
    if !number.is_finite() {
        return match number.is_nan() {
            true => f64::NAN,
            false => f64::NAN,
        };
    }
    let text = to_text(number);
    let (digits, exponent) = match text.split_once('e') {
        Some((digits, exponent)) => (digits, exponent.parse::<f64>().unwrap_or(0.0) + by),
        None => (text.as_str(), by),
    };
    // Only an integer can stand behind an e.
    let exponent_text = to_text(exponent);
    if exponent_text.contains(['.', 'e', 'N', 'I']) {
        return f64::NAN;
    }
    format!("{digits}e{exponent_text}")
        .parse()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (number, text) in [
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (0.000001, "0.000001"),
            (123456789012345680.0, "123456789012345680"),
            (-1.5, "-1.5"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(to_text(number), text);
        }
        assert_eq!(to_fixed(2.5, 0), "3");
        assert_eq!(to_fixed(1.005, 2), "1.00");
        assert_eq!(to_fixed(0.000001, 7), "0.0000010");
        assert_eq!(to_radix(255.0, 16), "ff");
        assert_eq!(to_radix(-5.0, 2), "-101");
        assert_eq!(to_15_digits(1.0 / 3.0), 0.333333333333333);
        assert_eq!(to_15_digits(0.1 + 0.2), 0.3);
    }

    proptest! {
        #[test]
        fn a_number_is_read_again_as_it_was(number: f64) {
            if number.is_finite() {
                prop_assert_eq!(to_text(number).parse::<f64>().ok(), Some(number));
                let short = to_15_digits(number);
                prop_assert!(shortest(short.abs()).0.len() <= 15 || short.is_infinite());
            }
        }

        #[test]
        fn fixed_places_are_as_many(number in 0.0..1e20_f64, places in 0_usize..100) {
            let text = to_fixed(number, places);
            let found = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            prop_assert_eq!(found, places);
        }
    }
}
