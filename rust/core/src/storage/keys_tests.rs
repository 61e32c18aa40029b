use proptest::prelude::*;

use super::*;

fn key(tag: i64, values: &[Value]) -> Vec<u8> {
    let mut key = Vec::new();
    Layout::of(tag).unwrap().key(values, &mut key).unwrap();
    key
}

fn prefix(tag: i64, values: &[Value]) -> Vec<u8> {
    let mut key = Vec::new();
    Layout::of(tag).unwrap().prefix(values, &mut key).unwrap();
    key
}

/// Texts in which zero bytes, prefixes and separators are frequent.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[\\x00\\x01/ab\u{ff}]{0,6}", ".{0,12}"]
}

proptest! {
    #[test]
    fn texts_and_numbers_keep_their_order(a in (text(), any::<u64>()), b in (text(), any::<u64>())) {
        let of = |(name, version): &(String, u64)| {
            key(7, &[Value::Text(name), Value::Number(*version)])
        };
        prop_assert_eq!(of(&a).cmp(&of(&b)), a.cmp(&b));
    }

    #[test]
    fn two_texts_keep_their_order(a in (text(), text()), b in (text(), text())) {
        let of = |(workflow, alias): &(String, String)| key(18, &[Value::Text(workflow), Value::Text(alias)]);
        prop_assert_eq!(of(&a).cmp(&of(&b)), a.cmp(&b));
    }

    #[test]
    fn tasks_of_a_queue_come_by_the_time_they_were_scheduled(a in (text(), any::<u64>(), text()), b in (text(), any::<u64>(), text())) {
        let of = |(queue, at, task): &(String, u64, String)| {
            key(11, &[Value::Text(queue), Value::Number(*at), Value::Text(task)])
        };
        prop_assert_eq!(of(&a).cmp(&of(&b)), a.cmp(&b));
    }

    #[test]
    fn timers_come_by_due_time(a in (any::<u64>(), text(), any::<u64>()), b in (any::<u64>(), text(), any::<u64>())) {
        let of = |(due, target, kind): &(u64, String, u64)| {
            key(6, &[Value::Text(target), Value::Number(*kind), Value::Number(*due)])
        };
        prop_assert_eq!(of(&a).cmp(&of(&b)), a.cmp(&b));
    }

    #[test]
    fn visibility_is_newest_first(a in (text(), text(), any::<u64>(), text()), b in (text(), text(), any::<u64>(), text())) {
        let of = |(workflow, status, started, id): &(String, String, u64, String)| {
            key(9, &[Value::Text(workflow), Value::Text(status), Value::Number(*started), Value::Text(id)])
        };
        let newest = |(workflow, status, started, id): &(String, String, u64, String)| {
            (workflow.clone(), status.clone(), !started, id.clone())
        };
        prop_assert_eq!(of(&a).cmp(&of(&b)), newest(&a).cmp(&newest(&b)));
    }

    #[test]
    fn a_prefix_holds_exactly_the_keys_that_begin_with_its_values(a in (text(), text()), other in text()) {
        let whole = key(18, &[Value::Text(&a.0), Value::Text(&a.1)]);
        let prefix = prefix(18, &[Value::Text(&other)]);
        prop_assert_eq!(whole.starts_with(&prefix), a.0 == other);
    }

    #[test]
    fn the_end_of_a_prefix_is_behind_all_of_its_keys_and_before_every_other(
        prefix in proptest::collection::vec(any::<u8>(), 0..4),
        key in proptest::collection::vec(any::<u8>(), 0..6),
    ) {
        let is_inside = key >= prefix && after_prefix(&prefix).is_none_or(|end| key < end);
        prop_assert_eq!(is_inside, key.starts_with(&prefix));
    }

    #[test]
    fn a_row_has_the_key_that_its_fields_give(name in text(), version in 0..i64::MAX as u64) {
        let mut row = Vec::new();
        rmp::encode::write_str(&mut row, &name).unwrap();
        rmp::encode::write_uint(&mut row, version).unwrap();
        let mut read = Vec::new();
        Layout::of(7).unwrap().read_key(&mut Reader::new(&row), &mut read).unwrap();
        prop_assert_eq!(read, key(7, &[Value::Text(&name), Value::Number(version)]));
    }
}

const EXECUTION: &str = "/t/n/e0000001/0000000000000001";

#[test]
fn rows_of_an_execution_stand_together_and_apart_from_its_neighbours() {
    let mut all = Vec::new();
    execution(EXECUTION, &mut all);
    let activity = format!("{EXECUTION}/00000001");
    let branch = format!("{activity}/b0");
    for (tag, id) in [(2, &activity), (3, &branch), (4, &branch), (10, &activity)] {
        assert!(key(tag, &[Value::Text(id)]).starts_with(&all), "tag {tag}");
        assert!(key(tag, &[Value::Text(id)]).starts_with(&prefix(tag, &[Value::Text(EXECUTION)])));
    }
    let neighbour = "/t/n/e0000001/00000000000000010/00000001";
    assert!(!key(2, &[Value::Text(neighbour)]).starts_with(&all));
}

#[test]
fn the_branches_of_an_activity_have_a_prefix() {
    let first = format!("{EXECUTION}/00000001");
    let branches = prefix(3, &[Value::Text(&first)]);
    assert!(key(3, &[Value::Text(&format!("{first}/b11"))]).starts_with(&branches));
    assert!(!key(3, &[Value::Text(&format!("{EXECUTION}/00000002/b1"))]).starts_with(&branches));
    assert!(!key(4, &[Value::Text(&format!("{first}/i1"))]).starts_with(&branches));
}

#[test]
fn kinds_that_share_a_family_never_share_a_key() {
    let task = key(5, &[Value::Text("a")]);
    let queued = key(11, &[Value::Text("a"), Value::Number(0), Value::Text("b")]);
    assert_ne!(task[0], queued[0]);
}

#[test]
fn refuses_keys_that_do_not_fit() {
    let layout = Layout::of(7).unwrap();
    for values in [
        &[Value::Text("a")][..],
        &[Value::Number(1), Value::Number(1)],
        &[Value::Text("a"), Value::Text("1")],
    ] {
        assert!(layout.key(values, &mut Vec::new()).is_err());
    }
    assert!(
        layout
            .prefix(
                &[Value::Text("a"), Value::Number(1), Value::Number(1)],
                &mut Vec::new()
            )
            .is_err()
    );
    for tag in [0, -1, 99, i64::MIN, i64::MAX] {
        assert!(Layout::of(tag).is_err());
    }
}
