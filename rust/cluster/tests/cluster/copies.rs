//! Copies of one stream: one leads, the others follow, and whoever led before confirms nothing more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use stepwell_cluster::{Copy, Role, found};
use stepwell_core::Error;
use stepwell_core::env::Folder;
use stepwell_core::identity::StoreId;
use stepwell_core::store::{Store, StoreOptions};

use super::faults::{Node, Stream, fate};
use super::formats::forged;
use super::nodes::{TIME, batch, commit, content, drawn, fails, following, reaches, replay};

#[test]
fn a_follower_has_what_the_leader_confirmed_and_goes_on_from_there() {
    let (stream, place) = (Arc::<Stream>::default(), tempfile::tempdir().unwrap());
    let nodes = [(); 3].map(|()| Node::new(&stream));
    let copies = [0, 1, 2].map(|i| {
        following(
            &place.path().join(i.to_string()),
            &nodes[i],
            &format!("n{i}"),
        )
    });
    assert!(matches!(
        commit(&copies[0].store(), "too early"),
        Err(Error::Following)
    ));

    let first = copies[0].lead(TIME).unwrap();
    for i in 0..20 {
        commit(&first, &format!("first {i}")).unwrap();
    }
    reaches(&copies[1], 20);
    let second = copies[1].lead(TIME).unwrap();
    assert_eq!(copies[1].status().leader.as_deref(), Some("n1"));
    assert!(matches!(
        commit(&first, "a former leader's"),
        Err(Error::Fenced { .. } | Error::Following)
    ));
    for i in 0..20 {
        commit(&second, &format!("second {i}")).unwrap();
    }
    copies[0].follow().unwrap();
    second.finish().unwrap();
    assert!(
        matches!(copies[1].lead(TIME), Err(Error::Following)),
        "its store is closed"
    );
    copies[1].follow().unwrap();
    for copy in &copies {
        reaches(copy, 40);
        assert_eq!(copy.status().at.epoch, 2);
        assert_eq!(content(copy), content(&copies[1]));
    }
    for copy in &copies {
        copy.close().unwrap();
    }
}

#[test]
fn a_leader_that_writes_nothing_notices_that_another_one_leads() {
    let (stream, place) = (Arc::<Stream>::default(), tempfile::tempdir().unwrap());
    let nodes = [(); 2].map(|()| Node::new(&stream));
    let copies = [0, 1].map(|i| following(&place.path().join(i.to_string()), &nodes[i], "n"));
    let first = copies[0].lead(TIME).unwrap();
    copies[1].lead(TIME).unwrap();
    assert!(copies[0].wait_change("leading", 1, TIME));
    assert_eq!(copies[0].status().role, Role::Ended);
    assert!(matches!(
        first.wait_applied(1, Some(TIME)),
        Err(Error::Fenced { current: 2, .. })
    ));
}

#[test]
fn a_copy_continues_where_it_stopped_with_or_without_its_last_files() {
    let (stream, place) = (Arc::<Stream>::default(), tempfile::tempdir().unwrap());
    let node = Node::new(&stream);
    let folder = place.path().join("0");
    for round in 0..3 {
        let copy = following(&folder, &node, "n");
        let store = copy.lead(TIME).unwrap();
        for i in 0..10 {
            commit(&store, &format!("{round} {i}")).unwrap();
        }
        match round {
            0 => copy.close().unwrap(),
            // As a kill would: neither flushed nor said how far it is.
            _ => drop(copy),
        }
        drop(store);
    }
    let copy = following(&folder, &node, "n");
    let fresh = following(&place.path().join("1"), &Node::new(&stream), "m");
    reaches(&copy, 30);
    reaches(&fresh, 30);
    assert_eq!(content(&copy), content(&fresh));
    // Both have seen all marks too.
    let deadline = Instant::now() + TIME;
    while copy.status().at != fresh.status().at && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(copy.status().at, fresh.status().at);
}

#[test]
fn a_batch_that_is_too_large_for_a_message_goes_in_parts() {
    let (stream, place) = (Arc::<Stream>::default(), tempfile::tempdir().unwrap());
    let nodes = [(); 2].map(|()| Node::new(&stream));
    let copies = [0, 1].map(|i| following(&place.path().join(i.to_string()), &nodes[i], "n"));
    let store = copies[0].lead(TIME).unwrap();
    let mut large = batch("large");
    large.payload = drawn(50_000);
    let position = Store::commit(store.queue(), large, false).unwrap();
    assert!(store.wait_applied(position, Some(TIME)).unwrap());
    assert!(stream.messages().len() > 10);
    commit(&store, "small").unwrap();
    reaches(&copies[1], 2);
    assert_eq!(content(&copies[0]), content(&copies[1]));
}

