//! `\p{…}`: categories, scripts, blocks and what `java.lang.Character` asks of a character.

use std::sync::Arc;

use crate::regex::ranges::Ranges;
use crate::regex::unicode::{must, property, word};

/// A block a line: first and last code point, a tab, the names by which Java knows it.
const BLOCKS: &str = include_str!("blocks.txt");

/// A script a line: the names by which Java knows it.
const SCRIPTS: &str = include_str!("scripts.txt");

/// How a property is looked up.
#[derive(Clone, Copy)]
pub(super) struct Context {
    pub ignore_case: bool,
    pub unicode_class: bool,
}

/// The property of `\p{name}`.
pub(super) fn by_name(name: &str, context: Context) -> Option<Ranges> {
    if let Some(block) = name.strip_prefix("In") {
        return self::block(block);
    }
    if let Some(name) = name.strip_prefix("Is") {
        return binary(name, context)
            .or_else(|| posix(name, context))
            .or_else(|| category(name, context))
            .or_else(|| script(name));
    }
    let posix = if context.unicode_class {
        posix(name, context)
    } else {
        None
    };
    posix.or_else(|| category(name, context))
}

/// The property of `\p{name=value}`.
pub(super) fn by_value(name: &str, value: &str, context: Context) -> Option<Ranges> {
    match name {
        "sc" | "script" => script(value),
        "blk" | "block" => block(value),
        "gc" | "general_category" => category(value, context),
        _ => None,
    }
}

fn block(name: &str) -> Option<Ranges> {
    let name = name.to_uppercase();
    if name == "SURROGATES_AREA" {
        return Some(Ranges::default());
    }
    let line = BLOCKS.lines().find(|line| {
        line.split_once('\t')
            .is_some_and(|(_, names)| names.split('|').any(|known| known == name))
    })?;
    let (first, last) = line.split_once('\t')?.0.split_once('-')?;
    let point = |digits| u32::from_str_radix(digits, 16).ok();
    Some(Ranges::new(vec![(point(first)?, point(last)?)]))
}

fn script(name: &str) -> Option<Ranges> {
    let name = name.to_uppercase();
    let line = SCRIPTS
        .lines()
        .find(|line| line.split(' ').any(|known| known == name))?;
    match line.split(' ').next()? {
        "UNKNOWN" => Some(
            assigned()
                .subtract(&gc("Co"))
                .subtract(&surrogates())
                .negate(),
        ),
        known => property(&format!("sc={known}")).map(|found| (*found).clone()),
    }
}

/// A category, a POSIX class, or a question of `java.lang.Character`.
fn category(name: &str, context: Context) -> Option<Ranges> {
    let cased = |own: &str| {
        if context.ignore_case {
            gc("Lu Ll Lt")
        } else {
            gc(own)
        }
    };
    Some(match name {
        "Lu" | "Ll" | "Lt" => cased(name),
        "Cs" => surrogates(),
        "Cn" => assigned().negate(),
        "C" => assigned()
            .negate()
            .union(&surrogates())
            .union(&gc("Cc Cf Co")),
        "Lm" | "Lo" | "Mn" | "Me" | "Mc" | "Nd" | "Nl" | "No" | "Zs" | "Zl" | "Zp" | "Cc"
        | "Cf" | "Co" | "Pd" | "Ps" | "Pe" | "Pc" | "Po" | "Sm" | "Sc" | "Sk" | "So" | "Pi"
        | "Pf" | "L" | "M" | "N" | "Z" | "P" | "S" => gc(name),
        "LC" => gc("Lu Ll Lt"),
        "LD" => gc("L Nd"),
        "L1" => ranges(&[(0, 0xFF)]),
        "all" => ranges(&[(0, 0x10_FFFF)]),
        _ => {
            return ascii(name, context).or_else(|| character(name.strip_prefix("java")?, context));
        }
    })
}

fn ascii(name: &str, context: Context) -> Option<Ranges> {
    let letters = [(0x41, 0x5A), (0x61, 0x7A)];
    Some(match name {
        "ASCII" => ranges(&[(0, 0x7F)]),
        "Alnum" => ranges(&[(0x30, 0x39), letters[0], letters[1]]),
        "Alpha" => ranges(&letters),
        "Blank" => ranges(&[(0x09, 0x09), (0x20, 0x20)]),
        "Cntrl" => ranges(&[(0, 0x1F), (0x7F, 0x7F)]),
        "Digit" => ranges(&[(0x30, 0x39)]),
        "Graph" => ranges(&[(0x21, 0x7E)]),
        "Lower" | "Upper" if context.ignore_case => ranges(&letters),
        "Lower" => ranges(&letters[1..]),
        "Upper" => ranges(&letters[..1]),
        "Print" => ranges(&[(0x20, 0x7E)]),
        "Punct" => ranges(&[(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)]),
        "Space" => ranges(&[(0x09, 0x0D), (0x20, 0x20)]),
        "XDigit" => ranges(&[(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)]),
        _ => return None,
    })
}

