use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::env::{FaultEnv, Loss, Operation};
use crate::log::{FileLogStream, LogOptions};

const LONG: Option<Duration> = Some(Duration::from_secs(60));

fn batch(payload: &[u8]) -> Batch {
    let mut batch = Batch::with_capacity(payload.len(), 1);
    batch.push("/t/n/e0000001/0000000000000001", 1, 1, payload);
    batch
}

fn log(env: &FaultEnv, segment_bytes: u64) -> Arc<FileLogStream> {
    let options = LogOptions {
        segment_bytes,
        ..LogOptions::default()
    };
    let log = FileLogStream::open(Arc::new(env.clone()), &PathBuf::from("/log"), options);
    Arc::new(log.unwrap())
}

/// A store whose log is on a disk that can fail, and whose storage is in memory.
fn store(env: &FaultEnv, options: &StoreOptions) -> Store {
    let storage = Storage::open(None, &options.storage).unwrap();
    Store::new(log(env, options.segment_bytes), storage, None, options).unwrap()
}

fn commit(store: &Store, payload: &[u8]) -> Result<u64> {
    Store::commit(store.queue(), batch(payload), false)
}

/// Commits a deferred batch and waits for it, so that the calling thread writes it.
fn commit_and_wait(store: &Store, payload: &[u8]) -> Result<u64> {
    let position = Store::commit(store.queue(), batch(payload), true)?;
    store.wait_applied(position, LONG)?;
    Ok(position)
}

#[test]
fn a_batch_can_be_read_once_it_is_applied() {
    let store = store(&FaultEnv::new(), &StoreOptions::default());
    let position = commit(&store, b"turn").unwrap();
    assert!(store.queue().wait_applied(position, LONG).unwrap());
    let execution = "/t/n/e0000001/0000000000000001";
    assert_eq!(
        store.storage().history(execution, 0, 9, false).unwrap(),
        [b"turn"]
    );
    assert_eq!(store.read_log(1, 100).unwrap()[0].payload, b"turn");
}

#[test]
fn a_failing_disk_poisons_the_store_and_confirms_nothing() {
    for operation in [Operation::Write, Operation::Sync] {
        let env = FaultEnv::new();
        let store = store(&env, &StoreOptions::default());
        let before = commit(&store, b"before").unwrap();
        assert!(store.queue().wait_applied(before, LONG).unwrap());
        env.fail(operation, 0, libc::EIO);
        let lost = commit(&store, b"lost").unwrap();
        for _ in 0..2 {
            let outcome = store.queue().wait_applied(lost, LONG);
            assert!(
                matches!(outcome, Err(Error::Poisoned { .. })),
                "{operation:?}"
            );
            assert!(matches!(
                commit(&store, b"more"),
                Err(Error::Poisoned { .. })
            ));
            assert!(matches!(store.flush(), Err(Error::Poisoned { .. })));
        }
        assert_eq!(store.queue().applied(), before);
        assert!(matches!(store.close(), Err(Error::Poisoned { .. })));
    }
}

#[test]
fn a_full_disk_loses_nothing_that_was_confirmed() {
    let env = FaultEnv::new();
    let full = store(&env, &StoreOptions::default());
    env.limit_space(10_000);
    let mut confirmed = 0;
    while let Ok(position) = commit(&full, &[7; 300]) {
        match full.queue().wait_applied(position, LONG) {
            Ok(_) => confirmed = position,
            Err(_) => break,
        }
    }
    assert!(confirmed > 10);
    drop(full);
    let env = env.after_crash(Loss::Unsynced);
    let reopened = store(&env, &StoreOptions::default());
    assert!(reopened.queue().tail() >= confirmed);
}

/// Power cuts at many places: everything that was confirmed is on the log of the next start.
#[test]
fn what_was_confirmed_survives_a_power_cut_anywhere() {
    for cut in (0..4000).step_by(37) {
        let env = FaultEnv::new();
        let first = store(&env, &StoreOptions::default());
        env.crash_after(cut);
        let mut confirmed = 0;
        for number in 0..20_u8 {
            let outcome = match cut % 3 {
                0 => commit_and_wait(&first, &[number; 150]),
                _ => commit(&first, &[number; 150]).and_then(|position| {
                    first.queue().wait_applied(position, LONG)?;
                    Ok(position)
                }),
            };
            let Ok(position) = outcome else { break };
            confirmed = position;
        }
        let loss = if cut % 2 == 0 {
            Loss::Unsynced
        } else {
            Loss::Some(cut)
        };
        let env = env.after_crash(loss);
        drop(first);
        let second = store(&env, &StoreOptions::default());
        let frames = second.read_log(1, usize::MAX).unwrap();
        assert!(frames.len() as u64 >= confirmed, "cut {cut}");
        for (number, frame) in frames.iter().enumerate() {
            assert_eq!(frame.payload, [number as u8; 150], "cut {cut}");
        }
    }
}

#[test]
fn a_log_is_replayed_before_anything_is_committed() {
    let env = FaultEnv::new();
    let first = store(&env, &StoreOptions::default());
    for payload in [b"one", b"two"] {
        commit(&first, payload).unwrap();
    }
    first.close().unwrap();
    let second = store(&env, &StoreOptions::default());
    assert_eq!((second.queue().applied(), second.queue().tail()), (0, 2));
    assert!(matches!(
        commit(&second, b"more"),
        Err(Error::OutOfOrder { .. })
    ));
    for frame in second.read_log(1, usize::MAX).unwrap() {
        let mut replayed = batch(&frame.payload);
        replayed.position = frame.last();
        second.apply(&replayed).unwrap();
        assert!(matches!(
            second.apply(&replayed),
            Err(Error::OutOfOrder { .. })
        ));
    }
    assert_eq!(commit(&second, b"more").unwrap(), 3);
    assert!(second.queue().wait_applied(3, LONG).unwrap());
}

