//! Assertions about a place in the text: line ends, word boundaries.

use super::OutOfSteps;
use super::ast::{Assertion, Lines, Words};
use super::grapheme;
use super::meter::Meter;
use super::points::{point_at, point_before};
use super::unicode;

/// Whether an assertion holds at a place.
pub(super) fn holds(
    assertion: Assertion,
    text: &[u16],
    place: usize,
    origin: usize,
    meter: &mut Meter<'_>,
) -> Result<bool, OutOfSteps> {
    Ok(match assertion {
        Assertion::TextStart => place == 0,
        Assertion::TextEnd => place == text.len(),
        Assertion::LineStart(lines) => is_line_start(lines, text, place),
        Assertion::LineEnd(lines) => is_line_end(lines, text, place),
        Assertion::LastLineEnd(lines) => is_last_line_end(lines, text, place),
        Assertion::WordBoundary(words) => is_boundary(words, text, place, meter)?,
        Assertion::NoWordBoundary(words) => !is_boundary(words, text, place, meter)?,
        Assertion::SearchStart => place == origin,
        Assertion::GraphemeBoundary => grapheme::is_boundary(text, place, meter)?,
    })
}

/// Whether a code unit ends a line.
fn ends_line(lines: Lines, unit: u16) -> bool {
    match lines {
        Lines::EcmaScript => matches!(unit, 0x0A | 0x0D | 0x2028 | 0x2029),
        Lines::Java => matches!(unit, 0x0A | 0x0D | 0x85 | 0x2028 | 0x2029),
        Lines::Unix => unit == 0x0A,
    }
}

fn is_line_start(lines: Lines, text: &[u16], place: usize) -> bool {
    // Java: the end of the text begins no line, not even in an empty text.
    if lines != Lines::EcmaScript && place == text.len() {
        return false;
    }
    if place == 0 {
        return true;
    }
    let (before, after) = (text[place - 1], text.get(place));
    match lines {
        Lines::EcmaScript => ends_line(lines, before),
        // "\r\n" is one line end.
        _ => {
            ends_line(lines, before)
                && !(lines == Lines::Java && before == 0x0D && after == Some(&0x0A))
        }
    }
}

fn is_line_end(lines: Lines, text: &[u16], place: usize) -> bool {
    match text.get(place) {
        None => true,
        Some(&0x0A) if lines == Lines::Java => place == 0 || text[place - 1] != 0x0D,
        Some(&after) => ends_line(lines, after),
    }
}

fn is_last_line_end(lines: Lines, text: &[u16], place: usize) -> bool {
    match text[place..] {
        [] => true,
        [0x0D, 0x0A] => lines == Lines::Java,
        [_] => is_line_end(lines, text, place),
        _ => false,
    }
}

fn is_boundary(
    words: Words,
    text: &[u16],
    place: usize,
    meter: &mut Meter<'_>,
) -> Result<bool, OutOfSteps> {
    if words == Words::Ascii {
        let before = place > 0 && is_ascii_word(text[place - 1]);
        let after = text.get(place).is_some_and(|&unit| is_ascii_word(unit));
        return Ok(before != after);
    }
    let before = place > 0 && is_word_before(words, text, place, meter)?;
    let after = place < text.len() && is_word_after(words, text, place, meter)?;
    Ok(before != after)
}

fn is_ascii_word(unit: u16) -> bool {
    u8::try_from(unit).is_ok_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

fn is_word_before(
    words: Words,
    text: &[u16],
    place: usize,
    meter: &mut Meter<'_>,
) -> Result<bool, OutOfSteps> {
    let (point, length) = point_before(text, place);
    Ok(is_word(words, point)
        || (unicode::is_nonspacing_mark(point) && has_base(text, place - length as usize, meter)?))
}

fn is_word_after(
    words: Words,
    text: &[u16],
    place: usize,
    meter: &mut Meter<'_>,
) -> Result<bool, OutOfSteps> {
    let (point, _) = point_at(text, place);
    Ok(is_word(words, point)
        || (unicode::is_nonspacing_mark(point) && has_base(text, place, meter)?))
}

/// Whether the marks before a place follow a letter or digit.
fn has_base(text: &[u16], place: usize, meter: &mut Meter<'_>) -> Result<bool, OutOfSteps> {
    let mut place = place;
    while place > 0 {
        meter.count(1)?;
        let (point, length) = point_before(text, place);
        if unicode::is_letter_or_digit(point) {
            return Ok(true);
        }
        if !unicode::is_nonspacing_mark(point) {
            return Ok(false);
        }
        place -= length as usize;
    }
    Ok(false)
}

fn is_word(words: Words, point: u32) -> bool {
    match words {
        Words::Unicode => unicode::is_word(point),
        _ => point == u32::from(b'_') || unicode::is_letter_or_digit(point),
    }
}
