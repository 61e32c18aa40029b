//! Before each file operation of a leader, a follower takes over or the power fails.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use stepwell_core::env::{Env, FaultEnv, Loss};
use stepwell_core::log::{
    FileLogStream, FollowedLog, FollowedTail, Frame, LogOptions, LogStream, Recovered,
};
use stepwell_core::{Error, Result};

use super::interrupted::{Interrupted, Interruption};
use super::{
    FRAME, append_numbers, check_prefix, folder, follower, open_with, payload, read, segment,
};

const SEGMENT_BYTES: u64 = 1500;
const GROUPS: u64 = 8;
const EVERYTHING: usize = 1 << 30;

/// Opens a log and appends groups of batches, some of them cut short, until an operation fails; returns
/// the last confirmed position.
fn lead(disk: &Interrupted) -> (u64, Result<()>) {
    let mut confirmed = 0;
    let mut run = || -> Result<()> {
        let options = LogOptions {
            segment_bytes: SEGMENT_BYTES,
            ..LogOptions::default()
        };
        let log = FileLogStream::open(Arc::new(disk.clone()), &folder(), options)?;
        for group in 0..GROUPS {
            let first = log.tail() + 1;
            append_numbers(&log, first, first + group % 3)?;
            confirmed = log.sync()?;
        }
        log.truncate_before(confirmed)?;
        log.close()
    };
    let outcome = run();
    (confirmed, outcome)
}

fn follow(env: &FaultEnv, by: &str, from: u64) -> Result<FollowedLog> {
    let followed = FollowedLog::open(Arc::new(env.clone()), &folder(), &follower(by), from)?;
    followed.mark(from - 1)?;
    Ok(followed)
}

fn read_all(log: &mut FollowedLog) -> Vec<Arc<Frame>> {
    let mut frames: Vec<Arc<Frame>> = Vec::new();
    loop {
        let more = log.read(EVERYTHING).expect("the log can be read");
        let Some(last) = more.last() else {
            return frames;
        };
        log.pass(last.last());
        frames.extend(more);
    }
}

fn check(frames: &[Arc<Frame>]) -> u64 {
    for (index, frame) in frames.iter().enumerate() {
        let number = index as u64 + 1;
        assert_eq!((frame.first, frame.count), (number, 1));
        assert_eq!(frame.payload, payload(number));
    }
    frames.len() as u64
}

/// Disks on which `interruption` runs before a leader's first operation, its second one, …
fn before_every_operation(
    mut trial: impl FnMut(&FaultEnv, &dyn Fn(Interruption) -> Interrupted) -> bool,
) -> usize {
    for after in 0.. {
        let env = FaultEnv::new();
        env.limit_writes(300);
        if trial(&env, &|interruption| {
            Interrupted::new(&env, after, interruption)
        }) {
            return after;
        }
    }
    unreachable!()
}

#[test]
fn whatever_a_leader_confirmed_the_follower_that_took_over_has() {
    let operations = before_every_operation(|env, interrupted| {
        open_with(env, SEGMENT_BYTES).unwrap().close().unwrap();
        follow(env, "b", 1).unwrap(); // its mark keeps the log whole
        let taken = Arc::new(Mutex::new(0));
        let (there, found) = (env.clone(), taken.clone());
        let disk = interrupted(Box::new(move || {
            let mut follower = follow(&there, "b", 1).unwrap();
            assert_eq!(follower.fence(3).unwrap().path, Path::new("b"));
            *found.lock() = check(&read_all(&mut follower));
        }));
        let (confirmed, outcome) = lead(&disk);
        if !disk.is_over() {
            outcome.unwrap();
            return true;
        }
        assert!(*taken.lock() >= confirmed, "{} < {confirmed}", taken.lock());
        match outcome {
            Err(Error::Superseded { epoch, by, .. }) => assert_eq!((epoch, &by[..]), (3, "b")),
            // The leader had nothing left to confirm.
            Ok(()) => assert_eq!(confirmed, *taken.lock()),
            Err(other) => panic!("{other}"),
        }
        let again = open_with(env, SEGMENT_BYTES).err();
        assert!(matches!(again, Some(Error::Superseded { .. })), "{again:?}");
        false
    });
    assert!(operations > 60, "{operations}");
}