#[test]
fn a_snapshot_is_the_beginning_of_a_copy_where_the_stream_has_lost_its_own() {
    let (stream, place) = (Arc::<Stream>::default(), tempfile::tempdir().unwrap());
    let nodes = [(); 3].map(|()| Node::new(&stream));
    let copies = [0, 1].map(|i| following(&place.path().join(i.to_string()), &nodes[i], "n"));
    let store = copies[0].lead(TIME).unwrap();
    for i in 0..5 {
        commit(&store, &format!("{i}")).unwrap();
    }
    reaches(&copies[1], 5);
    let path = place.path().join("2");
    assert_eq!(copies[1].snapshot(&path).unwrap().position, 5);
    let of_leader = place.path().join("3");
    assert_eq!(copies[0].snapshot(&of_leader).unwrap().position, 5);
    commit(&store, "later").unwrap();
    stream.purge(copies[1].status().at.sequence.min(6));

    reaches(&copies[1], 6);
    for path in [&path, &of_leader] {
        let late = following(path, &nodes[2], "m");
        reaches(&late, 6);
        assert_eq!(content(&late).1, content(&copies[1]).1);
        assert_eq!(late.status().at, copies[1].status().at);
    }
    let empty = following(&place.path().join("4"), &Node::new(&stream), "e");
    let text = fails(&empty);
    assert!(text.contains("start from a snapshot"), "{text}");
    assert!(empty.status().is_purged && !copies[1].status().is_purged);
}

#[test]
fn a_copy_without_its_stream_is_the_beginning_of_another_store() {
    let (stream, place) = (Arc::<Stream>::default(), tempfile::tempdir().unwrap());
    let path = place.path().join("0");
    let copy = following(&path, &Node::new(&stream), "n");
    let store = copy.lead(TIME).unwrap();
    for i in 0..3 {
        commit(&store, &format!("{i}")).unwrap();
    }
    let (rows, at) = (content(&copy).1, copy.status().at);
    drop(store);
    copy.close().unwrap();
    drop(copy);

    let folder = Arc::new(Folder::open(&path).unwrap());
    let found = found::look(&folder).unwrap().unwrap();
    assert_eq!((&found.stream[..], found.link), ("s", at));
    let copy = Copy::offline(folder, StoreOptions::default()).unwrap();
    replay(&copy.store());
    let (renewed, other) = (StoreId::random(), place.path().join("1"));
    assert_eq!(copy.snapshot_as(&other, renewed).unwrap().hash, at.hash);
    assert!(copy.snapshot(&place.path().join("2")).is_err());

    let folder = Arc::new(Folder::open(&other).unwrap());
    let found = found::look(&folder).unwrap().unwrap();
    assert_eq!((found.store, found.link.hash), (Some(renewed), at.hash));
    let copy = Copy::offline(folder, StoreOptions::default()).unwrap();
    assert_eq!(content(&copy), (Vec::new(), rows));
    let empty = Arc::new(Folder::create(&place.path().join("3")).unwrap());
    assert!(found::look(&empty).unwrap().is_none());
    assert!(Copy::offline(empty, StoreOptions::default()).is_err());
}

/// What somebody does to a stream behind everybody's back, and what a copy that followed it says.
#[test]
fn a_stream_that_was_rewritten_forked_or_is_newer_stops_the_copy() {
    type Change = fn(&mut Vec<bytes::Bytes>);
    let cases: [(&str, Change); 4] = [
        ("does not follow", |messages| {
            let again = messages[1].clone();
            messages.push(again);
        }),
        ("is damaged", |messages| {
            messages.push(flipped(messages.last().unwrap()))
        }),
        ("no message", |messages| {
            messages.push(bytes::Bytes::from_static(b"else"))
        }),
        ("upgrade this node", |messages| {
            let newer = forged(messages.last().unwrap(), 8, 99);
            messages.push(newer.into());
        }),
    ];
    for (says, change) in cases {
        let (stream, place) = (Arc::<Stream>::default(), tempfile::tempdir().unwrap());
        let nodes = [(); 2].map(|()| Node::new(&stream));
        let copies = [0, 1].map(|i| following(&place.path().join(i.to_string()), &nodes[i], "n"));
        let store = copies[0].lead(TIME).unwrap();
        for i in 0..3 {
            commit(&store, &format!("{i}")).unwrap();
        }
        reaches(&copies[1], 3);
        stream.rewrite(change);
        let text = fails(&copies[1]);
        assert!(text.contains(says), "{text}");
        assert_eq!(copies[1].store().queue().applied(), 3);
        assert!(copies[1].lead(TIME).is_err());
    }
}

