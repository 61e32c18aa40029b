//! Preallocated zeros are the clean end of a log, and hide no loss.

use std::sync::Arc;

use stepwell_core::env::{Env, FaultEnv, Loss, Operation};
use stepwell_core::log::{Batch, FollowedLog, LogStream, Repaired, repair};
use stepwell_core::{Error, Result};

use super::{
    FRAME, append_numbers, check_prefix, folder, follower, open, open_ahead, open_with, payload,
    segment,
};

const HUGE: u64 = 1 << 30;
const SECTOR: usize = 512;
const HEADER: usize = FRAME as usize - 1;

/// The bytes before the first batch: a new log begins with a mark that names its store.
fn beginning(first: u64) -> u64 {
    if first == 1 { FRAME } else { 0 }
}

fn size(env: &FaultEnv, first: u64) -> u64 {
    env.bytes(&segment(first)).unwrap().len() as u64
}

fn follow(env: &FaultEnv) -> FollowedLog {
    FollowedLog::open(Arc::new(env.clone()), &folder(), &follower("b"), 1).unwrap()
}

/// What a new follower reads.
fn followed(env: &FaultEnv) -> Result<u64> {
    let mut follower = follow(env);
    let mut count = 0;
    loop {
        match take(&mut follower)? {
            0 => return Ok(count),
            more => count += more as u64,
        }
    }
}

/// Reads and passes the next batches; returns how many.
fn take(follower: &mut FollowedLog) -> Result<usize> {
    let frames = follower.read(usize::MAX)?;
    if let Some(last) = frames.last() {
        follower.pass(last.last());
    }
    Ok(frames.len())
}

/// A log of batches 1 to `last`, synced one by one, with preallocated zeros behind them, after a power cut.
fn left_with_zeros(last: u64, ahead: u64) -> FaultEnv {
    let env = FaultEnv::new();
    let log = open_ahead(&env, HUGE, ahead).unwrap();
    for number in 1..=last {
        append_numbers(&log, number, number).unwrap();
        log.sync().unwrap();
    }
    env.after_crash(Loss::Unsynced)
}

#[test]
fn preallocation_grows_with_the_segment_up_to_a_bound() {
    let env = FaultEnv::new();
    let log = open_ahead(&env, 5 << 20, 1 << 20).unwrap();
    assert_eq!(size(&env, 1), FRAME + (64 << 10));
    let piece = vec![7; 10_000];
    let (mut segments, mut room, mut growths) = (vec![1], 0, 0);
    while segments.len() < 3 {
        let payload: [&[u8]; 1] = [&piece];
        let batch = Batch {
            count: 1,
            payload: &payload,
        };
        let before = size(&env, *segments.last().unwrap());
        log.append(&[batch], 0, log.tail()).unwrap();
        if log.tail() > 1 && env.bytes(&segment(log.tail())).is_some() {
            segments.push(log.tail());
        }
        let newest = *segments.last().unwrap();
        let frames = (log.tail() - newest + 1) * 10_065 + beginning(newest);
        let now = size(&env, newest);
        assert!(now <= (frames + (1 << 20)).min((5 << 20) + 10_065));
        assert!(now - frames <= frames.max(64 << 10));
        room = room.max(now - frames);
        growths += usize::from(now > before);
    }
    assert_eq!(room, 1 << 20);
    assert!(growths < 60, "{growths}");
    for pair in segments.windows(2) {
        let frames = (pair[1] - pair[0]) * 10_065;
        assert_eq!(size(&env, pair[0]), frames + beginning(pair[0]));
    }
    log.close().unwrap();
    let (last, frames) = (segments[2], log.tail() - segments[2] + 1);
    assert_eq!(size(&env, last), frames * 10_065 + FRAME);
}

#[test]
fn a_sync_over_preallocated_zeros_does_not_change_the_length_of_the_file() {
    let env = FaultEnv::new();
    let log = open_ahead(&env, HUGE, 1 << 20).unwrap();
    append_numbers(&log, 1, 1).unwrap();
    let before = size(&env, 1);
    for number in 2..=50 {
        append_numbers(&log, number, number).unwrap();
        log.sync().unwrap();
    }
    assert_eq!(size(&env, 1), before);
    let none = FaultEnv::new();
    let log = open_ahead(&none, HUGE, 0).unwrap();
    append_numbers(&log, 1, 1).unwrap();
    assert_eq!(size(&none, 1), 2 * FRAME + payload(1).len() as u64);
}

#[test]
fn preallocated_zeros_are_the_clean_end_of_a_log_for_every_reader() {
    for last in 0..20 {
        let env = left_with_zeros(last, 5000);
        let length = size(&env, 1);
        let frames = (1..=last).map(|number| FRAME + payload(number).len() as u64);
        let frames = FRAME + frames.sum::<u64>();
        assert!(frames < length);
        assert_eq!(followed(&env).unwrap(), last);
        let whole = Repaired {
            last,
            ..Repaired::default()
        };
        assert_eq!(repair(&env, &folder(), 0, None).unwrap(), whole);
        assert_eq!(size(&env, 1), length);
        let log = open(&env).unwrap();
        assert_eq!(log.recovered(), None);
        assert_eq!(check_prefix(&log), last);
        assert_eq!(size(&env, 1), frames);
        append_numbers(&log, last + 1, last + 3).unwrap();
        drop(log);
        assert_eq!(check_prefix(&open(&env).unwrap()), last + 3);
    }
}

