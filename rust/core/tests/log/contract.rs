//! The contract of `LogStream`, for every implementation.

use std::path::Path;
use std::sync::Arc;

use stepwell_core::Error;
use stepwell_core::env::{FaultEnv, Folder};
use stepwell_core::log::{Batch, FileLogStream, LogOptions, LogStream, MemoryLogStream};

use super::{append_numbers, check_prefix, open_with, payload, read};

fn open_folder(path: &Path, options: LogOptions) -> FileLogStream {
    let env = Folder::open(path).unwrap();
    FileLogStream::open(Arc::new(env), path, options).unwrap()
}

fn every_log(test: impl Fn(&dyn LogStream)) {
    test(&MemoryLogStream::new());
    test(&open_with(&FaultEnv::new(), 1 << 30).unwrap());
    test(&open_with(&FaultEnv::new(), 1000).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let options = LogOptions {
        segment_bytes: 1000,
        ..LogOptions::default()
    };
    test(&open_folder(folder.path(), options));
}

#[test]
fn positions_count_records_from_one() {
    every_log(|log| {
        assert_eq!((log.start(), log.tail(), log.durable()), (1, 0, 0));
        let pieces: [&[u8]; 2] = [b"ab", b"c"];
        let batches = [
            Batch {
                count: 3,
                payload: &pieces,
            },
            Batch {
                count: 2,
                payload: &pieces[..1],
            },
        ];
        assert_eq!(log.append(&batches, 0, 0).unwrap(), 5);
        assert_eq!((log.tail(), log.durable()), (5, 0));
        assert_eq!(log.sync().unwrap(), 5);
        let frames = read(log, 1).unwrap();
        assert_eq!(
            (frames[0].first, frames[0].last(), &frames[0].payload[..]),
            (1, 3, &b"abc"[..])
        );
        assert_eq!(
            (frames[1].first, frames[1].last(), &frames[1].payload[..]),
            (4, 5, &b"ab"[..])
        );
    });
}

#[test]
fn only_what_is_durable_is_read_and_a_reader_goes_on_after_a_sync() {
    every_log(|log| {
        let mut frames = log.read(1).unwrap();
        assert!(frames.next().is_none());
        append_numbers(log, 1, 3).unwrap();
        assert!(frames.next().is_none());
        log.sync().unwrap();
        append_numbers(log, 4, 4).unwrap();
        for number in 1..=3 {
            assert_eq!(frames.next().unwrap().unwrap().payload, payload(number));
        }
        assert!(frames.next().is_none());
        log.sync().unwrap();
        assert_eq!(frames.next().unwrap().unwrap().payload, payload(4));
        assert!(frames.next().is_none());
    });
}

#[test]
fn reading_begins_with_the_batch_that_holds_the_position() {
    every_log(|log| {
        let batch = |payload| Batch { count: 10, payload };
        log.append(&[batch(&[b"x"]), batch(&[b"y"])], 0, 0).unwrap();
        log.sync().unwrap();
        let first = |from| read(log, from).unwrap().first().map(|frame| frame.first);
        assert_eq!(
            [1, 10, 11, 20, 21].map(first),
            [Some(1), Some(1), Some(11), Some(11), None]
        );
    });
}

#[test]
fn a_writer_that_is_behind_is_refused() {
    every_log(|log| {
        append_numbers(log, 1, 2).unwrap();
        let refused = log.append(&[Batch::default()], 0, 1);
        assert!(matches!(
            refused,
            Err(Error::Conflict {
                expected: 1,
                last: 2
            })
        ));
        append_numbers(log, 3, 3).unwrap();
        log.sync().unwrap();
        assert_eq!(check_prefix(log), 3);
    });
}

#[test]
fn a_leader_of_an_earlier_epoch_is_refused() {
    every_log(|log| {
        append_numbers(log, 1, 2).unwrap();
        log.fence(7).unwrap();
        assert_eq!((log.epoch(), log.tail(), log.durable()), (7, 2, 2));
        let refused = log.append(
            &[Batch {
                count: 1,
                payload: &[b"late"],
            }],
            6,
            2,
        );
        assert!(matches!(
            refused,
            Err(Error::Fenced {
                epoch: 6,
                current: 7
            })
        ));
        append_numbers(log, 3, 3).unwrap();
        log.sync().unwrap();
        assert_eq!(check_prefix(log), 3);
        assert_eq!(read(log, 3).unwrap()[0].epoch, 7);
    });
}

#[test]
fn a_fence_outlives_a_restart() {
    let env = FaultEnv::new();
    let log = open_with(&env, 1000).unwrap();
    append_numbers(&log, 1, 5).unwrap();
    log.fence(9).unwrap();
    drop(log);
    let log = open_with(&env, 1000).unwrap();
    assert_eq!(log.epoch(), 9);
    let refused = log.append(&[Batch::default()], 8, 5);
    assert!(matches!(refused, Err(Error::Fenced { .. })));
}

#[test]
fn truncated_positions_are_an_error() {
    every_log(|log| {
        for number in 1..=40 {
            append_numbers(log, number, number).unwrap();
            log.sync().unwrap();
        }
        let start = log.truncate_before(20).unwrap();
        assert!(start <= 20 && start == log.start());
        let frames = read(log, start).unwrap();
        assert_eq!((frames[0].first, frames.len() as u64), (start, 41 - start));
        if start > 1 {
            let gone = log.read(start - 1).err();
            assert!(
                matches!(gone, Some(Error::Truncated { position, start: first })
                if position == start - 1 && first == start)
            );
        }
        append_numbers(log, 41, 41).unwrap();
        assert_eq!(log.sync().unwrap(), 41);
    });
}

#[test]
fn a_reader_that_is_overtaken_by_truncation_gets_an_error() {
    every_log(|log| {
        append_numbers(log, 1, 40).unwrap();
        log.sync().unwrap();
        let mut frames = log.read(1).unwrap();
        frames.next().unwrap().unwrap();
        let start = log.truncate_before(u64::MAX).unwrap();
        // It may still read the segment that it has open; then an error names the log's new start.
        let error = frames.by_ref().find_map(Result::err);
        if start > 1 {
            let is_told =
                matches!(error, Some(Error::Truncated { start: first, .. }) if first == start);
            assert!(is_told, "{error:?}");
        }
        assert!(frames.next().is_none());
    });
}

#[test]
fn readers_follow_a_writer() {
    every_log(|log| {
        let follow = || {
            let mut frames = log.read(1).unwrap();
            for number in 1..=300 {
                let frame = loop {
                    if let Some(frame) = frames.next() {
                        break frame.unwrap();
                    }
                    std::thread::yield_now();
                };
                assert!(frame.last() <= log.durable());
                assert_eq!((frame.first, frame.payload), (number, payload(number)));
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(follow);
            scope.spawn(follow);
            for first in (1..=300).step_by(3) {
                append_numbers(log, first, first + 2).unwrap();
                log.sync().unwrap();
            }
        });
    });
}

#[test]
fn segments_go_as_a_whole_and_the_last_one_stays() {
    let env = FaultEnv::new();
    let log = open_with(&env, 1000).unwrap();
    append_numbers(&log, 1, 40).unwrap();
    log.sync().unwrap();
    let start = log.truncate_before(20).unwrap();
    assert!((15..=20).contains(&start), "{start}");
    let last = log.truncate_before(u64::MAX).unwrap();
    assert!(last <= 40);
    drop(log);
    let log = open_with(&env, 1000).unwrap();
    assert_eq!((log.start(), log.tail()), (last, 40));
    assert_eq!(read(&log, 40).unwrap()[0].payload, payload(40));
}

#[test]
fn a_folder_has_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let env = Folder::open(folder.path()).unwrap();
        FileLogStream::open(Arc::new(env), folder.path(), LogOptions::default())
    };
    let log = open().unwrap();
    let refused = open().err().expect("the folder is taken");
    let process = format!(
        "{} is in use by process {};",
        folder.path().display(),
        std::process::id()
    );
    assert!(refused.to_string().starts_with(&process), "{refused}");
    drop(log);
    open().unwrap();
}

#[test]
fn a_log_goes_on_where_it_ended() {
    let env = FaultEnv::new();
    for round in 0..20 {
        let log = open_with(&env, 3000).unwrap();
        assert_eq!(log.recovered(), None);
        assert_eq!(check_prefix(&log), round * 3);
        append_numbers(&log, round * 3 + 1, round * 3 + 3).unwrap();
    }
}

#[test]
fn a_reader_far_behind_the_tail_starts_near_its_position() {
    let log = open_with(&FaultEnv::new(), 10 << 20).unwrap();
    let piece = vec![7; 300_000];
    for _ in 0..100 {
        let payload: [&[u8]; 1] = [&piece];
        let batch = Batch {
            count: 5,
            payload: &payload,
        };
        log.append(&[batch], 0, log.tail()).unwrap();
    }
    log.sync().unwrap();
    for from in 1..=500 {
        let frame = log.read(from).unwrap().next().unwrap().unwrap();
        assert_eq!(frame.first, (from - 1) / 5 * 5 + 1);
    }
}
