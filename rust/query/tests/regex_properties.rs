//! Which of all characters Java's classes match, as Java 17 answered (`oracles/JavaProperties.java`).

#[path = "oracles/questions.rs"]
#[allow(dead_code)]
mod questions;

use questions::flags_of;
use stepwell_query::regex::{Dialect, Regex, StepsLeft};

/// Classes, flags, and the number and checksum of the characters that match.
const PROPERTIES: &str = include_str!("oracles/java_properties.tsv");

/// All characters, and after each half of a surrogate pair one that is no half.
fn all_characters() -> Vec<u16> {
    let mut text = Vec::new();
    for point in (0..=0x10_FFFFu32).filter(|&point| is_asked(point)) {
        match char::from_u32(point) {
            Some(character) => text.extend_from_slice(character.encode_utf16(&mut [0; 2])),
            None => text.extend([point as u16, SEPARATOR]),
        }
    }
    text
}

/// Not the long ranges of private and unassigned characters, which are all alike.
fn is_asked(point: u32) -> bool {
    point < 0x3_4000 || (0xE_0000..0xE_0200).contains(&point) || point & 0xFFFF >= 0xFFF0
}

/// What stands between halves; whether it matches itself is known from its own place.
const SEPARATOR: u16 = 0x2FF;

fn is_half(unit: u16) -> bool {
    (0xD800..0xE000).contains(&unit)
}

/// The number of the characters that match, and their checksum.
fn answer(class: &str, flags: &str, text: &[u16]) -> String {
    let pattern: Vec<u16> = format!("(?:{class})+").encode_utf16().collect();
    let Ok(regex) = Regex::compile(&pattern, Dialect::Java, flags_of(flags)) else {
        return "!".to_owned();
    };
    let (mut count, mut sum, mut place) = (0u64, 0u64, 0);
    while let Ok(Some(found)) = regex.find_at(text, place, &mut StepsLeft(u64::MAX)) {
        let (start, end) = found.groups[0].expect("the whole match");
        let points = char::decode_utf16(text[start..end].iter().copied());
        let mut after_half = start > 0 && is_half(text[start - 1]);
        for point in
            points.map(|c| c.map_or_else(|half| half.unpaired_surrogate().into(), u32::from))
        {
            let is_separator = point == u32::from(SEPARATOR) && after_half;
            after_half = (0xD800..0xE000).contains(&point);
            if !is_separator {
                count += 1;
                sum = (sum * 31 + u64::from(point)) & 0xFFFF_FFFF_FFFF;
            }
        }
        place = end;
    }
    format!("{count}\t{sum}")
}

#[test]
fn a_class_matches_the_characters_that_it_matches_in_java() {
    let text = all_characters();
    let mut differ = Vec::new();
    for line in PROPERTIES.lines() {
        let parts: Vec<&str> = line.splitn(3, '\t').collect();
        let ours = answer(parts[0], parts[1], &text);
        if ours != parts[2] {
            differ.push(format!(
                "{} {}: right {}, ours {ours}",
                parts[0], parts[1], parts[2]
            ));
        }
    }
    assert!(
        differ.is_empty(),
        "{} differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
}