#[test]
fn a_leader_that_does_not_look_after_its_sync_confirms_what_is_lost() {
    let mut lost = 0;
    before_every_operation(|env, interrupted| {
        open_with(env, SEGMENT_BYTES).unwrap().close().unwrap();
        follow(env, "b", 1).unwrap();
        let taken = Arc::new(Mutex::new(0));
        let (there, found) = (env.clone(), taken.clone());
        let mut disk = interrupted(Box::new(move || {
            let mut follower = follow(&there, "b", 1).unwrap();
            follower.fence(3).unwrap();
            *found.lock() = check(&read_all(&mut follower));
        }));
        disk.is_blind = true;
        let (confirmed, _) = lead(&disk);
        lost += u64::from(disk.is_over() && *taken.lock() < confirmed);
        !disk.is_over()
    });
    assert!(lost > 0);
}

#[test]
fn what_a_follower_has_its_leader_keeps_through_a_power_cut() {
    before_every_operation(|env, interrupted| {
        open_with(env, SEGMENT_BYTES).unwrap().close().unwrap();
        follow(env, "b", 1).unwrap(); // its mark keeps the log whole
        let after = Arc::new(Mutex::new(None));
        let (there, found) = (env.clone(), after.clone());
        let disk = interrupted(Box::new(move || {
            let mut follower = follow(&there, "b", 1).unwrap();
            let seen = check(&read_all(&mut follower));
            *found.lock() = Some((seen, there.after_crash(Loss::Unsynced)));
        }));
        let (confirmed, _) = lead(&disk);
        let Some((seen, env)) = after.lock().take() else {
            return true;
        };
        let log = open_with(&env, SEGMENT_BYTES).unwrap();
        let kept = check_prefix(&log);
        assert!(
            kept >= seen && seen >= confirmed,
            "{kept}, {seen}, {confirmed}"
        );
        false
    });
}

#[test]
fn a_follower_reads_as_the_leader_writes_over_segments_and_restarts() {
    let env = FaultEnv::new();
    env.limit_writes(100);
    let mut log = open_with(&env, SEGMENT_BYTES).unwrap();
    let mut follower = follow(&env, "b", 1).unwrap();
    let mut tail = FollowedTail::open(Arc::new(env.clone()), &folder(), 1).unwrap();
    let mut frames = Vec::new();
    for number in 1..=60 {
        append_numbers(&log, number, number).unwrap();
        assert_eq!(tail.position().unwrap(), number);
        if number % 3 == 0 {
            log.sync().unwrap();
        }
        if number % 5 == 0 {
            frames.extend(read_all(&mut follower));
            assert_eq!(check(&frames), number);
            follower.mark(number).unwrap();
        }
        if number % 20 == 0 {
            drop(log);
            log = open_with(&env, SEGMENT_BYTES).unwrap();
            assert!(log.recovered().is_none_or(|cut: &Recovered| cut.bytes == 0));
            log.truncate_before(u64::MAX).unwrap();
        }
    }
    assert!(log.start() > 40);
    log.fence(4).unwrap();
    assert_eq!((read_all(&mut follower).len(), follower.epoch()), (0, 4));
}

