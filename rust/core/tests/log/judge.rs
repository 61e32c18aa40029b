//! All readers of a damaged log stop at the same place, and none stops silently.

use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;
use stepwell_core::env::{Env, FaultEnv, Loss};
use stepwell_core::log::{FollowedLog, FollowedTail, LogStream, check_copy, repair};
use stepwell_core::{Error, Result};

use super::damage::accident;
use super::{FRAME, append_numbers, cases, folder, follower, open_with, payload, segment};

const LAST: u64 = 14;
const SEGMENT_BYTES: u64 = 700;
const HEADER: usize = FRAME as usize - 1;

/// A log of [`LAST`] batches in several segments, of a leader that was killed or that closed it.
fn log(is_closed: bool) -> FaultEnv {
    let env = FaultEnv::new();
    let log = open_with(&env, SEGMENT_BYTES).unwrap();
    for number in 1..=LAST {
        append_numbers(&log, number, number).unwrap();
        log.sync().unwrap();
    }
    if is_closed {
        log.close().unwrap();
    }
    // Dropping the log would close it.
    env.after_crash(Loss::Nothing)
}

/// A disk with the same files.
fn copy(env: &FaultEnv) -> FaultEnv {
    let there = FaultEnv::new();
    for name in env.list(&folder()).unwrap() {
        let path = folder().join(name);
        there.put(&path, env.bytes(&path).unwrap());
    }
    there
}

fn segments(env: &FaultEnv) -> Vec<u64> {
    let names = env.list(&folder()).unwrap();
    let first = |name: &String| u64::from_str_radix(name.strip_suffix(".log")?, 16).ok();
    let mut segments: Vec<u64> = names.iter().filter_map(first).collect();
    segments.sort_unstable();
    segments
}

/// What a follower gets that reads from `from`, and the error that ends it.
fn follow(env: &FaultEnv, from: u64) -> (u64, Result<()>) {
    let opened = FollowedLog::open(Arc::new(env.clone()), &folder(), &follower("b"), from);
    let mut follower = match opened {
        Ok(follower) => follower,
        Err(error) => return (from - 1, Err(error)),
    };
    let mut last = from - 1;
    loop {
        let frames = match follower.read(2000) {
            Ok(frames) if frames.is_empty() => return (last, Ok(())),
            Ok(frames) => frames,
            Err(error) => return (last, Err(error)),
        };
        // It asks again for what it has not taken.
        assert_eq!(follower.read(2000).unwrap()[..frames.len()], frames[..]);
        for frame in frames {
            assert_eq!(
                (frame.first, &frame.payload),
                (last + 1, &payload(last + 1))
            );
            last += 1;
            follower.pass(last);
        }
    }
}

fn tail(env: &FaultEnv, near: u64) -> Result<u64> {
    FollowedTail::open(Arc::new(env.clone()), &folder(), near)?.position()
}

/// The place of the damage that an error names.
fn place(error: &Error) -> Option<(PathBuf, u64)> {
    match error {
        Error::Corruption { path, position, .. } => Some((path.clone(), *position)),
        _ => None,
    }
}

/// The damage that a repair finds: it reads the log as a check does.
fn repair_findings(env: &FaultEnv) -> Vec<String> {
    repair(&copy(env), &folder(), 0, None).unwrap().damage
}

/// Everything that can be missing from a segment: its end from any byte on, any sector, a frame's header,
/// its payload, the whole frame, each also replaced by zeros.
fn losses(bytes: &[u8], first: u64) -> Vec<Vec<u8>> {
    let mut losses: Vec<Vec<u8>> = (0..bytes.len())
        .step_by(89)
        .map(|length| bytes[..length].to_vec())
        .collect();
    let mut zeroed = |range: std::ops::Range<usize>| {
        let mut lost = bytes.to_vec();
        lost[range.start..range.end.min(bytes.len())].fill(0);
        losses.push(lost);
    };
    (0..bytes.len())
        .step_by(512)
        .for_each(|at| zeroed(at..at + 512));
    // The first segment begins with a mark, which names its store.
    let (mut offset, mut number) = match first {
        1 => (FRAME as usize, 1),
        _ => (0, first),
    };
    while offset < bytes.len() {
        let length = FRAME as usize + payload(number).len();
        zeroed(offset..offset + HEADER);
        zeroed(offset + HEADER..offset + length);
        zeroed(offset..offset + length);
        zeroed(offset..bytes.len());
        (offset, number) = (offset + length, number + 1);
    }
    losses
}

