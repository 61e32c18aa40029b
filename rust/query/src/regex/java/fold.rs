//! Sets of characters that equal one of a set without regard to case, as Java has them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::regex::ast::Fold;
use crate::regex::case::{lower, upper};
use crate::regex::ranges::Ranges;

/// A character that another one equals: itself, its upper case, and the lower case of that.
struct Cased {
    point: u32,
    upper: u32,
    lower: u32,
}

static CASED: LazyLock<Vec<Cased>> = LazyLock::new(|| {
    let cased = |point| {
        let up = upper(point);
        let low = lower(up);
        (up != point || low != point).then_some(Cased {
            point,
            upper: up,
            lower: low,
        })
    };
    // No character beyond these has a case.
    (0..0x2_0000).filter_map(cased).collect()
});

/// The characters for each of which `lower(upper(c))` is the same.
static BY_LOWER: LazyLock<HashMap<u32, Vec<u32>>> = LazyLock::new(|| {
    let mut all: HashMap<u32, Vec<u32>> = HashMap::new();
    for cased in CASED.iter() {
        all.entry(cased.lower).or_default().push(cased.point);
    }
    all
});

/// What a literal character matches.
pub(super) fn single(point: u32, fold: Fold) -> Ranges {
    let mut pairs = vec![(point, point)];
    match (fold, u8::try_from(point)) {
        (Fold::JavaAscii, Ok(byte)) if byte.is_ascii_alphabetic() => {
            let other = u32::from(byte ^ 0x20);
            pairs.push((other, other));
        }
        (Fold::JavaUnicode, _) => {
            let low = lower(upper(point));
            pairs.push((low, low));
            pairs.extend(
                BY_LOWER
                    .get(&low)
                    .into_iter()
                    .flatten()
                    .map(|&other| (other, other)),
            );
        }
        _ => {}
    }
    Ranges::new(pairs)
}

/// What a single character of a class matches. Java looks for others only where it has two cases itself.
pub(super) fn member(point: u32, fold: Fold) -> Ranges {
    let has_cases = upper(point) != lower(upper(point));
    if fold == Fold::JavaUnicode && !has_cases {
        return Ranges::single(point);
    }
    single(point, fold)
}

/// What a character of a class matches that is below 256 and is kept in a table by Java.
pub(super) fn bit(point: u32, fold: Fold) -> Ranges {
    match fold {
        Fold::JavaUnicode if point >= 128 => Ranges::new(
            [point, lower(point), upper(point)]
                .map(|each| (each, each))
                .to_vec(),
        ),
        Fold::JavaUnicode => single(point, Fold::JavaAscii),
        _ => single(point, fold),
    }
}

/// What a range of a class matches.
pub(super) fn range(first: u32, last: u32, fold: Fold) -> Ranges {
    let is_in = |point: u32| first <= point && point <= last;
    let mut pairs = vec![(first, last)];
    match fold {
        Fold::JavaAscii => pairs.extend(
            (0x41..=0x5A)
                .chain(0x61..=0x7A)
                .filter(|&letter| is_in(letter ^ 0x20))
                .map(|letter| (letter, letter)),
        ),
        Fold::JavaUnicode => pairs.extend(
            CASED
                .iter()
                .filter(|cased| is_in(cased.upper) || is_in(cased.lower))
                .map(|cased| (cased.point, cased.point)),
        ),
        _ => {}
    }
    Ranges::new(pairs)
}
