use super::keys::Value;
use super::*;
use crate::msgpack::Reader;

const EXECUTION: &str = "/t/n/e0000001/0000000000000001";

fn array(fields: u32, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut row = Vec::new();
    rmp::encode::write_array_len(&mut row, fields).unwrap();
    write(&mut row);
    row
}

/// `[tag, texts…]`.
fn texts(tag: i64, fields: &[&str]) -> Vec<u8> {
    array(1 + fields.len() as u32, |row| {
        rmp::encode::write_sint(row, tag).unwrap();
        for field in fields {
            rmp::encode::write_str(row, field).unwrap();
        }
    })
}

/// `[6, target, kind, due]`.
fn timer(target: &str, due: u64) -> Vec<u8> {
    array(4, |row| {
        rmp::encode::write_sint(row, 6).unwrap();
        rmp::encode::write_str(row, target).unwrap();
        rmp::encode::write_uint(row, 1).unwrap();
        rmp::encode::write_uint(row, due).unwrap();
    })
}

fn batch(position: u64, rows: &[Vec<u8>]) -> Batch {
    let mut batch = Batch {
        position,
        count: 1,
        hlc: position,
        ..Batch::default()
    };
    batch.changes = array(rows.len() as u32, |changes| changes.extend(rows.concat()));
    batch
}

fn memory() -> Storage {
    Storage::open(None, &StorageOptions::default()).unwrap()
}

fn activity(number: u32) -> String {
    format!("{EXECUTION}/{number:08x}")
}

#[test]
fn puts_gets_and_deletes_rows_with_their_position() {
    let storage = memory();
    assert_eq!(storage.applied().unwrap(), Applied::default());
    let row = texts(1, &[EXECUTION, "w"]);
    storage
        .apply(&batch(7, std::slice::from_ref(&row)))
        .unwrap();
    assert_eq!(
        storage.get(1, &[Value::Text(EXECUTION)]).unwrap(),
        Some(row)
    );
    assert_eq!(
        storage.applied().unwrap(),
        Applied {
            position: 7,
            hlc: 7,
            checksum: crc32c::crc32c(b""),
        }
    );
    storage
        .apply(&batch(8, &[texts(-1, &[EXECUTION])]))
        .unwrap();
    assert_eq!(storage.get(1, &[Value::Text(EXECUTION)]).unwrap(), None);
}