#[test]
fn whatever_is_missing_before_a_successor_stops_a_follower_with_the_place() {
    for is_closed in [true, false] {
        let env = log(is_closed);
        let all = segments(&env);
        assert!(all.len() > 4);
        for pair in all.windows(2) {
            let whole = env.bytes(&segment(pair[0])).unwrap();
            for lost in losses(&whole, pair[0]) {
                env.put(&segment(pair[0]), lost);
                let (last, outcome) = follow(&env, 1);
                let error = outcome.expect_err("damage");
                let (path, position) = place(&error).expect("damage, with its place");
                assert_eq!((path, position), (segment(pair[0]), last + 1));
                assert!((pair[0]..pair[1]).contains(&position));
                assert_eq!(repair_findings(&env)[0], error.to_string());
                assert_eq!(tail(&env, 1).unwrap_err().to_string(), error.to_string());
            }
            env.put(&segment(pair[0]), whole);
        }
        assert_eq!(follow(&env, 1).0, LAST);
    }
}

#[test]
fn a_segment_that_is_missing_stops_a_follower_wherever_it_is() {
    let env = log(true);
    let all = segments(&env);
    for missing in &all[1..all.len() - 1] {
        let env = copy(&env);
        env.remove(&segment(*missing)).unwrap();
        let (last, outcome) = follow(&env, 1);
        assert_eq!(last + 1, *missing);
        let position = place(&outcome.unwrap_err()).unwrap().1;
        assert_eq!(position, *missing);
    }
    // If the first one is missing, the log looks truncated, which is not damage.
    env.remove(&segment(1)).unwrap();
    assert!(matches!(follow(&env, 1).1, Err(Error::Truncated { .. })));
}

#[test]
fn a_log_that_ends_before_what_its_follower_has_is_damaged() {
    let env = log(true);
    let all = segments(&env);
    let (kept, gone) = all.split_at(3);
    for first in gone {
        env.remove(&segment(*first)).unwrap();
    }
    assert_eq!(follow(&env, kept[2]).0, gone[0] - 1);
    for from in gone[0] + 1..=LAST + 1 {
        let (last, outcome) = follow(&env, from);
        assert_eq!(
            (last, place(&outcome.unwrap_err()).unwrap().1),
            (from - 1, gone[0])
        );
        tail(&env, from).unwrap_err();
    }
}

#[test]
fn batches_before_damage_reach_a_follower_and_what_the_log_had_is_known() {
    let env = log(false);
    let all = segments(&env);
    let whole = env.bytes(&segment(all[1])).unwrap();
    env.put(&segment(all[1]), whole[..whole.len() - 1].to_vec());
    let (last, outcome) = follow(&env, 1);
    assert_eq!(last, all[2] - 2);
    outcome.unwrap_err();
    let follower = FollowedLog::open(Arc::new(env.clone()), &folder(), &follower("b"), 1).unwrap();
    assert_eq!(follower.last_named().unwrap(), LAST);
}

#[test]
fn a_leader_that_goes_on_meanwhile_is_not_damaged() {
    // Each look of the follower finds another state: a torn frame, a whole one, a new segment.
    let whole = log(true);
    let all = segments(&whole);
    let env = FaultEnv::new();
    let beginning = whole.bytes(&segment(1)).unwrap()[..FRAME as usize].to_vec();
    env.put(&segment(1), beginning);
    let mut follower =
        FollowedLog::open(Arc::new(env.clone()), &folder(), &follower("b"), 1).unwrap();
    let mut last = 0;
    for first in all {
        let bytes = whole.bytes(&segment(first)).unwrap();
        if first > 1 {
            env.create(&segment(first)).unwrap();
        }
        let file = env.open_writable(&segment(first)).unwrap();
        for (at, piece) in bytes.chunks(97).enumerate() {
            file.write_all_at(piece, at as u64 * 97).unwrap();
            while let Some(frame) = follower.read(1).unwrap().first() {
                assert_eq!(frame.first, last + 1);
                last = frame.last();
                follower.pass(last);
            }
        }
    }
    assert_eq!(last, LAST);
}

