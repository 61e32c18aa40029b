//! The codec of records: what it reads and writes again reads the same, and can be shown as JSON.

use stepwell_core::msgpack::Reader;
use stepwell_core::record::{Context, Record, Turn, turns};

pub fn check(bytes: &[u8]) {
    check_turns(bytes);
    let mut record = Reader::new(bytes);
    if let Ok(record) = Record::read(&mut record) {
        let mut written = Vec::new();
        record.write(&mut written);
        let again = Record::read(&mut Reader::new(&written)).expect("what was written is read");
        same(&record, &again);
        is_json(&record.to_json());
    }
    let mut row = Reader::new(bytes);
    if let Ok(row) = Context::read(&mut row) {
        let mut written = Vec::new();
        row.write(&mut written);
        let again = Context::read(&mut Reader::new(&written)).expect("what was written is read");
        same(&row, &again);
        is_json(&row.to_json());
    }
    let mut skipped = Reader::new(bytes);
    if skipped.skip(1).is_ok() {
        assert!(skipped.offset() <= bytes.len());
    }
}

/// A batch's turns; after the first unreadable one there are no more.
fn check_turns(bytes: &[u8]) {
    let mut has_failed = false;
    for turn in turns(bytes) {
        assert!(!has_failed);
        let Ok(turn) = turn else {
            has_failed = true;
            continue;
        };
        let mut written = Vec::new();
        turn.write(&mut written);
        let again = Turn::read(&mut Reader::new(&written)).expect("what was written is read");
        same(&turn, &again);
        let lines = turn.lines(1, 1);
        assert_eq!(lines.len(), turn.records.len());
        lines.iter().for_each(|line| is_json(line));
    }
}

/// Compares the debug texts, because NaN is not equal to itself.
fn same<T: std::fmt::Debug>(one: &T, other: &T) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

fn is_json(text: &str) {
    assert!(!text.contains('\n'), "one record, one line");
    // The writer may nest deeper than this reader reads.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        assert!(error.to_string().contains("recursion"), "{error}: {text}");
    }
}
