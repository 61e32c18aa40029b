//! Damage is found and named, and nothing damaged is served.

use stepwell_core::Error;
use stepwell_core::env::{Env, FaultEnv, Loss};
use stepwell_core::log::LogStream;

use super::{append_numbers, check_prefix, folder, open, open_with, read, segment};

/// A log of six batches, in three groups, on a disk that was left by a crash or not.
fn small_log(is_closed: bool) -> FaultEnv {
    let env = FaultEnv::new();
    let log = open(&env).unwrap();
    for (first, last) in [(1, 2), (3, 3), (4, 6)] {
        append_numbers(&log, first, last).unwrap();
        log.sync().unwrap();
    }
    if is_closed {
        log.close().unwrap();
    }
    env.after_crash(Loss::Unsynced)
}

#[test]
fn every_flipped_bit_is_refused_with_its_place() {
    for is_closed in [true, false] {
        let env = small_log(is_closed);
        let whole = env.bytes(&segment(1)).unwrap();
        for bit in 0..whole.len() * 8 {
            env.flip(&segment(1), bit);
            let refused = open(&env).err();
            let Some(Error::Corruption {
                path,
                offset,
                position,
                ..
            }) = refused
            else {
                panic!("bit {bit}: {refused:?}");
            };
            assert_eq!(path, segment(1));
            assert!(offset as usize <= bit / 8 && (1..=7).contains(&position));
            env.put(&segment(1), whole.clone());
        }
        assert_eq!(check_prefix(&open(&env).unwrap()), 6);
    }
}

#[test]
fn a_lost_sector_that_a_later_batch_knows_as_durable_is_damage() {
    let env = small_log(false);
    let mut bytes = env.bytes(&segment(1)).unwrap();
    bytes[..512].fill(0);
    env.put(&segment(1), bytes);
    let refused = open(&env).err().expect("refused").to_string();
    assert!(refused.contains("byte 0, position 1"), "{refused}");
}

#[test]
fn a_lost_end_of_a_closed_log_is_damage_where_something_follows_it() {
    let env = small_log(true);
    let whole = env.bytes(&segment(1)).unwrap();
    // All of the last group's sectors but the mark behind it.
    let mut bytes = whole.clone();
    let mark = whole.len() - 48;
    bytes[mark - 600..mark].fill(0);
    env.put(&segment(1), bytes);
    assert!(matches!(open(&env), Err(Error::Corruption { .. })));
}

#[test]
fn a_flipped_bit_in_an_earlier_segment_is_found_by_whoever_reads_it() {
    let env = FaultEnv::new();
    let log = open_with(&env, 700).unwrap();
    append_numbers(&log, 1, 12).unwrap();
    drop(log);
    let whole = env.bytes(&segment(1)).unwrap();
    for bit in 0..whole.len() * 8 {
        env.flip(&segment(1), bit);
        let log = open_with(&env, 700).unwrap();
        let found = read(&log, 1).err();
        assert!(
            matches!(&found, Some(Error::Corruption { path, .. }) if *path == segment(1)),
            "bit {bit}: {found:?}"
        );
        drop(log);
        env.put(&segment(1), whole.clone());
    }
}

#[test]
fn a_missing_segment_or_a_missing_end_is_found() {
    let env = FaultEnv::new();
    let log = open_with(&env, 700).unwrap();
    append_numbers(&log, 1, 12).unwrap();
    drop(log);
    let mut names = env.list(&folder()).unwrap();
    names.sort();
    let second = folder().join(&names[1]);
    let whole = env.bytes(&second).unwrap();
    env.put(&second, whole[..whole.len() - 1].to_vec());
    let log = open_with(&env, 700).unwrap();
    assert!(matches!(read(&log, 1), Err(Error::Corruption { path, .. }) if path == second));
    drop(log);
    env.remove(&second).unwrap();
    let log = open_with(&env, 700).unwrap();
    let found = read(&log, 1).expect_err("refused").to_string();
    assert!(found.contains("ends before its last position"), "{found}");
}

#[test]
fn a_segment_of_another_place_is_refused() {
    let env = FaultEnv::new();
    let log = open_with(&env, 700).unwrap();
    append_numbers(&log, 1, 12).unwrap();
    drop(log);
    let first = env.bytes(&segment(1)).unwrap();
    env.put(&segment(100), first);
    let refused = open_with(&env, 700).err().expect("refused").to_string();
    assert!(refused.contains("another position"), "{refused}");
}

#[test]
fn a_later_format_is_refused_as_such() {
    let env = small_log(true);
    let mut bytes = env.bytes(&segment(1)).unwrap();
    bytes[4] = 2;
    let checksum = crc32c::crc32c(&bytes[..44]);
    bytes[44..48].copy_from_slice(&checksum.to_le_bytes());
    env.put(&segment(1), bytes);
    let refused = open(&env).err();
    assert!(matches!(
        refused,
        Some(Error::Format {
            found: 2,
            known: 1,
            ..
        })
    ));
}