#[test]
fn another_history_than_the_files_hold_is_noticed_after_a_restart() {
    let (stream, place) = (Arc::<Stream>::default(), tempfile::tempdir().unwrap());
    let folder = place.path().join("0");
    let copy = following(&folder, &Node::new(&stream), "n");
    let store = copy.lead(TIME).unwrap();
    for i in 0..3 {
        commit(&store, &format!("{i}")).unwrap();
    }
    drop((copy, store));
    // The same positions, with other records.
    let other = Arc::<Stream>::default();
    let copy = following(&place.path().join("1"), &Node::new(&other), "n");
    let store = copy.lead(TIME).unwrap();
    for i in 0..4 {
        commit(&store, &format!("other {i}")).unwrap();
    }
    let copy = following(&folder, &Node::new(&other), "n");
    let text = fails(&copy);
    assert!(text.contains("not what this copy's files hold"), "{text}");
}

fn flipped(bytes: &bytes::Bytes) -> bytes::Bytes {
    let mut bytes = bytes.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    bytes.into()
}

/// Leads, though a server that is behind may show a mark late: then it seems that another one was faster.
fn lead_surely(copy: &Copy) {
    while let Err(error) = copy.lead(TIME) {
        assert!(matches!(error, Error::Fenced { .. }), "{error}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A node commits, if it thinks that it leads.
    Commit(usize),
    Lead(usize),
    Follow(usize),
    /// A node is killed and starts again.
    Restart(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_usize).prop_map(Step::Commit),
        2 => (0..3_usize).prop_map(Step::Lead),
        1 => (0..3_usize).prop_map(Step::Follow),
        1 => (0..3_usize).prop_map(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Whatever is lost, late, repeated or stale: what was confirmed is there once, in one order, on all nodes.
    #[test]
    fn what_was_confirmed_is_there_once_whatever_happens(
        steps in prop::collection::vec(step(), 1..25),
        fates in prop::collection::vec(fate(), 0..40),
        stale in prop::collection::vec(0..3_usize, 0..40),
    ) {
        let (stream, place) = (Arc::<Stream>::default(), tempfile::tempdir().unwrap());
        let nodes = [(); 3].map(|()| Node::new(&stream));
        for (index, fate) in fates.into_iter().enumerate() {
            nodes[index % 3].fates.lock().push_back(fate);
        }
        for (index, unseen) in stale.into_iter().enumerate() {
            nodes[index % 3].stale.lock().push_back(unseen);
        }
        let folder = |i: usize| place.path().join(i.to_string());
        let name = |i: usize| format!("n{i}");
        let mut copies = [0, 1, 2].map(|i| Some(following(&folder(i), &nodes[i], &name(i))));
        let (mut confirmed, mut number) = (Vec::new(), 0);
        for step in steps {
            match step {
                Step::Commit(i) => {
                    number += 1;
                    let text = format!("{i} {number}");
                    if let Ok(position) = commit(&copies[i].as_ref().unwrap().store(), &text) {
                        confirmed.push((position, text));
                    }
                }
                Step::Lead(i) => drop(copies[i].as_ref().unwrap().lead(TIME)),
                Step::Follow(i) => copies[i].as_ref().unwrap().follow().unwrap(),
                Step::Restart(i) => {
                    drop(copies[i].take());
                    copies[i] = Some(following(&folder(i), &nodes[i], &name(i)));
                }
            }
        }
        stream.settle();
        for copy in copies.iter().flatten() {
            copy.follow().unwrap();
            lead_surely(copy); // so it has all that there is
            copy.follow().unwrap();
        }
        let end = copies[2].as_ref().unwrap().status().at.position;
        let expected = content(copies[2].as_ref().unwrap());
        for copy in copies.iter().flatten() {
            reaches(copy, end);
            prop_assert_eq!(content(copy), expected.clone());
        }
        for (position, text) in confirmed {
            let found = expected.0.iter().filter(|frame| frame.2 == text.as_bytes());
            let found: Vec<_> = found.map(|(_, first, _)| *first).collect();
            prop_assert_eq!(found, vec![position], "{}", text);
        }
    }
}