#[test]
fn preallocated_zeros_before_a_successor_hide_no_loss() {
    let env = FaultEnv::new();
    let log = open_with(&env, 700).unwrap();
    append_numbers(&log, 1, 12).unwrap();
    drop(log);
    let mut bytes = env.bytes(&segment(1)).unwrap();
    let length = bytes.len();
    bytes.resize(length + 900, 0);
    env.put(&segment(1), bytes.clone());
    assert_eq!(check_prefix(&open_with(&env, 700).unwrap()), 12);
    assert_eq!(repair(&env, &folder(), 0, None).unwrap().damage, [""; 0]);
    assert_eq!(followed(&env).unwrap(), 12);
    // The last batch of the segment is lost, and only zeros stand in its place.
    bytes[length - payload(1).len() - FRAME as usize..].fill(0);
    env.put(&segment(1), bytes);
    assert!(
        open_with(&env, 700)
            .unwrap()
            .read(1)
            .unwrap()
            .any(|frame| frame.is_err())
    );
}

/// A power cut loses any sectors of batches that were not synced.
#[test]
fn any_sectors_that_a_crash_leaves_of_a_batch_over_zeros_are_a_torn_tail() {
    let env = FaultEnv::new();
    let log = open_ahead(&env, HUGE, 20_000).unwrap();
    append_numbers(&log, 1, 3).unwrap();
    log.sync().unwrap();
    let synced = env.bytes(&segment(1)).unwrap();
    append_numbers(&log, 4, 6).unwrap();
    append_numbers(&log, 7, 12).unwrap();
    let written = env.bytes(&segment(1)).unwrap();
    let is_new = |sector: &usize| {
        let range = sector * SECTOR..written.len().min((sector + 1) * SECTOR);
        written[range.clone()] != synced[range]
    };
    let sectors: Vec<_> = (0..written.len().div_ceil(SECTOR)).filter(is_new).collect();
    assert!((5..10).contains(&sectors.len()), "{sectors:?}");
    let mut holes = 0;
    for kept in 0_u32..1 << sectors.len() {
        let mut bytes = synced.clone();
        for (bit, sector) in sectors.iter().enumerate() {
            let range = sector * SECTOR..written.len().min((sector + 1) * SECTOR);
            if kept & (1 << bit) != 0 {
                bytes[range.clone()].copy_from_slice(&written[range]);
            }
        }
        let env = FaultEnv::new();
        env.put(&segment(1), bytes.clone());
        let last = followed(&env).unwrap();
        assert!((3..=12).contains(&last));
        let log = open(&env).unwrap();
        assert_eq!(check_prefix(&log), last);
        let torn = log.recovered().map(|cut| cut.position);
        assert!(torn.is_none_or(|position| position == last + 1));
        assert_eq!(torn.is_some(), bytes != synced && last < 12);
        holes += usize::from(torn.is_some());
    }
    assert!(holes > 10, "{holes}");
}

#[test]
fn a_batch_that_is_lost_from_between_others_is_damage() {
    let env = left_with_zeros(8, 20_000);
    let whole = env.bytes(&segment(1)).unwrap();
    let mut offset = FRAME as usize;
    for number in 1..=7 {
        let end = offset + FRAME as usize + payload(number).len();
        for lost in [offset..offset + HEADER, offset..end, offset + HEADER..end] {
            let mut bytes = whole.clone();
            bytes[lost].fill(0);
            env.put(&segment(1), bytes);
            let is_damage = |found: Option<Error>| matches!(found, Some(Error::Corruption { position, .. }) if position == number);
            assert!(is_damage(open(&env).err()), "{number}");
            assert!(is_damage(followed(&env).err()), "{number}");
        }
        offset = end;
    }
    env.put(&segment(1), whole);
    assert_eq!(check_prefix(&open(&env).unwrap()), 8);
}

#[test]
fn a_follower_that_waits_does_not_read_the_zeros_again() {
    let env = FaultEnv::new();
    let log = open_ahead(&env, HUGE, 1 << 20).unwrap();
    let piece = vec![7; 2 << 20];
    let payload: [&[u8]; 1] = [&piece];
    let batch = Batch {
        count: 1,
        payload: &payload,
    };
    log.append(&[batch], 0, 0).unwrap();
    log.sync().unwrap();
    let mut follower = follow(&env);
    assert_eq!(take(&mut follower).unwrap(), 1);
    let read_by = |follower: &mut FollowedLog, expected: usize| {
        let before = env.bytes_read();
        assert_eq!(take(follower).unwrap(), expected);
        env.bytes_read() - before
    };
    for _ in 0..10 {
        assert!(read_by(&mut follower, 0) <= 4096);
        append_numbers(&log, log.tail() + 1, log.tail() + 1).unwrap();
        log.sync().unwrap();
        assert!(read_by(&mut follower, 1) <= 3 * 4096);
    }
}

