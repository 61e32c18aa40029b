//! Before each file operation of a reader, the leader continues and truncates its log.
//!
//! A listed segment may then be missing. That is not an error, and not the end of the log.

use std::sync::Arc;

use stepwell_core::env::{Env, FaultEnv};
use stepwell_core::identity::StoreId;
use stepwell_core::log::{
    FileLogStream, FollowedLog, FollowedTail, LogStream, check_copy, copy, dump, end, stores,
    verify,
};
use stepwell_core::record::{Document, Record, Turn};
use stepwell_core::{Error, Result};

use super::interrupted::Interrupted;
use super::{STORE, folder, follower, open_with};

const SEGMENT_BYTES: u64 = 700;
/// The readers have the log up to this position before the leader continues.
const KNOWN: u64 = 30;
/// How many records the log has at the end.
const ALL: u64 = 60;

/// Appends batches of one record each, up to position `last`.
fn append(log: &FileLogStream, last: u64) {
    while log.tail() < last {
        let mut payload = Vec::new();
        let record = Record::StartBranch {
            branch_id: "b",
            index: log.tail(),
            input: Document::Text(br#"{"x": "a text that is longer than others are"}"#),
        };
        let turn = Turn {
            scope: "",
            timestamp: 1,
            time: 2,
            records: vec![record],
        };
        turn.write(&mut payload);
        let payload: [&[u8]; 1] = [&payload];
        let batch = stepwell_core::log::Batch {
            count: 1,
            payload: &payload,
        };
        log.append(&[batch], log.epoch(), log.tail()).unwrap();
        log.sync().unwrap();
    }
}

/// A leader at [`KNOWN`], with a follower's mark at `marked`, if given; and a copy of its log.
fn leader(marked: Option<u64>) -> (FaultEnv, Arc<FileLogStream>, FaultEnv) {
    let (env, copied) = (FaultEnv::new(), FaultEnv::new());
    let log = open_with(&env, SEGMENT_BYTES).unwrap();
    append(&log, KNOWN);
    let target: Arc<dyn Env> = Arc::new(copied.clone());
    copy(&env, &folder(), None, target, &folder(), STORE).unwrap();
    if let Some(marked) = marked {
        let by = follower("b");
        let followed = FollowedLog::open(Arc::new(env.clone()), &folder(), &by, marked + 1);
        followed.unwrap().mark(marked).unwrap();
    }
    (env, Arc::new(log), copied)
}

/// Reads logs whose leader continues and truncates before the first operation, the second one, …; returns how many
/// operations there were.
fn before_every_operation<T>(
    marked: Option<u64>,
    read: impl Fn(&Interrupted, &FaultEnv) -> Result<T>,
    check: impl Fn(Result<T>, &FileLogStream),
) -> usize {
    for after in 0.. {
        let (env, log, copied) = leader(marked);
        let leading = Arc::clone(&log);
        let cut = move || {
            append(&leading, ALL);
            leading.truncate_before(u64::MAX).unwrap();
        };
        let disk = Interrupted::new(&env, after, Box::new(cut));
        let found = read(&disk, &copied);
        if !disk.is_over() {
            assert!(found.is_ok(), "{:?}", found.err());
            return after;
        }
        check(found, &log);
    }
    unreachable!()
}

fn is_truncated<T>(found: &Result<T>) -> bool {
    matches!(found, Err(Error::Truncated { .. }))
}

#[test]
fn whose_log_it_is_is_found_though_it_is_cut_meanwhile() {
    let operations = before_every_operation(
        None,
        |disk, _| stores(disk, &folder()),
        |found, _| assert_eq!(found.unwrap(), [STORE]),
    );
    assert!(operations > 8, "{operations}");
}

#[test]
fn a_log_that_is_cut_meanwhile_is_checked_from_where_it_begins_by_now() {
    let operations = before_every_operation(
        None,
        |disk, _| verify(disk, &folder()),
        |found, log| {
            let found = found.unwrap();
            assert!(
                [1, log.start()].contains(&found.first),
                "{found:?}, {}",
                log.start()
            );
            assert!(found.last >= KNOWN && found.torn.is_none(), "{found:?}");
            assert_eq!(found.records, found.last - found.first + 1);
        },
    );
    assert!(operations > 8, "{operations}");
}

#[test]
fn a_log_that_is_cut_meanwhile_is_shown_without_a_gap() {
    before_every_operation(
        None,
        |disk, _| dump(disk, &folder(), 1)?.collect::<Result<Vec<_>>>(),
        |lines, log| {
            let lines = lines.unwrap();
            let number = |line: &String| -> u64 {
                let digits = line.trim_start_matches("{\"position\":");
                digits.split(',').next().unwrap().parse().unwrap()
            };
            let positions: Vec<_> = lines.iter().map(number).collect();
            let first = positions[0];
            assert!([1, log.start()].contains(&first), "{first}");
            assert!(positions.len() as u64 + first > KNOWN);
            assert!(positions.is_sorted_by(|one, next| one + 1 == *next));
        },
    );
}

#[test]
fn a_log_that_is_cut_meanwhile_is_copied_from_a_segment_on() {
    before_every_operation(
        None,
        |disk, _| {
            let to = FaultEnv::new();
            let target: Arc<dyn Env> = Arc::new(to.clone());
            let last = copy(
                disk,
                &folder(),
                Some(STORE),
                target,
                &folder(),
                StoreId::random(),
            )?;
            Ok((last, verify(&to, &folder())?))
        },
        |found, _| {
            let (last, report) = found.unwrap();
            assert!(last >= KNOWN && report.last == last && report.torn.is_none());
        },
    );
}

#[test]
fn a_log_of_more_segments_than_are_opened_ahead_is_truncated_or_whole() {
    let env = FaultEnv::new();
    let log = open_with(&env, 200).unwrap();
    append(&log, 200);
    let mut lines = dump(&env, &folder(), 1).unwrap();
    for _ in 0..10 {
        lines.next().unwrap().unwrap();
    }
    log.truncate_before(u64::MAX).unwrap();
    let rest: Result<Vec<_>> = lines.collect();
    assert!(is_truncated(&rest), "{rest:?}");
    assert_eq!(verify(&env, &folder()).unwrap().last, 200);
}

#[test]
fn a_copy_is_found_to_be_one_though_the_log_is_cut_meanwhile() {
    for marked in [None, Some(KNOWN)] {
        let operations = before_every_operation(
            marked,
            |disk, copied| check_copy(disk, &folder(), copied, &folder()),
            |found, log| match marked {
                None if log.start() > KNOWN + 1 => {
                    assert!(found.is_ok() || is_truncated(&found), "{found:?}");
                }
                _ => found.unwrap(),
            },
        );
        assert!(operations > 8, "{operations}");
    }
}

#[test]
fn the_end_of_a_copy_that_is_led_by_somebody_is_found() {
    before_every_operation(
        None,
        |disk, _| end(disk, &folder()),
        |found, _| assert!([KNOWN, ALL].contains(&found.unwrap().0)),
    );
}

/// All positions that a follower gets from `from` on, and how far it knows the log to be.
fn follow(disk: &Interrupted, from: u64) -> Result<(Vec<u64>, u64)> {
    let env: Arc<dyn Env> = Arc::new(disk.clone());
    let mut log = FollowedLog::open(Arc::clone(&env), &folder(), &follower("b"), from)?;
    let mut tail = FollowedTail::open(env, &folder(), from)?;
    let (mut positions, mut rounds) = (Vec::new(), 0);
    loop {
        let known = tail.position()?;
        let frames = log.read(300)?;
        let Some(last) = frames.last() else {
            assert!(log.last_named()? >= known);
            rounds += 1;
            match rounds < 2 {
                true => continue,
                false => return Ok((positions, known)),
            }
        };
        positions.extend(frames.iter().map(|frame| frame.first));
        log.pass(last.last());
    }
}

/// Nothing is missing, up to where the follower took itself for level; `KNOWN` at least, where the leader went on last.
fn check_followed(from: u64, (positions, known): &(Vec<u64>, u64)) {
    let whole: Vec<_> = (from..=*known).collect();
    assert_eq!(positions, &whole);
    assert!([KNOWN, ALL].contains(known), "{known}");
}

#[test]
fn a_follower_whose_mark_keeps_what_it_needs_reads_on_whatever_is_cut_before_it() {
    for marked in [0, 7, KNOWN - 1, KNOWN] {
        let operations = before_every_operation(
            Some(marked),
            |disk, _| follow(disk, marked + 1),
            |found, _| {
                check_followed(marked + 1, &found.unwrap());
            },
        );
        assert!(operations > 8, "{operations}");
    }
}

#[test]
fn a_follower_that_was_cut_off_says_so_and_is_not_level() {
    for from in [1, 7, KNOWN, KNOWN + 1] {
        before_every_operation(
            None,
            |disk, _| follow(disk, from),
            |found, _| match found {
                Ok(found) => check_followed(from, &found),
                Err(Error::Truncated { .. }) => {}
                Err(other) => panic!("{other}"),
            },
        );
    }
}
