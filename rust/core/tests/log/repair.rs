//! A repaired log can be opened, and loses no more than it must.

use stepwell_core::Error;
use stepwell_core::env::{Env, FaultEnv};
use stepwell_core::log::{LogStream, Repaired, repair};

use super::{FRAME, append_numbers, folder, open_with, payload, read, segment};

/// Ten batches in several segments.
fn log() -> FaultEnv {
    let env = FaultEnv::new();
    let log = open_with(&env, 700).unwrap();
    for number in 1..=10 {
        append_numbers(&log, number, number).unwrap();
        log.sync().unwrap();
    }
    env
}

/// The positions that segments begin with.
fn segments(env: &FaultEnv) -> Vec<u64> {
    let mut names = env.list(&folder()).unwrap();
    names.retain(|name| name.ends_with(".log"));
    let mut segments: Vec<_> = names
        .iter()
        .map(|name| u64::from_str_radix(&name[..16], 16).unwrap())
        .collect();
    segments.sort_unstable();
    segments
}

/// Opens a repaired log, checks that it holds `first..=last`, and appends to it.
fn check(env: &FaultEnv, first: u64, last: u64) {
    let log = open_with(env, 700).unwrap();
    assert_eq!((log.start(), log.tail()), (first, last));
    for (frame, number) in read(&log, first).unwrap().iter().zip(first..) {
        assert_eq!((frame.first, &frame.payload), (number, &payload(number)));
    }
    append_numbers(&log, last + 1, last + 1).unwrap();
    log.sync().unwrap();
}

#[test]
fn a_whole_log_stays_as_it_is() {
    let env = log();
    let expected = Repaired {
        last: 10,
        ..Repaired::default()
    };
    assert_eq!(repair(&env, &folder(), 0, None).unwrap(), expected);
    check(&env, 1, 10);
}

#[test]
fn a_log_is_cut_off_where_damage_begins() {
    let env = log();
    let whole = env.bytes(&segment(1)).unwrap();
    let second = 2 * FRAME as usize + payload(1).len();
    env.flip(&segment(1), 8 * second + 300);
    assert!(open_with(&env, 700).is_err() || segments(&env).len() > 1);
    let repaired = repair(&env, &folder(), 0, None).unwrap();
    assert_eq!((repaired.last, repaired.lost_from), (1, Some(2)));
    assert!(repaired.damage[0].contains("position 2"), "{repaired:?}");
    let mut copy = env
        .bytes(&folder().join("0000000000000001.damaged"))
        .unwrap();
    copy[second + 300 / 8] ^= 1 << (300 % 8);
    assert_eq!(copy, whole);
    check(&env, 1, 1);
}

#[test]
fn damage_before_what_storage_holds_costs_nothing() {
    let env = log();
    let second = segments(&env)[1];
    env.flip(&segment(1), 500);
    let repaired = repair(&env, &folder(), second, None).unwrap();
    assert_eq!((repaired.last, repaired.lost_from), (10, None));
    check(&env, second, 10);
}

#[test]
fn a_log_that_ends_before_storage_is_replaced_by_an_empty_one() {
    let env = log();
    let first = segments(&env)[0];
    env.flip(&segment(first), 8 * 50);
    for later in &segments(&env)[1..] {
        env.remove(&segment(*later)).unwrap();
    }
    let repaired = repair(&env, &folder(), 10, None).unwrap();
    assert_eq!((repaired.last, repaired.lost_from), (10, None));
    assert_eq!(segments(&env), [11]);
    check(&env, 11, 10);
}

#[test]
fn a_missing_segment_is_where_the_log_ends() {
    let env = log();
    let missing = segments(&env)[1];
    env.remove(&segment(missing)).unwrap();
    let repaired = repair(&env, &folder(), 0, None).unwrap();
    assert_eq!(
        (repaired.last, repaired.lost_from),
        (missing - 1, Some(missing))
    );
    check(&env, 1, missing - 1);
}

#[test]
fn every_flipped_bit_is_repaired() {
    let env = log();
    let whole: Vec<_> = segments(&env)
        .into_iter()
        .map(|first| (first, env.bytes(&segment(first)).unwrap()))
        .collect();
    for (damaged, bytes) in &whole {
        for bit in (0..bytes.len() * 8).step_by(11) {
            for applied in [0, 4, 10] {
                let env = FaultEnv::new();
                for (first, bytes) in &whole {
                    env.put(&segment(*first), bytes.clone());
                }
                env.flip(&segment(*damaged), bit);
                let repaired = repair(&env, &folder(), applied, None).unwrap();
                assert!(repaired.last >= applied && repaired.damage.len() == 1);
                assert!(repaired.lost_from.is_none_or(|lost| lost > applied));
                let first = segments(&env)[0];
                check(&env, first, repaired.last);
            }
        }
    }
}

#[test]
fn a_log_that_is_open_is_left_alone() {
    let env = FaultEnv::new();
    let _log = open_with(&env, 700).unwrap();
    let refused = repair(&env, &folder(), 0, None);
    assert!(matches!(refused, Err(Error::Locked { .. })));
}
