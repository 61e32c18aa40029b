//! Questions that V8 and java.util.regex answered: our answers are the same.
//!
//! `examples/regex_differential` made the questions up and asks the oracles again; see there.

#[path = "oracles/questions.rs"]
mod questions;

use questions::{answer_of, escape, flags_of};
use stepwell_query::regex::{Dialect, Regex, StepsLeft};

const ECMASCRIPT: &str = include_str!("oracles/ecmascript.tsv");
const JAVA: &str = include_str!("oracles/java.tsv");

fn check(lines: &str, dialect: Dialect) {
    let questions = questions::read(lines);
    assert!(questions.len() >= 1_000);
    let differ: Vec<String> = questions
        .iter()
        .filter_map(|(question, right)| {
            let ours = answer_of(question, dialect);
            (ours != *right)
                .then(|| format!("{}\n  right {right}\n  ours  {ours}", question.line()))
        })
        .collect();
    assert!(
        differ.is_empty(),
        "{} differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
}

#[test]
fn ecmascript_answers_as_v8_does() {
    check(ECMASCRIPT, Dialect::EcmaScript);
}

#[test]
fn java_answers_as_java_util_regex_does() {
    check(JAVA, Dialect::Java);
}

/// How many steps a search takes.
fn steps_of(pattern: &str, text: &str, dialect: Dialect, budget: u64) -> (bool, u64) {
    let pattern: Vec<u16> = pattern.encode_utf16().collect();
    let text: Vec<u16> = text.encode_utf16().collect();
    let regex = Regex::compile(&pattern, dialect, flags_of("")).expect("the pattern compiles");
    let mut left = StepsLeft(budget);
    let is_done = regex.find_at(&text, 0, &mut left).is_ok();
    (is_done, budget - left.0)
}

#[test]
fn a_pattern_that_takes_exponential_time_ends_by_the_budget_at_the_same_step() {
    for dialect in [Dialect::EcmaScript, Dialect::Java] {
        for pattern in [
            "^(a+)+$",
            "^(a|a)*$",
            "^(a|aa)+$",
            "(.*a){12}$",
            "^(?:(?:a*)*)*$",
        ] {
            let text = "a".repeat(40) + "b";
            let first = steps_of(pattern, &text, dialect, 300_000);
            assert!(!first.0, "{pattern} ended");
            assert_eq!(first, steps_of(pattern, &text, dialect, 300_000));
        }
    }
}

#[test]
fn a_budget_of_exactly_the_steps_that_a_search_takes_is_enough() {
    for dialect in [Dialect::EcmaScript, Dialect::Java] {
        let text = "abcabcabd".repeat(100);
        let (is_done, steps) = steps_of("(?:abc)+(a|b)*?d{2}", &text, dialect, u64::MAX);
        assert!(is_done);
        assert!(steps_of("(?:abc)+(a|b)*?d{2}", &text, dialect, steps).0);
        assert!(!steps_of("(?:abc)+(a|b)*?d{2}", &text, dialect, steps - 1).0);
    }
}

#[test]
fn no_pattern_and_no_text_panics_or_needs_other_steps_the_second_time() {
    let mut seed = 7u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as usize
    };
    let signs: Vec<u16> = "ab01()[]{}|*+?\\^$.-&,<>=!:kKnbBpPQEdwxuUcRXGZé\n#"
        .encode_utf16()
        .chain([0xD83D, 0xDE00])
        .collect();
    for round in 0..40_000 {
        let mut some = |most: usize| -> Vec<u16> {
            (0..random() % most)
                .map(|_| signs[random() % signs.len()])
                .collect()
        };
        let (pattern, text) = (some(24), some(12));
        let flags = ["", "i", "m", "x", "iu", "U"][round % 6];
        for dialect in [Dialect::EcmaScript, Dialect::Java] {
            let Ok(regex) = Regex::compile(&pattern, dialect, flags_of(flags)) else {
                continue;
            };
            let run = || {
                let mut budget = StepsLeft(20_000);
                let found = regex.find_at(&text, 0, &mut budget);
                (found, regex.matches_whole(&text, &mut budget), budget.0)
            };
            assert_eq!(run(), run(), "{}", escape(&pattern));
        }
    }
}

#[test]
fn what_is_nested_deeply_is_refused_and_does_not_overflow_the_stack() {
    let nested = |open: &str, close: &str| -> Vec<u16> {
        (open.repeat(100_000) + &close.repeat(100_000))
            .encode_utf16()
            .collect()
    };
    for (open, close) in [("(", ")"), ("(?:", ")"), ("(?=", ")"), ("(?<=", ")")] {
        for dialect in [Dialect::EcmaScript, Dialect::Java] {
            assert!(Regex::compile(&nested(open, close), dialect, flags_of("")).is_err());
        }
    }
    for (open, close) in [("[", "]"), ("[a&&", "]"), ("a&&", ""), ("[^[", "]]")] {
        let mut pattern = vec![u16::from(b'[')];
        pattern.extend(nested(open, close));
        assert!(Regex::compile(&pattern, Dialect::Java, flags_of("")).is_err());
    }
}
