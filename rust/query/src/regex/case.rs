//! Which characters are equal without regard to case, in each dialect.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::ast::Fold;
use super::ranges::Ranges;

/// `Canonicalize` of ECMA-262 without the `u` flag, for each code unit.
static CANONICAL: LazyLock<Box<[u16]>> =
    LazyLock::new(|| (0..=u16::MAX).map(canonicalize).collect());

/// Code units that are one character to `Canonicalize`; those with a companion only.
static COMPANIONS: LazyLock<Vec<Vec<u16>>> = LazyLock::new(|| {
    let mut members: BTreeMap<u16, Vec<u16>> = BTreeMap::new();
    for unit in 0..=u16::MAX {
        members
            .entry(CANONICAL[unit as usize])
            .or_default()
            .push(unit);
    }
    members
        .into_values()
        .filter(|units| units.len() > 1)
        .collect()
});

fn canonicalize(unit: u16) -> u16 {
    let Some(character) = char::from_u32(unit.into()) else {
        return unit;
    };
    let mut upper = character.to_uppercase();
    match (upper.next().map(u32::from), upper.next()) {
        (Some(only), None) => match u16::try_from(only) {
            Ok(only) if unit < 128 || only >= 128 => only,
            _ => unit,
        },
        _ => unit,
    }
}

/// The character that stands for `unit` and all that equal it.
pub(super) fn canonical(unit: u16) -> u16 {
    CANONICAL[unit as usize]
}

/// A set of code units, with all that equal one of them.
pub(super) fn close_ecmascript(set: &Ranges) -> Ranges {
    let mut pairs = set.pairs().to_vec();
    for units in COMPANIONS.iter() {
        if units.iter().any(|&unit| set.contains(unit.into())) {
            pairs.extend(units.iter().map(|&unit| (u32::from(unit), u32::from(unit))));
        }
    }
    Ranges::new(pairs)
}

/// Whether two characters are equal.
pub(super) fn equal(left: u32, right: u32, fold: Fold) -> bool {
    left == right
        || match fold {
            Fold::Exact => false,
            Fold::EcmaScript => canonical(left as u16) == canonical(right as u16),
            Fold::JavaAscii => {
                left < 128 && right < 128 && { (left as u8).eq_ignore_ascii_case(&(right as u8)) }
            }
            Fold::JavaUnicode => lower(upper(left)) == lower(upper(right)),
        }
}

/// `Character.toUpperCase`: the simple mapping of Unicode, to one character.
pub(super) fn upper(point: u32) -> u32 {
    match point {
        // Full upper case of these is two letters; simple upper case is the one with the iota beside it.
        0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7 => point + 8,
        0x1FB3 | 0x1FC3 | 0x1FF3 => point + 9,
        _ => char::from_u32(point).map_or(point, |c| only(c.to_uppercase(), point)),
    }
}

/// `Character.toLowerCase`.
pub(super) fn lower(point: u32) -> u32 {
    match point {
        0x130 => 0x69,
        _ => char::from_u32(point).map_or(point, |c| only(c.to_lowercase(), point)),
    }
}

fn only(mut characters: impl Iterator<Item = char>, otherwise: u32) -> u32 {
    match (characters.next(), characters.next()) {
        (Some(only), None) => only.into(),
        _ => otherwise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecmascript_keeps_ascii_apart_from_what_maps_into_it() {
        // ſ and K have ASCII companions in Unicode, but not here; ß has two upper-case letters.
        assert_eq!(canonical(0x17F), 0x17F);
        assert_eq!(canonical(0x212A), 0x212A);
        assert_eq!(canonical(0xDF), 0xDF);
        assert_eq!(canonical(u16::from(b'k')), u16::from(b'K'));
        assert_eq!(canonical(0xB5), 0x39C); // µ with the Greek letter
    }

    #[test]
    fn a_closed_set_has_each_companion() {
        let closed = close_ecmascript(&Ranges::single(0x3C3)); // σ
        assert_eq!(closed, Ranges::of("Σςσ"));
    }

    #[test]
    fn java_maps_to_one_character() {
        assert_eq!(upper(0x1F80), 0x1F88);
        assert_eq!(upper(0xDF), 0xDF);
        assert_eq!(lower(0x130), 0x69);
        assert!(equal(0x3C2, 0x3A3, Fold::JavaUnicode)); // ς, Σ
        assert!(!equal(0xE9, 0xC9, Fold::JavaAscii)); // é, É
    }
}
