//! The log as a whole, through crashes, damage and failing disks.

mod ahead;
mod contract;
mod crash;
mod cut;
mod damage;
mod failing_disk;
mod failover;
mod inspect;
mod interrupted;
mod judge;
mod repair;
mod stores;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::ProptestConfig;
use stepwell_core::Result;
use stepwell_core::env::{Env, FaultEnv};
use stepwell_core::identity::StoreId;
use stepwell_core::log::{Batch, FileLogStream, Follower, Frame, LogOptions, LogStream};

/// 500 in CI; `PROPTEST_CASES=50000` for a long run.
pub fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").map_or(500, |cases| cases.parse().unwrap());
    ProptestConfig::with_cases(cases)
}

/// The log's folder on the disk in memory.
pub fn folder() -> PathBuf {
    PathBuf::from("/log")
}

/// The path of the segment that begins with position `first`.
pub fn segment(first: u64) -> PathBuf {
    folder().join(format!("{first:016x}.log"))
}

/// Opens the log with segments of `segment_bytes`, and as much preallocation as a batch is long.
pub fn open_with(env: &FaultEnv, segment_bytes: u64) -> Result<FileLogStream> {
    open_ahead(env, segment_bytes, 1000)
}

/// Opens the log with segments of `segment_bytes` and preallocation of `ahead_bytes`.
pub fn open_ahead(env: &FaultEnv, segment_bytes: u64, ahead_bytes: u64) -> Result<FileLogStream> {
    let env: Arc<dyn Env> = Arc::new(env.clone());
    let options = LogOptions {
        segment_bytes,
        ahead_bytes,
        store: Some(STORE),
        ..LogOptions::default()
    };
    FileLogStream::open(env, Path::new("/log"), options)
}

/// The follower of a name: the same id at every call.
pub fn follower(name: &str) -> Follower {
    let mut id = [0; StoreId::LENGTH];
    id[..name.len()].copy_from_slice(name.as_bytes());
    Follower {
        id: StoreId::from_bytes(id),
        path: name.into(),
        of: None,
    }
}

/// Opens the log, with segments that no test here fills.
pub fn open(env: &FaultEnv) -> Result<FileLogStream> {
    open_with(env, 1 << 30)
}

/// The store whose log it is.
pub const STORE: StoreId = StoreId::from_bytes([7; 16]);

/// What a frame has beside its payload: header and end.
pub const FRAME: u64 = 65;

/// A payload whose length and bytes depend on `number`; most end in one or two zeros, as batches do.
pub fn payload(number: u64) -> Vec<u8> {
    let length = 20 + (number * 37) % 700;
    let zeros_from = length - number % 3;
    (0..length)
        .map(|at| match at < zeros_from {
            true => (number * 31 + at * 7) as u8 | 1,
            false => 0,
        })
        .collect()
}

/// Appends each payload as a batch of one record.
pub fn append(log: &dyn LogStream, payloads: &[Vec<u8>]) -> Result<u64> {
    let pieces: Vec<[&[u8]; 1]> = payloads.iter().map(|bytes| [&bytes[..]]).collect();
    let batches: Vec<Batch<'_>> = pieces
        .iter()
        .map(|payload| Batch { count: 1, payload })
        .collect();
    log.append(&batches, log.epoch(), log.tail())
}

/// Appends batches `first..=last` of [`payload`].
pub fn append_numbers(log: &dyn LogStream, first: u64, last: u64) -> Result<u64> {
    append(log, &(first..=last).map(payload).collect::<Vec<_>>())
}

/// All frames from `from` on.
pub fn read(log: &dyn LogStream, from: u64) -> Result<Vec<Frame>> {
    log.read(from)?.collect()
}

/// Checks that the log holds [`payload`]s 1 to some number, and returns it.
pub fn check_prefix(log: &dyn LogStream) -> u64 {
    let frames = read(log, 1).expect("the log can be read");
    for (index, frame) in frames.iter().enumerate() {
        let number = index as u64 + 1;
        assert_eq!((frame.first, frame.count), (number, 1));
        assert_eq!(frame.payload, payload(number));
    }
    assert_eq!(log.durable(), frames.len() as u64);
    frames.len() as u64
}
