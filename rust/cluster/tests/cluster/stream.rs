//! Publishing for certain: the stream holds a message once, or another one is there, whatever gets lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use stepwell_cluster::publishing::{Outcome, publish};
use stepwell_cluster::wire::Abort;

use super::faults::{Fate, Node, Stream, fate};

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    prop::collection::vec(fate(), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_message_is_taken_once_or_another_one_is_there(
        ours in fates(), theirs in fates(), stale in prop::collection::vec(0..3_usize, 0..4),
    ) {
        let stream = Arc::<Stream>::default();
        let nodes = [Node::new(&stream), Node::new(&stream)];
        nodes[0].fates.lock().extend(ours);
        nodes[1].fates.lock().extend(theirs);
        nodes[0].stale.lock().extend(stale);
        let messages = [Bytes::from_static(b"ours"), Bytes::from_static(b"theirs")];
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let threads: Vec<_> = nodes.iter().zip(&messages).map(|(node, message)| {
                scope.spawn(|| publish(&**node, std::slice::from_ref(message), 0, None, &Abort::default()))
            }).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        stream.settle();
        let held = stream.messages();
        prop_assert_eq!(held.len(), 1);
        let winner = messages.iter().position(|message| *message == held[0]).unwrap();
        prop_assert_eq!(&outcomes[winner], &Outcome::Ours(1));
        prop_assert_eq!(&outcomes[1 - winner], &Outcome::Other);
    }
}

#[test]
fn a_caller_that_is_to_stop_or_has_no_time_left_is_not_kept() {
    let node = Node::new(&Arc::default());
    node.fates.lock().extend([Fate::Lost; 1000]);
    let message = [Bytes::from_static(b"ours")];
    let soon = Instant::now() + Duration::from_millis(50);
    let late = publish(&*node, &message, 0, Some(soon), &Abort::default());
    assert!(matches!(late, Outcome::Aborted(_)));
    let abort = Abort::default();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| publish(&*node, &message, 0, None, &abort));
        abort.set();
        assert!(matches!(waiting.join().unwrap(), Outcome::Aborted(_)));
    });
}
