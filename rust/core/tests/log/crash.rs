//! Crashes at every byte: everything that was synced is there, and otherwise only whole batches.

use proptest::prelude::*;
use stepwell_core::env::{FaultEnv, Loss, Operation};
use stepwell_core::log::LogStream;

use super::{append_numbers, cases, check_prefix, open, open_ahead, open_with, read};

/// Losses from nothing to everything that is not synced, and some mixtures.
fn losses() -> impl Iterator<Item = Loss> {
    [Loss::Nothing, Loss::Unsynced]
        .into_iter()
        .chain((0..6).map(Loss::Some))
}

/// No preallocation, a little that a batch may exceed, and enough for several batches.
const AHEAD: [u64; 3] = [0, 300, 1500];

/// Appends batches in groups until the disk crashes; returns the last durable position.
fn write_until_crash(env: &FaultEnv, segment_bytes: u64, ahead: u64, groups: &[u64]) -> u64 {
    let Ok(log) = open_ahead(env, segment_bytes, ahead) else {
        return 0;
    };
    let mut next = log.tail() + 1;
    let mut durable = log.durable();
    for group in groups {
        let appended = append_numbers(&log, next, next + group - 1);
        let Ok(synced) = appended.and_then(|_| log.sync()) else {
            break;
        };
        durable = synced;
        next += group;
    }
    durable
}

#[test]
fn every_byte_of_the_last_batches() {
    let groups = [1, 2, 3, 1, 2];
    for ahead in AHEAD {
        let whole = FaultEnv::new();
        write_until_crash(&whole, 1 << 30, ahead, &groups);
        for bytes in 0..=whole.bytes_written() {
            let env = FaultEnv::new();
            env.crash_after(bytes);
            let durable = write_until_crash(&env, 1 << 30, ahead, &groups);
            for loss in losses() {
                let log = open(&env.after_crash(loss))
                    .unwrap_or_else(|error| panic!("{ahead}, {bytes} bytes, {loss:?}: {error}"));
                assert!(check_prefix(&log) >= durable, "{ahead} {bytes} {loss:?}");
            }
        }
    }
}

#[test]
fn every_byte_around_the_beginning_of_segments() {
    let groups = [3, 2, 4, 1, 3];
    for ahead in AHEAD {
        let whole = FaultEnv::new();
        write_until_crash(&whole, 700, ahead, &groups);
        for bytes in 0..=whole.bytes_written() {
            let env = FaultEnv::new();
            env.crash_after(bytes);
            let durable = write_until_crash(&env, 700, ahead, &groups);
            for loss in losses() {
                let log = open_with(&env.after_crash(loss), 700)
                    .unwrap_or_else(|error| panic!("{ahead}, {bytes} bytes, {loss:?}: {error}"));
                assert!(check_prefix(&log) >= durable, "{ahead} {bytes} {loss:?}");
            }
        }
    }
}

#[test]
fn a_torn_tail_is_reported_and_written_over() {
    let env = FaultEnv::new();
    env.crash_after(850);
    let durable = write_until_crash(&env, 1 << 30, 200, &[1, 1, 1, 1, 1]);
    let env = env.after_crash(Loss::Nothing);
    let log = open(&env).unwrap();
    let cut = log.recovered().expect("something was cut").clone();
    assert_eq!(cut.position, durable + 1);
    assert!(cut.to_string().contains("0000000000000001.log at byte"));
    append_numbers(&log, durable + 1, durable + 4).unwrap();
    drop(log);
    let log = open(&env).unwrap();
    assert_eq!(log.recovered(), None);
    assert_eq!(check_prefix(&log), durable + 4);
}

#[test]
fn a_crash_in_recovery_leaves_recovery_to_do() {
    for bytes in (50..2500).step_by(7) {
        let env = FaultEnv::new();
        env.crash_after(bytes);
        let durable = write_until_crash(&env, 1500, bytes % 400, &[2, 1, 3, 1]);
        for loss in losses() {
            for again in [0, 1, 40, 300] {
                let env = env.after_crash(loss);
                env.crash_after(again);
                let _ = open_with(&env, 1500);
                for second in losses() {
                    let log = open_with(&env.after_crash(second), 1500).unwrap_or_else(|error| {
                        panic!("{bytes} bytes, {loss:?}, {again} bytes, {second:?}: {error}")
                    });
                    assert!(check_prefix(&log) >= durable);
                }
            }
        }
    }
}

#[test]
fn whatever_a_start_has_shown_is_there_after_the_next_crash() {
    for bytes in (50..2500).step_by(13) {
        let env = FaultEnv::new();
        env.crash_after(bytes);
        write_until_crash(&env, 1 << 30, bytes % 400, &[2, 1, 3, 1]);
        // The process ended, the bytes are in the page cache: the next start sees them...
        let env = env.after_crash(Loss::Nothing);
        let log = open(&env).unwrap();
        let shown = check_prefix(&log);
        // ... and then the power fails.
        let log = open(&env.after_crash(Loss::Unsynced)).unwrap();
        assert_eq!(check_prefix(&log), shown);
    }
}

#[test]
fn a_crash_while_segments_are_removed_leaves_no_hole() {
    for seed in 0..200 {
        let env = FaultEnv::new();
        let log = open_with(&env, 700).unwrap();
        append_numbers(&log, 1, 30).unwrap();
        log.sync().unwrap();
        // The last removal fails, so that the earlier ones may be on the disk or not.
        env.fail(Operation::SyncDir, seed % 4, libc::EIO);
        log.truncate_before(25).unwrap_err();
        let log = open_with(&env.after_crash(Loss::Some(seed)), 700).unwrap();
        let frames = read(&log, log.start()).unwrap();
        let positions: Vec<u64> = frames.iter().map(|frame| frame.first).collect();
        assert_eq!(positions, (log.start()..=30).collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_series_of_crashes(
        rounds in prop::collection::vec(
            (0u64..8000, any::<u64>(), prop::collection::vec(1u64..5, 1..6)),
            1..6,
        ),
        segment_bytes in prop_oneof![Just(600u64), Just(2000), Just(1 << 30)],
        ahead in prop_oneof![Just(0u64), 1u64..900, 900u64..9000],
    ) {
        let mut env = FaultEnv::new();
        let mut durable = 0;
        for (bytes, seed, groups) in rounds {
            env.crash_after(bytes);
            durable = durable.max(write_until_crash(&env, segment_bytes, ahead, &groups));
            let loss = match seed % 4 {
                0 => Loss::Nothing,
                1 => Loss::Unsynced,
                _ => Loss::Some(seed),
            };
            env = env.after_crash(loss);
            let kept = check_prefix(&open_with(&env, segment_bytes).unwrap());
            prop_assert!(kept >= durable);
            durable = kept;
        }
    }
}
