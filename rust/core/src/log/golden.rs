//! A log of format 1 that was written once. Every later version must read the same from it.
//!
//! `STEPWELL_WRITE_GOLDEN=1 cargo test golden` writes it again; only a format that was never released
//! may be changed that way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::env::{Env, FaultEnv, Folder};
use crate::identity::StoreId;
use crate::record::tests::Random;
use crate::record::{Record, Turn, turns};

const SEGMENT: &str = "0000000000000001.log";

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/log-1")
        .join(file)
}

/// A log with every kind of record, in batches of several turns and in two epochs.
fn write() -> FaultEnv {
    let env = FaultEnv::new();
    let shared: Arc<dyn Env> = Arc::new(env.clone());
    let options = LogOptions {
        store: Some(StoreId::from_bytes(*b"the golden store")),
        ..LogOptions::default()
    };
    let log = FileLogStream::open(shared, Path::new("/log"), options).unwrap();
    for batch in 0..3 {
        let turns: Vec<_> = (0..2).map(|turn| encode(batch * 2 + turn)).collect();
        let payload: Vec<&[u8]> = turns.iter().map(|(_, bytes)| &bytes[..]).collect();
        let written = Batch {
            count: turns.iter().map(|(count, _)| count).sum(),
            payload: &payload,
        };
        log.append(&[written], log.epoch(), log.tail()).unwrap();
        if batch == 1 {
            log.fence(2).unwrap();
        }
    }
    log.close().unwrap();
    env
}

/// A turn with every other record: (how many, its bytes).
fn encode(seed: u64) -> (u32, Vec<u8>) {
    let mut random = Random(seed);
    let samples = Record::samples(&mut random).into_iter();
    let records = samples.skip(seed as usize % 2).step_by(2);
    let turn = Turn {
        scope: "/acme/prod/e0123abc/6553f1000000001f",
        timestamp: 0x6553_f100_0000_0000 + seed,
        time: 1_700_000_000_123_456 + seed as i64,
        records: records.collect(),
    };
    let mut bytes = Vec::new();
    turn.write(&mut bytes);
    (turn.records.len() as u32, bytes)
}

fn read(env: &dyn Env, folder: &Path) -> (Report, Vec<String>) {
    let lines = dump(env, folder, 1).unwrap().collect::<Result<_>>();
    (verify(env, folder).unwrap(), lines.unwrap())
}

#[test]
fn the_golden_log_is_read_as_ever_and_writes_back_to_the_same_bytes() {
    if std::env::var_os("STEPWELL_WRITE_GOLDEN").is_some() {
        let env = write();
        let bytes = env.bytes(&Path::new("/log").join(SEGMENT)).unwrap();
        std::fs::write(golden(SEGMENT), bytes).unwrap();
        let (_, lines) = read(&env, Path::new("/log"));
        std::fs::write(golden("dump.jsonl"), lines.join("\n") + "\n").unwrap();
    }
    let folder = Folder::open(&golden("")).unwrap();
    let (report, lines) = read(&folder, folder.path());
    assert_eq!((report.segments, report.batches), (1, 3));
    assert_eq!((report.epoch, report.torn), (2, None));
    assert_eq!(report.records, lines.len() as u64);
    let expected = std::fs::read_to_string(golden("dump.jsonl")).unwrap();
    assert_eq!(lines, expected.lines().collect::<Vec<_>>());
    let bytes = std::fs::read(golden(SEGMENT)).unwrap();
    assert_eq!(written_back(&bytes), bytes);
}

/// Every frame of a segment, decoded to the last record and encoded again.
fn written_back(segment: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = segment;
    while !rest.is_empty() {
        let header = frame::Header::decode(rest).unwrap();
        let payload = &rest[frame::HEADER..header.frame_length() as usize - 1];
        let mut encoded = Vec::new();
        for turn in turns(payload) {
            turn.unwrap().write(&mut encoded);
        }
        let batch = Batch {
            count: header.count,
            payload: &[&encoded],
        };
        let place = frame::Place {
            store: header.store,
            epoch: header.epoch,
            first: header.first,
            durable: header.durable,
        };
        frame::write(&mut out, &batch, place);
        rest = &rest[header.frame_length() as usize..];
    }
    out
}

#[test]
fn every_record_is_in_the_golden_log() {
    let dump = std::fs::read_to_string(golden("dump.jsonl")).unwrap();
    for layout in Record::LAYOUTS {
        let name = format!("\"record\":\"{}\"", layout.name);
        assert!(
            dump.contains(&name),
            "{name} is new: write the log anew, see above"
        );
    }
}
