//! Failing disks: nothing confirmed is lost, and a poisoned log stays poisoned.

use stepwell_core::env::{FaultEnv, Loss, Operation};
use stepwell_core::log::LogStream;
use stepwell_core::{Error, Result};

use super::{FRAME, append_numbers, check_prefix, open, open_with};

fn assert_poisoned(log: &dyn LogStream) {
    assert!(log.poisoned().is_some());
    let append = append_numbers(log, 1, 1);
    assert!(matches!(append, Err(Error::Poisoned { .. })), "{append:?}");
    let sync = log.sync();
    assert!(matches!(sync, Err(Error::Poisoned { .. })), "{sync:?}");
}

#[test]
fn a_failed_sync_poisons_the_log_and_confirms_nothing() {
    let env = FaultEnv::new();
    let log = open(&env).unwrap();
    append_numbers(&log, 1, 3).unwrap();
    log.sync().unwrap();
    env.fail(Operation::Sync, 0, libc::EIO);
    append_numbers(&log, 4, 5).unwrap();
    assert!(matches!(log.sync(), Err(Error::Io { action: "sync", .. })));
    assert_poisoned(&log);
    assert_eq!(log.durable(), 3);
    assert_eq!(check_prefix(&log), 3);
}

#[test]
fn what_a_failed_sync_left_in_the_page_cache_is_made_durable_before_it_is_shown() {
    let env = FaultEnv::new();
    let log = open(&env).unwrap();
    append_numbers(&log, 1, 30).unwrap();
    env.fail(Operation::Sync, 0, libc::EIO);
    log.sync().unwrap_err();
    let env = env.after_crash(Loss::Nothing);
    let log = open(&env).unwrap();
    assert_eq!(check_prefix(&log), 30);
    let log = open(&env.after_crash(Loss::Unsynced)).unwrap();
    assert_eq!(check_prefix(&log), 30);
}

#[test]
fn a_full_disk_poisons_the_log_and_the_next_start_goes_on() {
    for space in FRAME..1500 {
        let env = FaultEnv::new();
        env.limit_space(space);
        let log = open(&env).unwrap();
        let mut durable = 0;
        let mut next = 1;
        loop {
            match append_numbers(&log, next, next).and_then(|_| log.sync()) {
                Ok(position) => durable = position,
                Err(Error::Io { source, .. }) => {
                    assert_eq!(source.raw_os_error(), Some(libc::ENOSPC));
                    break;
                }
                Err(error) => panic!("{error}"),
            }
            next += 1;
        }
        assert_poisoned(&log);
        drop(log);
        let env = env.after_crash(Loss::Nothing);
        let log = open(&env).unwrap();
        assert_eq!(check_prefix(&log), durable);
        append_numbers(&log, durable + 1, durable + 2).unwrap();
        log.sync().unwrap();
        assert_eq!(check_prefix(&log), durable + 2);
    }
}

#[test]
fn short_writes_are_carried_on() {
    let env = FaultEnv::new();
    env.limit_writes(5);
    let log = open(&env).unwrap();
    append_numbers(&log, 1, 5).unwrap();
    log.sync().unwrap();
    assert_eq!(check_prefix(&log), 5);
}

/// Uses every operation of a log; `confirmed` gets the last confirmed position.
fn live(env: &FaultEnv, confirmed: &mut u64) -> Result<()> {
    for round in 0..3 {
        let log = open_with(env, 900)?;
        *confirmed = (*confirmed).max(log.durable());
        for _ in 0..4 {
            append_numbers(&log, log.tail() + 1, log.tail() + 2)?;
            *confirmed = log.sync()?;
        }
        if round > 0 {
            check_prefix_from_start(&log)?;
        }
        log.close()?;
    }
    Ok(())
}

fn check_prefix_from_start(log: &dyn LogStream) -> Result<()> {
    for frame in log.read(log.start())? {
        frame?;
    }
    Ok(())
}

#[test]
fn an_error_of_any_call_loses_nothing_confirmed() {
    use Operation::{Create, List, Open, Read, SetLen, Sync, SyncDir, Write};
    let mut failures = 0;
    for operation in [Create, List, Open, Read, SetLen, Sync, SyncDir, Write] {
        for successes in 0..60 {
            for errno in [libc::EIO, libc::ENOSPC] {
                let env = FaultEnv::new();
                env.fail(operation, successes, errno);
                let mut confirmed = 0;
                failures += usize::from(live(&env, &mut confirmed).is_err());
                for loss in [Loss::Nothing, Loss::Unsynced, Loss::Some(successes)] {
                    let log = open_with(&env.after_crash(loss), 900).unwrap();
                    assert!(check_prefix(&log) >= confirmed);
                }
            }
        }
    }
    assert!(failures > 100, "{failures}");
}
