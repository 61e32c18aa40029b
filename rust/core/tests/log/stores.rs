//! A log belongs to one store, in one folder.

use std::path::Path;
use std::sync::Arc;

use stepwell_core::env::{Env, FaultEnv};
use stepwell_core::identity::StoreId;
use stepwell_core::log::{
    FileLogStream, FollowedLog, Follower, LogOptions, LogStream, repair, stores, verify,
};
use stepwell_core::{Error, Result};

use super::{
    STORE, append_numbers, check_prefix, folder, follower, open, open_with, read, segment,
};

const OTHER: StoreId = StoreId::from_bytes([9; 16]);

fn open_as(env: &FaultEnv, store: Option<StoreId>) -> Result<FileLogStream> {
    let options = LogOptions {
        segment_bytes: 700,
        store,
        ..LogOptions::default()
    };
    FileLogStream::open(Arc::new(env.clone()), &folder(), options)
}

/// A log of twelve batches in several segments.
fn log_of(store: StoreId) -> FaultEnv {
    let env = FaultEnv::new();
    let log = open_as(&env, Some(store)).unwrap();
    append_numbers(&log, 1, 12).unwrap();
    drop(log);
    env
}

fn segments(env: &FaultEnv) -> Vec<String> {
    let mut names = env.list(&folder()).unwrap();
    names.retain(|name| name.ends_with(".log"));
    names.sort();
    names
}

fn follow(env: &FaultEnv, of: Option<StoreId>) -> Result<FollowedLog> {
    let by = Follower {
        of,
        ..follower("b")
    };
    FollowedLog::open(Arc::new(env.clone()), &folder(), &by, 1)
}

/// Reads and passes everything in a followed log; returns the error that ends it, if any.
fn take_all(log: &mut FollowedLog) -> Result<()> {
    while let Some(last) = log.read(usize::MAX)?.last() {
        log.pass(last.last());
    }
    Ok(())
}

fn is_other<T>(refused: &Result<T>) -> bool {
    matches!(refused, Err(Error::OtherStore { .. }))
}

#[test]
fn a_new_log_names_its_store_for_good() {
    let env = FaultEnv::new();
    let id = open_as(&env, None).unwrap().store();
    assert_eq!(stores(&env, &folder()).unwrap(), [id]);
    assert_eq!(verify(&env, &folder()).unwrap().store, Some(id));
    for store in [None, Some(id)] {
        assert_eq!(open_as(&env, store).unwrap().store(), id);
    }
    assert_ne!(open_as(&FaultEnv::new(), None).unwrap().store(), id);
}

#[test]
fn a_log_of_another_store_is_refused_and_not_changed() {
    let env = log_of(STORE);
    let last = folder().join(segments(&env).last().unwrap());
    let mut bytes = env.bytes(&last).unwrap();
    bytes.truncate(bytes.len() - 5);
    env.put(&last, bytes.clone());
    assert!(is_other(&open_as(&env, Some(OTHER))));
    assert!(is_other(&repair(&env, &folder(), 0, Some(OTHER))));
    assert!(is_other(&follow(&env, Some(OTHER))));
    assert_eq!(env.bytes(&last).unwrap(), bytes);
    assert_eq!(follow(&env, Some(STORE)).unwrap().store(), STORE);
    assert_eq!(open_as(&env, Some(STORE)).unwrap().store(), STORE);
}

#[test]
fn a_segment_of_another_store_is_never_served_and_is_cut_out_by_a_repair() {
    let names = segments(&log_of(STORE));
    assert_eq!(names, segments(&log_of(OTHER)));
    for (index, name) in names.iter().enumerate() {
        let env = log_of(STORE);
        let place = folder().join(name);
        env.put(&place, log_of(OTHER).bytes(&place).unwrap());
        let found = open_as(&env, Some(STORE)).and_then(|log| read(&log, 1));
        match index + 1 == names.len() {
            true => assert!(is_other(&found), "{name}"),
            false => assert!(matches!(found, Err(Error::Corruption { .. })), "{name}"),
        }
        let followed = follow(&env, None).and_then(|mut log| take_all(&mut log));
        assert!(is_other(&followed), "{name}: {followed:?}");
        repair(&env, &folder(), 0, Some(STORE)).unwrap();
        let log = open_as(&env, Some(STORE)).unwrap();
        assert_eq!(log.store(), STORE);
        check_prefix(&log);
    }
}

#[test]
fn a_repair_finds_the_store_in_any_segment() {
    let env = log_of(STORE);
    let names = segments(&env);
    for name in &names[..names.len() - 1] {
        env.flip(&folder().join(name), 8 * 50);
    }
    let repaired = repair(&env, &folder(), 12, None).unwrap();
    assert_eq!((repaired.last, repaired.lost_from), (12, None));
    assert_eq!(open_as(&env, None).unwrap().store(), STORE);
}

#[test]
fn a_leader_whose_folder_is_displaced_confirms_nothing() {
    let env = FaultEnv::new();
    let log = open(&env).unwrap();
    append_numbers(&log, 1, 2).unwrap();
    log.sync().unwrap();
    append_numbers(&log, 3, 3).unwrap();
    env.displace("something else is there now");
    let refused = log.sync().unwrap_err();
    assert!(matches!(&refused, Error::Displaced { path, .. } if path == Path::new("/log")));
    assert_eq!(log.durable(), 2);
    assert!(matches!(log.sync(), Err(Error::Poisoned { .. })));
    assert!(matches!(
        append_numbers(&log, 4, 4),
        Err(Error::Poisoned { .. })
    ));
    let displaced = follow(&env, None);
    assert!(matches!(displaced, Err(Error::Displaced { .. })));
}

#[test]
fn a_leader_whose_segment_is_gone_or_another_file_confirms_nothing_and_followers_stop() {
    for is_replaced in [false, true] {
        let env = FaultEnv::new();
        let log = open(&env).unwrap();
        append_numbers(&log, 1, 2).unwrap();
        log.sync().unwrap();
        let mut follower = follow(&env, None).unwrap();
        assert_eq!(follower.read(usize::MAX).unwrap().len(), 2);
        let bytes = env.bytes(&segment(1)).unwrap();
        env.remove(&segment(1)).unwrap();
        if is_replaced {
            env.put(&segment(1), bytes);
        }
        append_numbers(&log, 3, 3).unwrap();
        assert!(matches!(log.sync(), Err(Error::Displaced { path, .. }) if path == segment(1)));
        assert_eq!(log.durable(), 2);
        let stopped = take_all(&mut follower);
        assert!(
            matches!(stopped, Err(Error::Displaced { .. })),
            "{stopped:?}"
        );
    }
}

#[test]
fn a_mark_of_another_store_does_not_hold_back_truncation() {
    let env = FaultEnv::new();
    let log = open_with(&env, 700).unwrap();
    append_numbers(&log, 1, 12).unwrap();
    log.sync().unwrap();
    let mark = |store| format!("{:016x}.{OTHER}.{store}.follower", 0);
    env.put(&folder().join(mark(OTHER)), Vec::new());
    env.put(&folder().join("0000000000000000.b.follower"), Vec::new());
    let start = log.truncate_before(8).unwrap();
    assert!(start > 1);
    env.put(&folder().join(mark(STORE)), Vec::new());
    assert_eq!(log.truncate_before(12).unwrap(), start);
}
