//! Damage is found and named, and no damaged batch is returned.

use proptest::prelude::*;
use proptest::sample::Index;
use stepwell_core::Error;
use stepwell_core::env::{Env, FaultEnv, Loss};
use stepwell_core::log::{LogStream, repair};

use super::{
    FRAME, append_numbers, cases, check_prefix, folder, open, open_with, payload, read, segment,
};

/// A log of six batches in three groups, closed or left by a crash.
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

/// Where the trailing zeros of a segment begin.
fn blank_start(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[test]
fn every_flipped_bit_is_refused_with_its_place() {
    for is_closed in [true, false] {
        let env = small_log(is_closed);
        let whole = env.bytes(&segment(1)).unwrap();
        let length = blank_start(&whole);
        assert_eq!(whole.len() > length, !is_closed);
        for bit in 0..length * 8 {
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
    // All sectors of the last group, but not the mark behind it.
    let mut bytes = whole.clone();
    let mark = whole.len() - FRAME as usize;
    bytes[mark - 600..mark].fill(0);
    env.put(&segment(1), bytes);
    assert!(matches!(open(&env), Err(Error::Corruption { .. })));
}

#[test]
fn every_reader_finds_a_flipped_bit_in_an_earlier_segment() {
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
    assert!(
        found.contains("the next segment begins with position"),
        "{found}"
    );
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
    let checksum = crc32c::crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&checksum.to_le_bytes());
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

/// A change to the bytes of a file.
#[derive(Clone, Debug)]
pub enum Accident {
    Byte(Index, u8),
    Zeros(Index, usize),
    Cut(Index),
    Moved(Index, Index, usize),
    Inserted(Index, Vec<u8>),
}

impl Accident {
    pub fn happen(self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        match self {
            Accident::Byte(at, byte) => bytes[at.index(length)] = byte,
            Accident::Zeros(at, count) => {
                let at = at.index(length);
                bytes[at..length.min(at + count)].fill(0);
            }
            Accident::Cut(at) => bytes.truncate(at.index(length) + 1),
            Accident::Moved(from, to, count) => {
                let (from, to) = (from.index(length), to.index(length));
                let count = count.min(length - from.max(to));
                bytes.copy_within(from..from + count, to);
            }
            Accident::Inserted(at, new) => {
                let at = at.index(length);
                bytes.splice(at..at, new);
            }
        }
    }
}

pub fn accident() -> impl Strategy<Value = Accident> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Accident::Byte(at, byte)),
        (any::<Index>(), 1..2000usize).prop_map(|(at, count)| Accident::Zeros(at, count)),
        any::<Index>().prop_map(Accident::Cut),
        (any::<Index>(), any::<Index>(), 1..2000usize)
            .prop_map(|(from, to, count)| Accident::Moved(from, to, count)),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..100))
            .prop_map(|(at, new)| Accident::Inserted(at, new)),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn whatever_happens_to_a_segment_nothing_is_served_but_what_was_written(
        accidents in prop::collection::vec(accident(), 1..4),
        segment_bytes in prop_oneof![Just(700u64), Just(1 << 30)],
        which: Index,
    ) {
        let env = FaultEnv::new();
        let log = open_with(&env, segment_bytes).unwrap();
        append_numbers(&log, 1, 12).unwrap();
        drop(log);
        let names = env.list(&folder()).unwrap();
        let path = folder().join(which.get(&names));
        let mut bytes = env.bytes(&path).unwrap();
        accidents.into_iter().for_each(|accident| accident.happen(&mut bytes));
        env.put(&path, bytes);
        if let Ok(log) = open_with(&env, segment_bytes) {
            let frames = log.read(1).unwrap().map_while(Result::ok);
            for (frame, number) in frames.zip(1..) {
                prop_assert_eq!((frame.first, frame.payload), (number, payload(number)));
            }
        }
        repair(&env, &folder(), 0, None).unwrap();
        let log = open_with(&env, segment_bytes).unwrap();
        for (frame, number) in read(&log, log.start()).unwrap().into_iter().zip(log.start()..) {
            prop_assert_eq!((frame.first, frame.payload), (number, payload(number)));
        }
    }
}