#[test]
fn scans_timers_by_due_time_up_to_a_bound_and_behind_a_row() {
    let storage = memory();
    let rows = [
        timer("b", 30),
        timer("a", 10),
        timer("c", 20),
        timer("d", 20),
    ];
    storage.apply(&batch(1, &rows)).unwrap();
    let all = Scan {
        limit: 10,
        ..Scan::default()
    };
    assert_eq!(
        storage.scan(6, &all).unwrap(),
        [&rows[1], &rows[2], &rows[3], &rows[0]].map(Clone::clone)
    );
    let due = Scan {
        until: Some(20),
        ..all.clone()
    };
    assert_eq!(storage.scan(6, &due).unwrap().len(), 3);
    let after = [Value::Text("c"), Value::Number(1), Value::Number(20)];
    let behind = Scan {
        after: Some(&after),
        ..all.clone()
    };
    assert_eq!(
        storage.scan(6, &behind).unwrap(),
        [rows[3].clone(), rows[0].clone()]
    );
    let back = Scan {
        after: Some(&after),
        reverse: true,
        ..all.clone()
    };
    assert_eq!(storage.scan(6, &back).unwrap(), [rows[1].clone()]);
    let one = Scan {
        limit: 1,
        reverse: true,
        ..all.clone()
    };
    assert_eq!(storage.scan(6, &one).unwrap(), [rows[0].clone()]);
    assert_eq!(
        storage
            .scan(
                6,
                &Scan {
                    until: Some(9),
                    ..all
                }
            )
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn loads_an_execution_with_all_rows_within_it_and_no_other() {
    let storage = memory();
    let neighbour = "/t/n/e0000001/0000000000000002";
    let own = [
        texts(1, &[EXECUTION, "w"]),
        texts(2, &[&activity(1), "A"]),
        texts(3, &[&format!("{}/b0", activity(1))]),
        texts(4, &[&format!("{}/i0", activity(2))]),
        texts(10, &[&activity(2), "[]"]),
    ];
    let others = [
        texts(1, &[neighbour, "w"]),
        texts(2, &[&format!("{neighbour}/00000001"), "A"]),
    ];
    storage
        .apply(&batch(1, &[&own[..], &others[..]].concat()))
        .unwrap();
    let loaded = storage.load(EXECUTION).unwrap();
    let mut rows = Reader::new(&loaded);
    assert_eq!(rows.array().unwrap(), 5);
    for _ in 0..5 {
        let start = rows.offset();
        rows.skip(1).unwrap();
        assert!(own.iter().any(|row| row == rows.since(start)));
    }
    assert!(rows.is_at_end());
    assert_eq!(
        storage.load("/t/n/e0000001/0000000000000009").unwrap(),
        [0x90]
    );
}

#[test]
fn deletes_a_long_history_and_nothing_beside_it() {
    let storage = memory();
    let neighbours = [
        "/t/n/e0000001/0000000000000000",
        "/t/n/e0000001/0000000000000002",
    ];
    let mut puts = batch(1, &[texts(1, &[EXECUTION, "w"])]);
    for event in 1..=3000 {
        puts.push(EXECUTION, event, 1, b"turn");
    }
    for neighbour in neighbours {
        puts.push(neighbour, 1, 1, b"turn");
    }
    storage.apply(&puts).unwrap();
    let mut deletion = batch(2, &[texts(-100, &[EXECUTION])]);
    deletion.push(EXECUTION, 3001, 1, b"turn");
    storage.apply(&deletion).unwrap();
    let turns = |execution| storage.history(execution, 1, 5000, false).unwrap().len();
    assert_eq!(turns(EXECUTION), 0);
    assert_eq!(neighbours.map(turns), [1, 1]);
    let mut again = batch(3, &[]);
    again.push(EXECUTION, 1, 1, b"turn");
    storage.apply(&again).unwrap();
    assert_eq!(turns(EXECUTION), 1);
}

#[test]
fn deletes_all_of_an_execution_also_what_the_same_batch_put() {
    let storage = memory();
    let mut first = batch(
        1,
        &[texts(1, &[EXECUTION, "w"]), texts(2, &[&activity(1), "A"])],
    );
    first.push(EXECUTION, 1, 1, b"turn");
    storage.apply(&first).unwrap();
    let later = "/t/n/e0000001/0000000000000002";
    let mut second = batch(
        2,
        &[
            texts(2, &[&activity(2), "B"]),
            texts(-100, &[EXECUTION]),
            texts(1, &[later, "w"]),
            texts(2, &[&format!("{later}/00000001"), "A"]),
        ],
    );
    second.push(EXECUTION, 2, 1, b"last turn");
    storage.apply(&second).unwrap();
    assert_eq!(storage.load(EXECUTION).unwrap(), [0x90]);
    assert!(storage.history(EXECUTION, 0, 10, false).unwrap().is_empty());
    assert_eq!(storage.get(2, &[Value::Text(&activity(2))]).unwrap(), None);
    assert_eq!(storage.load(later).unwrap()[4], 2);
}

#[test]
fn reads_a_history_from_any_event_in_both_directions() {
    let storage = memory();
    let mut turns = batch(1, &[]);
    for (first, turn) in [(1, "one"), (4, "four"), (9, "nine")] {
        turns.push(EXECUTION, first, 1, turn.as_bytes());
    }
    turns.push("/t/n/e0000001/0000000000000002", 1, 1, b"another's");
    storage.apply(&turns).unwrap();
    let read = |first, limit, reverse| {
        let rows = storage.history(EXECUTION, first, limit, reverse).unwrap();
        rows.into_iter()
            .map(|row| String::from_utf8(row).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(read(0, 9, false), ["one", "four", "nine"]);
    assert_eq!(read(1, 9, false), ["one", "four", "nine"]);
    assert_eq!(read(5, 9, false), ["four", "nine"]);
    assert_eq!(read(9, 9, false), ["nine"]);
    assert_eq!(read(4, 1, false), ["four"]);
    assert_eq!(read(0, 9, true), ["nine", "four", "one"]);
    assert_eq!(read(5, 9, true), ["four", "one"]);
}

#[test]
fn refuses_changes_that_it_cannot_understand() {
    for changes in [
        &b"\x91\x91\x63"[..],     // a tag that no row has
        b"\x91\x91\x01",          // a row without its key
        b"\x91\x92\x01\x05",      // a number where an id is due
        b"\x92\x92\x01\xa1a",     // one row of two
        b"\x91\x92\x01\xa1a\x00", // bytes behind the array
        b"\x01",                  // no array
    ] {
        let mut batch = batch(1, &[]);
        batch.changes = changes.to_vec();
        assert!(batch.check().is_err(), "{changes:?}");
    }
    batch(1, &[timer("a", 1), texts(-100, &[EXECUTION])])
        .check()
        .unwrap();
}

#[test]
fn a_reopened_storage_holds_what_was_flushed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        Storage::open(
            Some(&folder.path().join("storage")),
            &StorageOptions::default(),
        )
    };
    let storage = open().unwrap();
    storage
        .apply(&batch(1, &[texts(1, &[EXECUTION, "w"])]))
        .unwrap();
    storage.flush().unwrap();
    storage
        .apply(&batch(2, &[texts(-1, &[EXECUTION]), timer("a", 1)]))
        .unwrap();
    assert!(matches!(open(), Err(Error::Locked { .. })));
    let copy = folder.path().join("copy");
    storage.checkpoint(&copy).unwrap();
    drop(storage);
    let storage = open().unwrap();
    // The checkpoint flushed the second batch: its position and its rows came along.
    assert_eq!(storage.applied().unwrap().position, 2);
    assert_eq!(storage.get(1, &[Value::Text(EXECUTION)]).unwrap(), None);
    let copied = Storage::open(Some(&copy), &StorageOptions::default()).unwrap();
    assert_eq!(copied.applied().unwrap().position, 2);
    assert_eq!(
        copied
            .scan(
                6,
                &Scan {
                    limit: 9,
                    ..Scan::default()
                }
            )
            .unwrap(),
        [timer("a", 1)]
    );
}

#[test]
fn refuses_a_newer_format() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Storage::open(Some(folder.path()), &StorageOptions::default());
    let storage = open().unwrap();
    let family = storage.family(Family::Meta).unwrap();
    storage
        .db
        .put_cf_opt(family, FORMAT_KEY, 9_u32.to_be_bytes(), &storage.write)
        .unwrap();
    storage.flush().unwrap();
    drop(storage);
    assert!(matches!(
        open(),
        Err(Error::Format {
            found: 9,
            known: FORMAT,
            ..
        })
    ));
}

#[test]
fn a_read_in_memory_leaves_to_the_disk_what_only_the_disk_knows() {
    let folder = tempfile::tempdir().unwrap();
    let key = [Value::Text(EXECUTION)];
    let row = texts(1, &[EXECUTION, "w"]);
    let state = texts(2, &[&activity(1), "S"]);
    let open = || Storage::open(Some(folder.path()), &StorageOptions::default()).unwrap();
    let storage = open();
    storage
        .apply(&batch(7, &[row.clone(), state.clone()]))
        .unwrap();
    assert_eq!(
        storage.get_in_memory(1, &key).unwrap(),
        Some(Some(row.clone()))
    );
    assert_eq!(
        storage.load_in_memory(EXECUTION).unwrap(),
        Some(storage.load(EXECUTION).unwrap())
    );
    storage.flush().unwrap();
    drop(storage);

    let storage = open();
    assert_eq!(storage.get_in_memory(1, &key).unwrap(), None);
    assert_eq!(storage.load_in_memory(EXECUTION).unwrap(), None);
    assert_eq!(storage.get(1, &key).unwrap(), Some(row.clone()));
    assert_eq!(storage.get_in_memory(1, &key).unwrap(), Some(Some(row)));
    assert_eq!(storage.load_in_memory(EXECUTION).unwrap(), None); // the states' block is still on disk
    let whole = storage.load(EXECUTION).unwrap();
    assert!(whole.ends_with(&state));
    assert_eq!(storage.load_in_memory(EXECUTION).unwrap(), Some(whole));
    assert_eq!(
        storage
            .get_in_memory(1, &[Value::Text("/t/n/e0000001/0000000000000002")])
            .unwrap(),
        Some(None)
    );
}