/// Another disk, with a log of these payloads, or of others.
fn other(last: u64, shift: u64) -> FaultEnv {
    let env = FaultEnv::new();
    let log = open_with(&env, 1000).unwrap();
    for number in 1..=last {
        append_numbers_of(&log, number, shift);
    }
    log.close().unwrap();
    env
}

fn append_numbers_of(log: &dyn LogStream, number: u64, shift: u64) {
    super::append(log, &[payload(number + shift)]).unwrap();
    log.sync().unwrap();
}

/// Both logs on one disk: the copy in a folder of its own.
fn both(of: &FaultEnv, copy: &FaultEnv) -> (FaultEnv, PathBuf) {
    let both = self::copy(of);
    let there = PathBuf::from("/copy");
    for name in copy.list(&folder()).unwrap() {
        let bytes = copy.bytes(&folder().join(&name)).unwrap();
        both.put(&there.join(name), bytes);
    }
    (both, there)
}

#[test]
fn a_copy_ends_with_what_its_leader_has_there() {
    let leader = log(true);
    for last in 0..=LAST {
        let (env, there) = both(&leader, &other(last, 0));
        check_copy(&env, &folder(), &env, &there).unwrap();
        let before = env.bytes_written();
        if last > 0 {
            let (env, there) = both(&leader, &other(last, 1));
            let refused = check_copy(&env, &folder(), &env, &there)
                .unwrap_err()
                .to_string();
            assert!(refused.contains("is no copy of /log"), "{refused}");
            assert!(
                refused.contains("different records at position"),
                "{refused}"
            );
        }
        assert_eq!(env.bytes_written(), before);
    }
    let (env, there) = both(&leader, &other(LAST + 1, 0));
    let refused = check_copy(&env, &folder(), &env, &there)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("the other one ends at 14"), "{refused}");
    check_copy(&leader, &folder(), &leader, &PathBuf::from("/nowhere")).unwrap();
}

#[test]
fn a_log_that_continued_in_its_own_epoch_is_no_copy() {
    let leader = log(true);
    let copied = other(LAST, 0);
    let log = open_with(&copied, 1000).unwrap();
    log.fence(3).unwrap();
    drop(log);
    let (env, there) = both(&leader, &copied);
    let refused = check_copy(&env, &folder(), &env, &there)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("went on in epoch 3"), "{refused}");
}

#[test]
fn what_the_leader_no_longer_has_cannot_be_compared() {
    let leader = log(true);
    leader.remove(&segment(1)).unwrap();
    let (env, there) = both(&leader, &other(2, 0));
    let refused = check_copy(&env, &folder(), &env, &there);
    assert!(matches!(refused, Err(Error::Truncated { position: 3, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases().cases.div_ceil(4), ..cases() })]

    #[test]
    fn a_follower_and_a_repair_find_the_same_damage(
        accidents in prop::collection::vec(accident(), 1..3),
        which: Index,
        has: Index,
        is_closed: bool,
    ) {
        let env = log(is_closed);
        let all = segments(&env);
        let damaged = *which.get(&all);
        let mut bytes = env.bytes(&segment(damaged)).unwrap();
        accidents.into_iter().for_each(|accident| accident.happen(&mut bytes));
        env.put(&segment(damaged), bytes);
        let found = repair_findings(&env);
        let (last, outcome) = follow(&env, 1);
        match &outcome {
            Ok(()) => prop_assert!(found.is_empty(), "{:?}", found),
            Err(error) => prop_assert_eq!(&found[..1], &[error.to_string()]),
        }
        // A follower that has more than the log must get an error too, not "nothing new".
        let from = 1 + has.index(LAST as usize + 1) as u64;
        let (later, outcome) = follow(&env, from);
        if outcome.is_ok() && later < LAST {
            prop_assert!(found.is_empty() && damaged == *all.last().unwrap());
            prop_assert_eq!(later, last);
        }
    }
}