#[test]
fn a_follower_reads_again_what_it_read_ahead_of_the_leader() {
    let env = FaultEnv::new();
    let log = open_ahead(&env, HUGE, 20_000).unwrap();
    append_numbers(&log, 1, 1).unwrap();
    log.sync().unwrap();
    let mut follower = follow(&env);
    assert_eq!(take(&mut follower).unwrap(), 1);
    assert_eq!(take(&mut follower).unwrap(), 0);
    for number in 2..=9 {
        append_numbers(&log, number, number).unwrap();
        log.sync().unwrap();
        // It stops before it reads the zeros behind this batch.
        assert_eq!(follower.read(1).unwrap()[0].first, number);
        follower.pass(number);
    }
}

/// A log whose third batch is lost under the open file of a follower, which has read the first two and knows
/// `ahead` preallocated zeros behind them.
fn lost_under_a_follower(ahead: u64) -> FollowedLog {
    let env = FaultEnv::new();
    let log = open_ahead(&env, HUGE, ahead).unwrap();
    append_numbers(&log, 1, 2).unwrap();
    log.sync().unwrap();
    let mut follower = follow(&env);
    assert_eq!(take(&mut follower).unwrap(), 2);
    let known = env.bytes(&segment(1)).unwrap();
    for number in 3..=6 {
        append_numbers(&log, number, number).unwrap();
        log.sync().unwrap();
    }
    let offset = known.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1;
    let file = env.open_writable(&segment(1)).unwrap();
    file.write_all_at(&vec![0; FRAME as usize + payload(3).len()], offset)
        .unwrap();
    follower
}

#[test]
fn a_follower_finds_a_loss_in_front_of_batches_behind_known_zeros() {
    let found = take(&mut lost_under_a_follower(300)).err();
    assert!(
        matches!(found, Some(Error::Corruption { position: 3, .. })),
        "{found:?}"
    );
}

#[test]
fn a_follower_that_takes_over_finds_a_loss_in_known_zeros() {
    let mut follower = lost_under_a_follower(20_000);
    follower.fence(1).unwrap();
    let found = take(&mut follower).err();
    assert!(
        matches!(found, Some(Error::Corruption { position: 3, .. })),
        "{found:?}"
    );
}

#[test]
fn a_full_disk_takes_as_many_batches_with_preallocation_as_without() {
    let written = |ahead, space| {
        let env = FaultEnv::new();
        env.limit_space(FRAME + space);
        let log = open_ahead(&env, 3000, ahead).unwrap();
        let mut last = 0;
        while append_numbers(&log, last + 1, last + 1)
            .and_then(|_| log.sync())
            .is_ok()
        {
            last += 1;
        }
        assert!(log.poisoned().is_some());
        drop(log);
        let log = open(&env.after_crash(Loss::Unsynced)).unwrap();
        assert_eq!(check_prefix(&log), last);
        last
    };
    for space in (0..9000).step_by(61) {
        assert_eq!(written(1 << 20, space), written(0, space), "{space}");
    }
}

#[test]
fn a_full_disk_is_asked_for_preallocation_once_a_segment() {
    for errno in [libc::ENOSPC, libc::EDQUOT, libc::EFBIG] {
        let env = FaultEnv::new();
        env.fail(Operation::Write, 1, errno);
        let log = open_ahead(&env, 20_000, 500).unwrap();
        let mut bytes = FRAME;
        for number in 1..=20 {
            append_numbers(&log, number, number).unwrap();
            log.sync().unwrap();
            bytes += FRAME + payload(number).len() as u64;
            assert_eq!(size(&env, 1), bytes);
        }
        append_numbers(&log, 21, 80).unwrap();
        assert!(env.bytes(&segment(1)).unwrap().len() >= 20_000);
        append_numbers(&log, 81, 81).unwrap();
        log.close().unwrap();
        assert_eq!(check_prefix(&log), 81);
    }
}

#[test]
fn any_other_error_ahead_of_the_frames_poisons_the_log() {
    for (operation, errno) in [
        (Operation::Write, libc::EIO),
        (Operation::SetLen, libc::EIO),
    ] {
        let env = FaultEnv::new();
        let log = open_with(&env, 20_000).unwrap();
        append_numbers(&log, 1, 1).unwrap();
        log.sync().unwrap();
        if operation == Operation::SetLen {
            env.fail(operation, 0, errno);
            log.close().unwrap_err();
        } else {
            env.fail(operation, 1, errno);
            append_numbers(&log, 2, 6).unwrap_err();
        }
        assert!(log.poisoned().is_some());
        let env = env.after_crash(Loss::Unsynced);
        assert_eq!(check_prefix(&open(&env).unwrap()), 1);
    }
}
