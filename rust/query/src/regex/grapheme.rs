//! Extended grapheme clusters, for Java's `\X` and `\b{g}` (Unicode Annex 29).

use std::sync::LazyLock;

use super::OutOfSteps;
use super::meter::Meter;
use super::points::{point_at, point_before};
use super::ranges::CharSet;
use super::unicode::must;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    Other,
    Cr,
    Lf,
    Control,
    Extend,
    Joiner,
    Regional,
    Prepend,
    Spacing,
    L,
    V,
    T,
    Lv,
    Lvt,
    Pictographic,
}

static CLASSES: LazyLock<Vec<(CharSet, Break)>> = LazyLock::new(|| {
    [
        ("gcb=CR", Break::Cr),
        ("gcb=LF", Break::Lf),
        ("gcb=Control", Break::Control),
        ("gcb=Extend", Break::Extend),
        ("gcb=ZWJ", Break::Joiner),
        ("gcb=Regional_Indicator", Break::Regional),
        ("gcb=Prepend", Break::Prepend),
        ("gcb=SpacingMark", Break::Spacing),
        ("gcb=L", Break::L),
        ("gcb=V", Break::V),
        ("gcb=T", Break::T),
        ("gcb=LV", Break::Lv),
        ("gcb=LVT", Break::Lvt),
        ("Extended_Pictographic", Break::Pictographic),
    ]
    .map(|(name, class)| (CharSet::new(&must(name)), class))
    .to_vec()
});

fn class(point: u32) -> Break {
    if (0x20..0x7F).contains(&point) {
        return Break::Other;
    }
    let found = CLASSES.iter().find(|(set, _)| set.contains(point));
    match found {
        Some((_, class)) => *class,
        None if (0xD800..0xE000).contains(&point) => Break::Control,
        None => Break::Other,
    }
}

/// The end of the grapheme cluster that begins at `start`; None at the end of the text.
pub(super) fn next(
    text: &[u16],
    start: usize,
    meter: &mut Meter<'_>,
) -> Result<Option<usize>, OutOfSteps> {
    if start >= text.len() {
        return Ok(None);
    }
    let mut place = start;
    loop {
        meter.count(1)?;
        place += point_at(text, place).1 as usize;
        if place >= text.len() || is_break(text, start, place, meter)? {
            return Ok(Some(place));
        }
    }
}

/// Whether a grapheme cluster ends at a place.
pub(super) fn is_boundary(
    text: &[u16],
    place: usize,
    meter: &mut Meter<'_>,
) -> Result<bool, OutOfSteps> {
    if place == 0 || place >= text.len() {
        return Ok(true);
    }
    is_break(text, 0, place, meter)
}

/// The rules GB3 to GB999 between two characters; what is before `start` does not count.
fn is_break(
    text: &[u16],
    start: usize,
    place: usize,
    meter: &mut Meter<'_>,
) -> Result<bool, OutOfSteps> {
    let before = class(point_before(text, place).0);
    let after = class(point_at(text, place).0);
    Ok(match (before, after) {
        (Break::Cr, Break::Lf) => false,
        (Break::Cr | Break::Lf | Break::Control, _) => true,
        (_, Break::Cr | Break::Lf | Break::Control) => true,
        (Break::L, Break::L | Break::V | Break::Lv | Break::Lvt) => false,
        (Break::Lv | Break::V, Break::V | Break::T) => false,
        (Break::Lvt | Break::T, Break::T) => false,
        (_, Break::Extend | Break::Joiner | Break::Spacing) => false,
        (Break::Prepend, _) => false,
        (Break::Joiner, Break::Pictographic) => !follows_pictographic(text, start, place, meter)?,
        (Break::Regional, Break::Regional) => count_regional(text, start, place, meter)? % 2 == 0,
        _ => true,
    })
}

/// Whether a pictograph and characters that extend it are before the joiner that ends at a place.
fn follows_pictographic(
    text: &[u16],
    start: usize,
    place: usize,
    meter: &mut Meter<'_>,
) -> Result<bool, OutOfSteps> {
    let mut place = place - 1;
    while place > start {
        meter.count(1)?;
        let (point, length) = point_before(text, place);
        match class(point) {
            Break::Extend => place -= length as usize,
            other => return Ok(other == Break::Pictographic),
        }
    }
    Ok(false)
}

fn count_regional(
    text: &[u16],
    start: usize,
    place: usize,
    meter: &mut Meter<'_>,
) -> Result<usize, OutOfSteps> {
    let (mut place, mut count) = (place, 0);
    while place > start {
        meter.count(1)?;
        let (point, length) = point_before(text, place);
        if class(point) != Break::Regional {
            break;
        }
        count += 1;
        place -= length as usize;
    }
    Ok(count)
}
