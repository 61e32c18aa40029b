//! Properties of Unicode, from the tables of the `regex-syntax` crate, as Java 17 has them (Unicode 13).

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex_syntax::hir::{Class, HirKind};

use super::ranges::{CharSet, Ranges};

/// What was looked up. The names are those of properties, so that there are not many.
static KNOWN: LazyLock<Mutex<HashMap<String, Option<Arc<Ranges>>>>> = LazyLock::new(Mutex::default);

static NONSPACING: LazyLock<CharSet> = LazyLock::new(|| CharSet::new(&must("gc=Mn")));
static LETTERS_AND_DIGITS: LazyLock<CharSet> =
    LazyLock::new(|| CharSet::new(&Arc::new(must("gc=L").union(&must("gc=Nd")))));
static WORD: LazyLock<CharSet> = LazyLock::new(|| CharSet::new(&word()));

/// The code points of Java 17 that have a property, in the notation of `\p{…}` of the regex crate.
/// None where it has no such property.
pub(super) fn property(name: &str) -> Option<Arc<Ranges>> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(name) {
        return known.clone();
    }
    let ranges = look_up(name).map(Arc::new);
    known.insert(name.to_owned(), ranges.clone());
    ranges
}

/// A property that is known to exist; the tests ask for each.
pub(super) fn must(name: &str) -> Arc<Ranges> {
    property(name).unwrap_or_default()
}

/// Ranges, with both ends in them.
type Pairs = &'static [(u32, u32)];

/// Where the tables' version of Unicode says of a character that was there before something else than
/// Unicode 13: the property, what belongs to it, what does not.
#[rustfmt::skip]
const CHANGED_SINCE: &[(&str, Pairs, Pairs)] = &[
    ("gc=Mn", &[(0x1734, 0x1734), (0x1_171E, 0x1_171E)], &[]),
    ("gc=Mc", &[], &[(0x1734, 0x1734), (0x1_171E, 0x1_171E)]),
    ("Alphabetic", &[], &[
        (0x363, 0x36F), (0xC04, 0xC04), (0xF82, 0xF83), (0x1DD3, 0x1DE6), (0x1_1080, 0x1_1081),
    ]),
    ("Lowercase", &[], &[(0x10FC, 0x10FC), (0xAB69, 0xAB69)]),
    ("Other_ID_Continue", &[], &[(0x30FB, 0x30FB), (0xFF65, 0xFF65)]),
    ("Bidi_Mirrored", &[], &[(0x226D, 0x226D)]),
    ("sc=COMMON", &[(0x1_6FE2, 0x1_6FE3)], &[(0x1_6FF0, 0x1_6FF1)]),
    ("sc=HAN", &[(0x1_6FF0, 0x1_6FF1)], &[(0x1_6FE2, 0x1_6FE3)]),
];

fn look_up(name: &str) -> Option<Ranges> {
    let found = ranges_of(name)?;
    let assigned = ranges_of("age=13.0")?;
    let found = found.intersect(&assigned);
    let changed = CHANGED_SINCE.iter().find(|(changed, ..)| *changed == name);
    Some(changed.map_or(found.clone(), |(_, added, removed)| {
        let removed = Ranges::new(removed.to_vec());
        found.subtract(&removed).union(&Ranges::new(added.to_vec()))
    }))
}

fn ranges_of(name: &str) -> Option<Ranges> {
    let parsed = regex_syntax::parse(&format!("\\p{{{name}}}")).ok()?;
    match parsed.kind() {
        HirKind::Class(Class::Unicode(class)) => Some(Ranges::new(
            class
                .ranges()
                .iter()
                .map(|range| (range.start().into(), range.end().into()))
                .collect(),
        )),
        HirKind::Literal(literal) => Some(Ranges::of(std::str::from_utf8(&literal.0).ok()?)),
        _ => None,
    }
}

/// What `\w` is with Java's `U` flag.
pub(super) fn word() -> Arc<Ranges> {
    let parts = [
        "Alphabetic",
        "gc=Mn",
        "gc=Me",
        "gc=Mc",
        "gc=Nd",
        "gc=Pc",
        "Join_Control",
    ];
    Arc::new(
        parts
            .iter()
            .fold(Ranges::default(), |all, name| all.union(&must(name))),
    )
}

pub(super) fn is_word(point: u32) -> bool {
    WORD.contains(point)
}

pub(super) fn is_letter_or_digit(point: u32) -> bool {
    LETTERS_AND_DIGITS.contains(point)
}

pub(super) fn is_nonspacing_mark(point: u32) -> bool {
    NONSPACING.contains(point)
}

/// Whether a name of ECMAScript may begin with a character.
pub(super) fn is_id_start(character: char) -> bool {
    static SET: LazyLock<CharSet> = LazyLock::new(|| newest("ID_Start"));
    SET.contains(character.into())
}

/// Whether a name of ECMAScript may go on with a character.
pub(super) fn is_id_continue(character: char) -> bool {
    static SET: LazyLock<CharSet> = LazyLock::new(|| newest("ID_Continue"));
    SET.contains(character.into())
}

/// A property as the newest version of Unicode has it.
fn newest(name: &str) -> CharSet {
    CharSet::new(&Arc::new(ranges_of(name).unwrap_or_default()))
}
