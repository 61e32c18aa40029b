//! The log: a segment of any bytes is opened, or refused and not changed. An opened log returns only
//! what was in the segment, is intact by its check, and takes another batch.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stepwell_core::env::{Env, FaultEnv};
use stepwell_core::error::Error;
use stepwell_core::log::{
    Batch, FileLogStream, Frame, LogOptions, LogStream, dump, repair, verify,
};

const HEADER: usize = 64;
const MAGIC: [u8; 4] = [0xf7, b'S', b'W', 0xff];

pub fn check(bytes: &[u8]) {
    let Some((&how, bytes)) = bytes.split_first() else {
        return;
    };
    let mut bytes = bytes.to_vec();
    if how % 4 != 0 {
        seal(&mut bytes);
    }
    let disk = disk_of(&bytes);
    let report = verify(&disk, folder());
    if let Ok(lines) = dump(&disk, folder(), 1) {
        lines.for_each(drop);
    }
    assert_eq!(
        disk.bytes(&segment()).unwrap(),
        bytes,
        "a check changes nothing"
    );
    match open(&disk) {
        Ok(log) => {
            let frames = read_all(&log, &bytes);
            if let Ok(report) = report {
                assert_eq!(report.last, log.tail());
                assert_eq!(report.torn.is_some(), log.recovered().is_some());
            }
            append_more(&disk, log, frames);
        }
        Err(error) => {
            let is_expected = matches!(error, Error::Corruption { .. } | Error::Format { .. });
            assert!(is_expected, "{error}");
            assert!(report.is_err(), "{error}");
            assert_eq!(
                disk.bytes(&segment()).unwrap(),
                bytes,
                "a refusal changes nothing"
            );
            check_repair(&disk, &error);
        }
    }
}

/// Makes the checksums and end bytes right wherever a frame may begin: a fuzzer would not find them.
fn seal(bytes: &mut [u8]) {
    let mut at = 0;
    while at + HEADER <= bytes.len() {
        if bytes[at..at + 4] != MAGIC {
            at += 1;
            continue;
        }
        let length = u32::from_le_bytes(bytes[at + 36..at + 40].try_into().unwrap()) as usize;
        let end = (at + HEADER).saturating_add(length);
        if let Some(payload) = bytes.get(at + HEADER..end) {
            let sum = crc32c::crc32c(payload);
            bytes[at + 40..at + 44].copy_from_slice(&sum.to_le_bytes());
        }
        let sum = crc32c::crc32c(&bytes[at..at + HEADER - 4]);
        bytes[at + HEADER - 4..at + HEADER].copy_from_slice(&sum.to_le_bytes());
        if let Some(last) = bytes.get_mut(end) {
            *last = 0xff;
        }
        at = end.saturating_add(1).clamp(at + HEADER, bytes.len());
    }
}

/// The frames of a log: every payload occurs in `bytes`, and positions have no gap.
fn read_all(log: &FileLogStream, bytes: &[u8]) -> Vec<Frame> {
    let frames = log.read(1).unwrap().collect::<Result<Vec<_>, _>>();
    let frames = frames.expect("what was opened can be read");
    let mut next = 1;
    for frame in &frames {
        assert_eq!(frame.first, next);
        next = frame.last() + 1;
        let length = frame.payload.len().max(1);
        let mut places = bytes.windows(length);
        assert!(frame.payload.is_empty() || places.any(|place| place == frame.payload));
    }
    assert_eq!(next, log.tail() + 1);
    frames
}

/// Appends one more batch; the next opening finds all of them.
fn append_more(disk: &FaultEnv, log: FileLogStream, mut frames: Vec<Frame>) {
    let (tail, epoch) = (log.tail(), log.epoch());
    let batch = Batch {
        count: 1,
        payload: &[b"more"],
    };
    if tail >= u64::MAX - 2 {
        return;
    }
    log.append(&[batch], epoch, tail)
        .expect("an opened log takes another batch");
    log.sync().expect("and syncs");
    drop(log);
    frames.push(Frame {
        epoch,
        first: tail + 1,
        count: 1,
        payload: b"more".to_vec(),
    });
    let log = open(disk).expect("a closed log opens");
    assert!(log.recovered().is_none());
    let again = log.read(1).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(again, frames);
}

/// A damaged log is cut off where the damage is, and can then be opened.
fn check_repair(disk: &FaultEnv, error: &Error) {
    if let Error::Corruption { position, .. } = error
        && repair(disk, folder(), 0, None).is_ok()
    {
        let log = open(disk).expect("a repaired log opens");
        assert!(log.tail() < *position);
    }
}

fn folder() -> &'static Path {
    Path::new("/log")
}

fn segment() -> PathBuf {
    folder().join("0000000000000001.log")
}

fn disk_of(bytes: &[u8]) -> FaultEnv {
    let disk = FaultEnv::new();
    disk.put(&segment(), bytes.to_vec());
    disk
}

fn open(disk: &FaultEnv) -> stepwell_core::Result<FileLogStream> {
    let env: Arc<dyn Env> = Arc::new(disk.clone());
    FileLogStream::open(env, folder(), LogOptions::default())
}