#[test]
fn the_log_is_kept_for_followers_up_to_a_bound() {
    let env = FaultEnv::new();
    let log = open_with(&env, 1000).unwrap();
    append_numbers(&log, 1, 10).unwrap();
    log.sync().unwrap();
    let mut slow = follow(&env, "slow", 1).unwrap();
    let fast = follow(&env, "fast", 8).unwrap();
    fast.mark(10).unwrap();
    assert_eq!(log.truncate_before(u64::MAX).unwrap(), 1);
    let read = slow.read(EVERYTHING).unwrap();
    let last = read.last().unwrap().last();
    slow.pass(last);
    slow.mark(last).unwrap();
    let start = log.truncate_before(u64::MAX).unwrap();
    assert!(start > 1 && start <= 11);
    append_numbers(&log, 11, 200).unwrap();
    log.sync().unwrap();
    // A follower keeps at most sixteen segments.
    assert!(log.truncate_before(u64::MAX).unwrap() > 100);
    let overtaken = loop {
        match slow.read(EVERYTHING) {
            Ok(frames) => slow.pass(frames.last().expect("more, or an error").last()),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(overtaken, Error::Truncated { .. }),
        "{overtaken:?}"
    );
    let late = follow(&env, "late", 20).err();
    assert!(matches!(late, Some(Error::Truncated { position: 20, .. })));
    slow.forget().unwrap();
    fast.forget().unwrap();
    let names = env.list(&folder()).unwrap();
    assert!(
        !names.iter().any(|name| name.ends_with(".follower")),
        "{names:?}"
    );
}

#[test]
fn the_end_of_a_log_is_found_though_it_was_cut_since_the_last_look() {
    let env = FaultEnv::new();
    let log = open_with(&env, 1000).unwrap();
    append_numbers(&log, 1, 3).unwrap();
    let mut tail = FollowedTail::open(Arc::new(env.clone()), &folder(), 1).unwrap();
    for last in [100, 101, 300] {
        append_numbers(&log, log.tail() + 1, last).unwrap();
        log.sync().unwrap();
        log.truncate_before(u64::MAX).unwrap();
        assert_eq!(tail.position().unwrap(), last);
    }
}

#[test]
fn of_two_followers_one_takes_over() {
    let env = FaultEnv::new();
    let log = open_with(&env, 1000).unwrap();
    append_numbers(&log, 1, 3).unwrap();
    log.sync().unwrap();
    let mut one = follow(&env, "one", 1).unwrap();
    let mut other = follow(&env, "other", 1).unwrap();
    assert_eq!(
        (other.read(EVERYTHING).unwrap().len(), other.epoch()),
        (3, 0)
    );
    let fence = one.fence(1).unwrap();
    assert_eq!(other.fence(1).unwrap(), fence);
    assert_eq!(one.fence(2).unwrap(), fence);
    assert_eq!(one.read(EVERYTHING).unwrap().len(), 3);
    let superseded = other.read(EVERYTHING).err();
    assert!(matches!(
        superseded,
        Some(Error::Superseded { epoch: 1, .. })
    ));
    let late = append_numbers(&log, 4, 4).err();
    assert!(matches!(late, Some(Error::Superseded { .. })), "{late:?}");
    assert!(log.poisoned().is_none());
    assert!(matches!(log.sync(), Err(Error::Superseded { .. })));
    assert_eq!((log.tail(), read(&log, 1).unwrap().len()), (3, 3));
}

#[test]
fn a_follower_reports_damage_and_waits_for_a_torn_tail() {
    let env = FaultEnv::new();
    let log = open_with(&env, 1 << 30).unwrap();
    append_numbers(&log, 1, 5).unwrap();
    log.sync().unwrap();
    drop(log);
    let whole = env.bytes(&segment(1)).unwrap();
    for length in 0..whole.len() {
        env.put(&segment(1), whole[..length].to_vec());
        if length < FRAME as usize - 1 {
            // No frame names its store.
            assert!(matches!(follow(&env, "b", 1), Err(Error::Io { .. })));
            continue;
        }
        check(&read_all(&mut follow(&env, "b", 1).unwrap()));
    }
    for byte in (0..whole.len()).step_by(37) {
        let mut bytes = whole.clone();
        bytes[byte] ^= 4;
        env.put(&segment(1), bytes);
        let found: Result<()> = follow(&env, "b", 1).and_then(|mut log| {
            loop {
                let frames = log.read(EVERYTHING)?;
                log.pass(frames.last().expect("more, or an error").last());
            }
        });
        let found = found.unwrap_err();
        assert!(
            matches!(found, Error::Corruption { .. }),
            "{byte}: {found:?}"
        );
    }
}
