//! Checking and printing a log, whether it is open or not.

use std::path::PathBuf;

use stepwell_core::Error;
use stepwell_core::env::{Env, FaultEnv, Loss};
use stepwell_core::log::{Batch, LogStream, Report, dump, verify};
use stepwell_core::record::{Document, Record, Turn};

use super::{FRAME, STORE, folder, open, open_with, segment};

/// A turn of `count` records.
fn turn(count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let record = Record::StartBranch {
        branch_id: "b",
        index: 0,
        input: Document::Text(br#"{"x": 1}"#),
    };
    let turn = Turn {
        scope: "",
        timestamp: 1,
        time: 2,
        records: vec![record; count],
    };
    turn.write(&mut bytes);
    bytes
}

fn append(log: &dyn LogStream, counts: &[usize]) {
    let turns: Vec<_> = counts.iter().map(|count| turn(*count)).collect();
    let payload: Vec<&[u8]> = turns.iter().map(|turn| &turn[..]).collect();
    let batch = Batch {
        count: counts.iter().sum::<usize>() as u32,
        payload: &payload,
    };
    log.append(&[batch], log.epoch(), log.tail()).unwrap();
    log.sync().unwrap();
}

fn positions(env: &FaultEnv, from: u64) -> Vec<String> {
    let position = |line: String| line.split(',').next().unwrap().to_owned();
    let lines = dump(env, &folder(), from).unwrap();
    lines.map(|line| position(line.unwrap())).collect()
}

#[test]
fn a_whole_log_is_counted() {
    let env = FaultEnv::new();
    let log = open_with(&env, 200).unwrap();
    for counts in [&[2, 3][..], &[1], &[4, 1], &[2]] {
        append(&log, counts);
    }
    log.fence(5).unwrap();
    log.close().unwrap();
    let report = verify(&env, &folder()).unwrap();
    let sizes = env.list(&folder()).unwrap().into_iter().map(|name| {
        let path: PathBuf = folder().join(name);
        env.bytes(&path).unwrap().len() as u64
    });
    let expected = Report {
        segments: 3,
        batches: 4,
        records: 13,
        bytes: sizes.sum(),
        first: 1,
        last: 13,
        epoch: 5,
        store: Some(STORE),
        torn: None,
    };
    assert_eq!(report, expected);
    assert_eq!(verify(&env, &folder()).unwrap(), expected);
    let start = log.truncate_before(12).unwrap();
    let report = verify(&env, &folder()).unwrap();
    assert!(start > 1 && report.segments < 3);
    assert_eq!((report.first, report.last), (start, 13));
}

#[test]
fn preallocated_zeros_are_no_torn_tail() {
    let env = FaultEnv::new();
    let log = open(&env).unwrap();
    for counts in [&[2, 3][..], &[1]] {
        append(&log, counts);
    }
    let env = env.after_crash(Loss::Unsynced);
    let report = verify(&env, &folder()).unwrap();
    let frames: usize = [&[2, 3][..], &[1]]
        .concat()
        .iter()
        .map(|count| turn(*count).len())
        .sum();
    assert_eq!((report.records, report.torn), (6, None));
    assert_eq!(report.bytes, frames as u64 + 3 * FRAME);
    assert!(env.bytes(&segment(1)).unwrap().len() as u64 > report.bytes);
    assert_eq!(positions(&env, 1).len(), 6);
}

#[test]
fn an_empty_log_is_whole() {
    let env = FaultEnv::new();
    let report = verify(&env, &folder()).unwrap();
    assert_eq!((report.segments, report.first, report.last), (0, 1, 0));
    assert_eq!(dump(&env, &folder(), 1).unwrap().count(), 0);
}

#[test]
fn a_dump_begins_at_its_position_and_is_one_record_a_line() {
    let env = FaultEnv::new();
    let log = open_with(&env, 200).unwrap();
    for counts in [&[2, 3][..], &[1], &[4, 1], &[2]] {
        append(&log, counts);
    }
    for from in 1..=14 {
        let expected: Vec<_> = (from..14).map(|p| format!("{{\"position\":{p}")).collect();
        assert_eq!(positions(&env, from), expected, "{from}");
    }
}

#[test]
fn a_torn_tail_is_reported_and_not_cut_off() {
    let env = FaultEnv::new();
    let log = open(&env).unwrap();
    append(&log, &[2]);
    env.crash_after(60);
    let payload = turn(3);
    let batch = Batch {
        count: 3,
        payload: &[&payload],
    };
    log.append(&[batch], 0, 2).unwrap_err();
    let env = env.after_crash(Loss::Nothing);
    for _ in 0..2 {
        let report = verify(&env, &folder()).unwrap();
        assert_eq!((report.records, report.last), (2, 2));
        let torn = report.torn.expect("a torn tail");
        assert_eq!((torn.position, torn.bytes), (3, 60));
        assert_eq!(positions(&env, 1).len(), 2);
    }
}

#[test]
fn damage_ends_a_check_and_a_dump_with_its_place() {
    let env = FaultEnv::new();
    let log = open_with(&env, 200).unwrap();
    for _ in 0..6 {
        append(&log, &[3]);
    }
    drop(log);
    env.flip(&segment(1), 8 * 60);
    let refused = verify(&env, &folder()).unwrap_err();
    assert!(
        matches!(&refused, Error::Corruption { path, position: 1, .. } if *path == segment(1)),
        "{refused}"
    );
    let mut lines = dump(&env, &folder(), 1).unwrap();
    assert!(matches!(lines.next(), Some(Err(Error::Corruption { .. }))));
    assert!(lines.next().is_none());
}

#[test]
fn a_missing_segment_is_damage() {
    let env = FaultEnv::new();
    let log = open_with(&env, 200).unwrap();
    for _ in 0..9 {
        append(&log, &[3]);
    }
    drop(log);
    let mut names = env.list(&folder()).unwrap();
    names.sort();
    env.remove(&folder().join(&names[1])).unwrap();
    let refused = verify(&env, &folder()).unwrap_err().to_string();
    assert!(
        refused.contains("the next segment begins with position"),
        "{refused}"
    );
}

#[test]
fn records_that_cannot_be_read_are_damage_to_a_check_and_a_line_in_a_dump() {
    let env = FaultEnv::new();
    let log = open(&env).unwrap();
    append(&log, &[1]);
    let batch = |count, payload| Batch { count, payload };
    log.append(&[batch(1, &[b"\x94\xa0\x01\x02\x91\x91\x3f"])], 0, 1)
        .unwrap();
    log.sync().unwrap();
    append(&log, &[1]);
    let refused = verify(&env, &folder()).unwrap_err().to_string();
    assert!(refused.contains("tag 63 is not known here"), "{refused}");
    let lines: Vec<String> = dump(&env, &folder(), 1)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(
        lines[1].starts_with("{\"position\":2,\"unreadable\":\"byte 5: tag 63"),
        "{}",
        lines[1]
    );
    assert!(lines[2].starts_with("{\"position\":3,"));
}

#[test]
fn a_count_that_does_not_fit_is_damage() {
    let env = FaultEnv::new();
    let log = open(&env).unwrap();
    let payload = turn(3);
    let batch = Batch {
        count: 4,
        payload: &[&payload],
    };
    log.append(&[batch], 0, 0).unwrap();
    let refused = verify(&env, &folder()).unwrap_err().to_string();
    assert!(
        refused.contains("holds 3 records, and its header says 4"),
        "{refused}"
    );
}