/// The characters for which `Character.is…` says yes.
fn character(name: &str, context: Context) -> Option<Ranges> {
    Some(match name {
        "LowerCase" | "UpperCase" | "TitleCase" if context.ignore_case => any_case(),
        "LowerCase" => own("Lowercase"),
        "UpperCase" => own("Uppercase"),
        "TitleCase" => gc("Lt"),
        "Alphabetic" => own("Alphabetic"),
        "Ideographic" => own("Ideographic"),
        "Digit" => gc("Nd"),
        "Defined" => assigned(),
        "Letter" => gc("L"),
        "LetterOrDigit" => gc("L Nd"),
        "JavaIdentifierStart" => gc("L Nl Sc Pc"),
        "JavaIdentifierPart" => gc("L Nl Sc Pc Nd Mc Mn").union(&ignorable()),
        "UnicodeIdentifierStart" => gc("L Nl").union(&own("Other_ID_Start")),
        "UnicodeIdentifierPart" => gc("L Nl Pc Nd Mc Mn")
            .union(&ignorable())
            .union(&own("Other_ID_Start"))
            .union(&own("Other_ID_Continue")),
        "IdentifierIgnorable" => ignorable(),
        "SpaceChar" => gc("Z"),
        "Whitespace" => gc("Z")
            .subtract(&Ranges::of("\u{A0}\u{2007}\u{202F}"))
            .union(&ranges(&[(0x09, 0x0D), (0x1C, 0x1F)])),
        "ISOControl" => gc("Cc"),
        "Mirrored" => own("Bidi_Mirrored"),
        _ => return None,
    })
}

/// A property of Unicode that a character has or has not.
fn binary(name: &str, context: Context) -> Option<Ranges> {
    let name = name.to_uppercase();
    Some(match name.as_str() {
        "LOWERCASE" | "UPPERCASE" | "TITLECASE" if context.ignore_case => any_case(),
        "LOWERCASE" => own("Lowercase"),
        "UPPERCASE" => own("Uppercase"),
        "TITLECASE" => gc("Lt"),
        "ALPHABETIC" => own("Alphabetic"),
        "LETTER" => gc("L"),
        "IDEOGRAPHIC" => own("Ideographic"),
        "WHITE_SPACE" | "WHITESPACE" => white_space(),
        "CONTROL" => gc("Cc"),
        "PUNCTUATION" => gc("P"),
        "HEX_DIGIT" | "HEXDIGIT" => hex_digits(),
        "ASSIGNED" => assigned(),
        "NONCHARACTER_CODE_POINT" | "NONCHARACTERCODEPOINT" => noncharacters(),
        "DIGIT" => digits(),
        "ALNUM" => own("Alphabetic").union(&gc("Nd")),
        "BLANK" => blank(),
        "GRAPH" => graph(),
        "PRINT" => print(),
        "WORD" => (*word()).clone(),
        "JOIN_CONTROL" | "JOINCONTROL" => own("Join_Control"),
        _ => return None,
    })
}

/// A POSIX class as Unicode's Annex 18 has it, with Java's `U` flag.
fn posix(name: &str, context: Context) -> Option<Ranges> {
    let name = name.to_uppercase();
    Some(match name.as_str() {
        "LOWER" | "UPPER" if context.ignore_case => any_case(),
        "LOWER" => own("Lowercase"),
        "UPPER" => own("Uppercase"),
        "ALPHA" => own("Alphabetic"),
        "SPACE" => white_space(),
        "PUNCT" => gc("P"),
        "XDIGIT" => hex_digits(),
        "ALNUM" => own("Alphabetic").union(&gc("Nd")),
        "CNTRL" => gc("Cc"),
        "DIGIT" => digits(),
        "BLANK" => blank(),
        "GRAPH" => graph(),
        "PRINT" => print(),
        _ => return None,
    })
}

fn ranges(pairs: &[(u32, u32)]) -> Ranges {
    Ranges::new(pairs.to_vec())
}

fn own(name: &str) -> Ranges {
    (*must(name)).clone()
}

/// The characters of some general categories.
fn gc(names: &str) -> Ranges {
    let sets: Vec<Arc<Ranges>> = names
        .split(' ')
        .map(|name| must(&format!("gc={name}")))
        .collect();
    Ranges::new(sets.iter().flat_map(|set| set.pairs()).copied().collect())
}

fn any_case() -> Ranges {
    own("Lowercase").union(&own("Uppercase")).union(&gc("Lt"))
}

fn surrogates() -> Ranges {
    ranges(&[(0xD800, 0xDFFF)])
}

fn assigned() -> Ranges {
    gc("L M N P S Z Cc Cf Co").union(&surrogates())
}

fn ignorable() -> Ranges {
    ranges(&[(0, 0x08), (0x0E, 0x1B), (0x7F, 0x9F)]).union(&gc("Cf"))
}

pub(super) fn digits() -> Ranges {
    gc("Nd")
}

pub(super) fn white_space() -> Ranges {
    gc("Z").union(&ranges(&[(0x09, 0x0D), (0x85, 0x85)]))
}

fn hex_digits() -> Ranges {
    gc("Nd").union(&ranges(&[
        (0x41, 0x46),
        (0x61, 0x66),
        (0xFF21, 0xFF26),
        (0xFF41, 0xFF46),
    ]))
}

fn noncharacters() -> Ranges {
    let mut pairs: Vec<(u32, u32)> = (0..=0x10)
        .map(|plane| (plane << 16 | 0xFFFE, plane << 16 | 0xFFFF))
        .collect();
    pairs.push((0xFDD0, 0xFDEF));
    Ranges::new(pairs)
}

fn blank() -> Ranges {
    gc("Zs").union(&ranges(&[(0x09, 0x09)]))
}

fn graph() -> Ranges {
    assigned().subtract(&gc("Z Cc")).subtract(&surrogates())
}

fn print() -> Ranges {
    graph().union(&blank()).subtract(&gc("Cc"))
}
