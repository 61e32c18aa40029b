use std::sync::Arc;
use std::thread;

use super::*;

fn batch(count: u32, bytes: usize) -> Batch {
    let mut batch = Batch::default();
    batch.push("", 0, count, &vec![0; bytes]);
    batch
}

fn queue(limit: usize) -> Arc<Queue> {
    Arc::new(Queue::new(0, 0, 0, limit, u64::MAX))
}

const SOON: Option<Duration> = Some(Duration::from_millis(20));
const LONG: Option<Duration> = Some(Duration::from_secs(60));

#[test]
fn positions_count_records_and_batches_come_out_in_order() {
    let queue = queue(1000);
    assert_eq!(queue.push(batch(3, 10), false).unwrap(), 3);
    assert_eq!(queue.push(batch(2, 10), false).unwrap(), 5);
    let taken = queue.take().unwrap();
    assert_eq!(
        taken.iter().map(|batch| batch.position).collect::<Vec<_>>(),
        [3, 5]
    );
}

#[test]
fn a_full_queue_blocks_until_there_is_room() {
    let queue = queue(100);
    queue.push(batch(1, 90), false).unwrap();
    let writer = {
        let queue = queue.clone();
        thread::spawn(move || queue.push(batch(1, 90), false))
    };
    thread::sleep(Duration::from_millis(30));
    assert!(!writer.is_finished());
    assert_eq!(queue.take().unwrap().len(), 1);
    queue.done(1, 1, 90);
    assert_eq!(writer.join().unwrap().unwrap(), 2);
}

#[test]
fn a_batch_larger_than_the_queue_passes_alone() {
    assert_eq!(queue(100).push(batch(1, 1000), false).unwrap(), 1);
}

#[test]
fn a_batch_that_the_log_cannot_hold_is_refused_and_the_queue_goes_on() {
    let queue = Queue::new(0, 0, 0, 1000, 50);
    let mut rows = batch(1, 10);
    rows.changes = vec![0; 51];
    for large in [batch(1, 51), rows] {
        let error = queue.push(large, false).unwrap_err();
        assert!(matches!(
            error,
            Error::TooLarge {
                bytes: 51,
                limit: 50
            }
        ));
    }
    assert_eq!(queue.push(batch(1, 50), false).unwrap(), 1);
    assert_eq!(queue.take().unwrap().len(), 1);
}

type Wait = Box<dyn FnOnce(&Queue) -> Result<()> + Send>;

#[test]
fn closing_and_poison_end_every_wait() {
    for poisons in [false, true] {
        let queue = queue(100);
        queue.push(batch(1, 90), false).unwrap();
        let waits: [Wait; 3] = [
            Box::new(|queue| queue.wait(0, None).map(drop)),
            Box::new(|queue| queue.wait_applied(9, None).map(drop)),
            Box::new(|queue| queue.push(batch(1, 90), false).map(drop)),
        ];
        let waiters = waits.map(|wait| {
            let queue = queue.clone();
            thread::spawn(move || wait(&queue))
        });
        thread::sleep(Duration::from_millis(20));
        match poisons {
            true => queue.poison("the disk is gone".to_owned()),
            false => queue.close(),
        }
        for waiter in waiters {
            let error = waiter.join().unwrap().unwrap_err();
            assert_eq!(matches!(error, Error::Poisoned { .. }), poisons);
            assert_eq!(matches!(error, Error::Closed), !poisons);
        }
        // Batches queued before closing are still written; after a failure nothing is.
        assert_eq!(queue.take().is_some(), !poisons);
        assert!(queue.take().is_none());
        assert!(queue.push(batch(1, 1), false).is_err());
    }
}

#[test]
fn poison_outlasts_closing() {
    let queue = queue(100);
    queue.poison("first".to_owned());
    queue.close();
    assert!(matches!(queue.check(), Err(Error::Poisoned { .. })));
}

#[test]
fn no_batch_is_accepted_before_the_log_is_replayed() {
    let queue = Queue::new(3, 0, 10, 100, u64::MAX);
    assert!(matches!(
        queue.push(batch(1, 1), false),
        Err(Error::OutOfOrder { applied: 3, .. })
    ));
    queue.replayed(10, 5);
    assert_eq!(queue.push(batch(1, 1), false).unwrap(), 11);
    assert_eq!(queue.hlc(), 5);
}

#[test]
fn a_wait_ends_by_progress_by_notification_and_by_timeout() {
    let queue = queue(100);
    assert_eq!(queue.wait(0, SOON).unwrap(), 0);
    queue.notify();
    queue.notify();
    assert_eq!(queue.wait(0, LONG).unwrap(), 0);
    assert_eq!(queue.wait(0, SOON).unwrap(), 0);
    queue.replayed(4, 0);
    assert_eq!(queue.wait(3, LONG).unwrap(), 4);
    assert!(queue.wait_applied(4, LONG).unwrap());
    assert!(!queue.wait_applied(5, SOON).unwrap());
}

/// Two threads wake each other in turn: if one notification were lost, both would wait for ever.
#[test]
fn no_notification_is_lost() {
    let (there, back) = (queue(100), queue(100));
    let other = {
        let (there, back) = (there.clone(), back.clone());
        thread::spawn(move || {
            for _ in 0..20_000 {
                there.wait(0, None).unwrap();
                back.notify();
            }
        })
    };
    for _ in 0..20_000 {
        there.notify();
        back.wait(0, None).unwrap();
    }
    other.join().unwrap();
}

#[test]
fn a_thread_that_waits_takes_deferred_batches() {
    let queue = queue(100);
    queue.push(batch(1, 10), true).unwrap();
    let committer = {
        let queue = queue.clone();
        thread::spawn(move || queue.take().map(|batches| batches.len()))
    };
    thread::sleep(Duration::from_millis(20));
    assert!(!committer.is_finished());
    assert_eq!(queue.take_now(false).unwrap().len(), 1);
    // While one thread writes, no other may: what is queued meanwhile is left to the committer.
    queue.push(batch(1, 10), true).unwrap();
    queue.push(batch(1, 10), false).unwrap();
    assert!(queue.take_now(false).is_none());
    thread::sleep(Duration::from_millis(20));
    assert!(!committer.is_finished());
    queue.finish();
    assert_eq!(committer.join().unwrap(), Some(2));
}

#[test]
fn a_busy_thread_leaves_batches_to_the_committer() {
    for is_notified in [false, true] {
        let queue = queue(100);
        queue.push(batch(1, 10), true).unwrap();
        if is_notified {
            queue.notify();
        }
        assert!(queue.take_now(!is_notified).is_none());
        assert_eq!(queue.take().unwrap().len(), 1);
    }
}

#[test]
fn a_full_queue_wakes_the_committer_for_deferred_batches() {
    let queue = queue(100);
    queue.push(batch(1, 90), true).unwrap();
    let committer = {
        let queue = queue.clone();
        thread::spawn(move || {
            let batches = queue.take().unwrap();
            queue.done(1, 1, 90);
            queue.finish();
            batches.len()
        })
    };
    assert_eq!(queue.push(batch(1, 90), true).unwrap(), 2);
    assert_eq!(committer.join().unwrap(), 1);
}

#[test]
fn deferred_batches_are_written_before_the_queue_closes() {
    let queue = queue(100);
    queue.push(batch(1, 10), true).unwrap();
    queue.close();
    assert!(queue.take_now(false).is_none());
    assert_eq!(queue.take().unwrap().len(), 1);
    assert!(queue.take().is_none());
}