#[test]
fn the_log_is_cut_only_up_to_what_is_flushed() {
    let options = StoreOptions {
        segment_bytes: 1000,
        flush_bytes: 1 << 30,
        ..StoreOptions::default()
    };
    let store = store(&FaultEnv::new(), &options);
    for _ in 0..50 {
        let position = commit(&store, &[7; 300]).unwrap();
        assert!(store.queue().wait_applied(position, LONG).unwrap());
    }
    assert_eq!(store.truncate_log(40).unwrap(), 1);
    assert_eq!(store.flush().unwrap(), 50);
    let start = store.truncate_log(40).unwrap();
    assert!((30..=40).contains(&start), "{start}");
}

#[test]
fn upkeep_flushes_and_cuts_by_itself() {
    let options = StoreOptions {
        segment_bytes: 1000,
        flush_bytes: 5000,
        ..StoreOptions::default()
    };
    let store = store(&FaultEnv::new(), &options);
    let mut stats = store.stats();
    for _ in 0..2000 {
        let position = commit(&store, &[7; 300]).unwrap();
        assert!(store.queue().wait_applied(position, LONG).unwrap());
        stats = store.stats();
        if stats.log_start > 1 {
            break;
        }
    }
    assert!(stats.log_start > 1 && stats.log_start <= stats.flushed + 1);
}

#[test]
fn an_earlier_epoch_is_fenced() {
    let env = FaultEnv::new();
    let options = |epoch| StoreOptions {
        epoch: Some(epoch),
        ..StoreOptions::default()
    };
    let leader = store(&env, &options(2));
    commit(&leader, b"turn").unwrap();
    leader.close().unwrap();
    let storage = || Storage::open(None, &StorageOptions::default()).unwrap();
    let late = Store::new(log(&env, 1 << 20), storage(), None, &options(1));
    assert!(matches!(
        late,
        Err(Error::Fenced {
            epoch: 1,
            current: 2
        })
    ));
}

#[test]
fn a_folder_is_copied_as_a_store_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions::default();
    let store = Store::open(Some(&folder.path().join("a")), &options).unwrap();
    let position = commit(&store, b"turn").unwrap();
    assert!(store.queue().wait_applied(position, LONG).unwrap());
    assert_eq!(store.checkpoint(&folder.path().join("b")).unwrap(), 1);
    let copy = Store::open(Some(&folder.path().join("b")), &options).unwrap();
    assert_eq!((copy.queue().applied(), copy.queue().tail()), (1, 1));
    assert_eq!(commit(&copy, b"more").unwrap(), 2);
    copy.close().unwrap();
    let copy = Store::open(Some(&folder.path().join("b")), &options).unwrap();
    assert_eq!(copy.queue().applied(), 2);
    assert!(matches!(
        Store::open(Some(&folder.path().join("a")), &options),
        Err(Error::Locked { .. })
    ));
}

#[test]
fn a_deferred_batch_is_written_by_the_thread_that_waits_and_its_failure_reaches_all() {
    let env = FaultEnv::new();
    let store = store(&env, &StoreOptions::default());
    let position = Store::commit(store.queue(), batch(b"turn"), true).unwrap();
    thread::sleep(Duration::from_millis(20));
    assert_eq!(store.queue().applied(), 0);
    assert_eq!(store.wait(0, LONG).unwrap(), position);
    env.fail(Operation::Sync, 0, libc::EIO);
    let lost = Store::commit(store.queue(), batch(b"lost"), true).unwrap();
    for outcome in [
        store.wait(position, LONG).map(drop),
        store.wait_applied(lost, LONG).map(drop),
        commit(&store, b"more").map(drop),
    ] {
        assert!(matches!(outcome, Err(Error::Poisoned { .. })));
    }
    assert!(matches!(store.close(), Err(Error::Poisoned { .. })));
}

/// One thread commits and is sometimes busy; others notify and wait. No thread hangs.
#[test]
fn batches_written_by_two_threads_are_all_applied_in_order() {
    let store = Arc::new(store(&FaultEnv::new(), &StoreOptions::default()));
    let noise: Vec<_> = (0..2)
        .map(|_| {
            let store = store.clone();
            thread::spawn(move || {
                while store.queue().applied() < 3000 {
                    store.queue().notify();
                    store
                        .wait_applied(3000, Some(Duration::from_micros(50)))
                        .unwrap();
                }
            })
        })
        .collect();
    let mut seen = 0;
    for number in 0..3000_u64 {
        let position = Store::commit(store.queue(), batch(b"turn"), true).unwrap();
        assert_eq!(position, number + 1);
        let timeout = if number % 3 == 0 {
            Some(Duration::ZERO)
        } else {
            LONG
        };
        let applied = store.wait(seen, timeout).unwrap();
        assert!(applied >= seen);
        seen = applied;
    }
    assert!(store.wait_applied(3000, LONG).unwrap());
    noise.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(store.read_log(1, usize::MAX).unwrap().len(), 3000);
}
