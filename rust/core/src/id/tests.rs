use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const EXECUTION: &str = "/acme/prod/e0123abc/6553f1000000001f";

#[test]
fn ids_have_the_formats_of_the_table() {
    let hash = hash7("order-17");
    let id = execution_id(
        "acme",
        "prod",
        &hash,
        Timestamp::from(0x6553_f100_0000_001f),
    )
    .unwrap();
    assert_eq!(id, format!("/acme/prod/e{hash}/6553f1000000001f"));
    let activity = activity_id(EXECUTION, 10);
    assert_eq!(activity, format!("{EXECUTION}/0000000a"));
    assert_eq!(branch_id(&activity, 2), format!("{EXECUTION}/0000000a/b2"));
    assert_eq!(
        iteration_id(&activity, 99_999),
        format!("{EXECUTION}/0000000a/i99999")
    );
    let task = task_id("acme", "prod", "send-mail", 255).unwrap();
    assert_eq!(task, format!("/acme/prod/t{}/000000ff", hash7("send-mail")));
}

#[test]
fn the_hash_is_the_first_28_bits_of_crc32c() {
    // The check value of CRC-32C (RFC 3720 B.4 uses the same polynomial).
    assert_eq!(hash("123456789"), 0xe306_9283 >> 4);
    assert_eq!(hash7("123456789"), "e306928");
    assert_eq!(hash7("").len(), 7);
}

#[test]
fn the_partition_key_is_the_id_without_its_last_part() {
    for suffix in ["", "/0000000a", "/0000000a/b0", "/0000000a/i7"] {
        let text = format!("{EXECUTION}{suffix}");
        let id = Id::parse(&text).unwrap();
        assert_eq!(id.partition_key(), "/acme/prod/e0123abc");
        assert_eq!(id.execution().unwrap().to_string(), EXECUTION);
    }
    let task = Id::parse("/acme/prod/t0123abc/000000ff").unwrap();
    assert_eq!(task.partition_key(), "/acme/prod/t0123abc");
    assert_eq!(task.execution(), None);
}

#[test]
fn every_partition_gets_its_share() {
    let mut counts = [0; 7];
    for number in 0..70_000 {
        counts[partition(hash(&format!("execution-{number}")), 7) as usize] += 1;
    }
    assert!(
        counts.iter().all(|count| (9_000..11_000).contains(count)),
        "{counts:?}"
    );
    assert_eq!(partition(0, 7), 0);
    assert_eq!(partition((1 << 28) - 1, 7), 6);
}

#[test]
fn hostile_names_are_refused() {
    let long = "x".repeat(MAX_NAME + 1);
    for name in [
        "",
        ".",
        "..",
        "/",
        "a/b",
        "../b",
        "a\\b",
        "a\0",
        "a\nb",
        "\u{7f}",
        "a b",
        " a",
        "a\u{a0}",
        "a\u{200b}b",
        "\u{202e}txt",
        "\u{feff}a",
        "a\u{ad}b",
        "\u{2066}a",
        &long,
    ] {
        assert!(check_name("tenant", name).is_err(), "{name:?}");
        assert!(execution_id(name, "n", "0123abc", Timestamp::default()).is_err());
        assert!(task_id("t", name, "type", 1).is_err());
        assert!(Id::parse(&format!("/{name}/n/e0123abc/6553f1000000001f")).is_err());
        assert!(Id::parse(&format!("/t/{name}/e0123abc/6553f1000000001f")).is_err());
    }
    for name in [
        "a",
        "acme-2",
        "Ünïcode",
        "東京",
        "a.b",
        "...",
        "-",
        &"x".repeat(MAX_NAME),
    ] {
        assert!(check_name("tenant", name).is_ok(), "{name:?}");
    }
}

#[test]
fn a_refusal_says_what_and_why() {
    let refused = check_name("namespace", "a/b").unwrap_err().to_string();
    assert_eq!(
        refused,
        "\"a/b\" is not a valid namespace: it contains a path separator"
    );
}

#[test]
fn any_other_spelling_is_refused() {
    for text in [
        "",
        "/",
        "acme/prod/e0123abc/6553f1000000001f",
        "/acme/prod/e0123abc",
        "/acme/prod/e0123abc/",
        "/acme/prod/e0123ab/6553f1000000001f",
        "/acme/prod/e0123abcd/6553f1000000001f",
        "/acme/prod/E0123abc/6553f1000000001f",
        "/acme/prod/x0123abc/6553f1000000001f",
        "/acme/prod/e0123ABC/6553f1000000001f",
        "/acme/prod/e0123abc/6553F1000000001F",
        "/acme/prod/e0123abc/6553f1000000001",
        "/acme/prod/e0123abc/6553f1000000001f/",
        "/acme/prod/e0123abc/6553f1000000001f/a",
        "/acme/prod/e0123abc/6553f1000000001f/0000000A",
        "/acme/prod/e0123abc/6553f1000000001f/0000000a/",
        "/acme/prod/e0123abc/6553f1000000001f/0000000a/b",
        "/acme/prod/e0123abc/6553f1000000001f/0000000a/b01",
        "/acme/prod/e0123abc/6553f1000000001f/0000000a/b+1",
        "/acme/prod/e0123abc/6553f1000000001f/0000000a/b4294967296",
        "/acme/prod/e0123abc/6553f1000000001f/0000000a/c1",
        "/acme/prod/e0123abc/6553f1000000001f/0000000a/b1/0",
        "/acme/prod/t0123abc/000000f",
        "/acme/prod/t0123abc/000000ff/0000000a",
        "/acme/prod/é0123ab/000000ff",
        "//prod/e0123abc/6553f1000000001f",
        "/acme//prod/e0123abc/6553f1000000001f",
    ] {
        assert!(Id::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_sequence_goes_on_after_a_restart_and_around_the_end() {
    let mut sequence = Sequence::after(u32::MAX - 1);
    let live = BTreeSet::from([0, 1, 3]);
    let numbers: Vec<_> = (0..3)
        .map(|_| sequence.next(|number| live.contains(&number)).unwrap())
        .collect();
    assert_eq!(numbers, [u32::MAX, 2, 4]);
    assert_eq!(Sequence::after(4), sequence);
    assert_eq!(Sequence::default().next(|_| false), Some(0));
}

fn name() -> impl Strategy<Value = String> {
    "[^/]{1,40}".prop_filter("a valid name", |name| check_name("name", name).is_ok())
}

fn kind() -> impl Strategy<Value = Kind> {
    let timestamp = any::<u64>().prop_map(Timestamp::from);
    (timestamp, any::<u32>(), any::<u32>(), 0..5u8).prop_map(
        |(timestamp, activity, index, kind)| match kind {
            0 => Kind::Execution { timestamp },
            1 => Kind::Activity {
                timestamp,
                activity,
            },
            2 => Kind::Branch {
                timestamp,
                activity,
                index,
            },
            3 => Kind::Iteration {
                timestamp,
                activity,
                index,
            },
            _ => Kind::Task { number: activity },
        },
    )
}

proptest! {
    #[test]
    fn an_id_is_read_back(tenant in name(), namespace in name(), hash in 0u32..1 << 28, kind in kind()) {
        let id = Id { tenant: &tenant, namespace: &namespace, hash, kind };
        let text = id.to_string();
        prop_assert_eq!(Id::parse(&text).unwrap(), id);
    }

    #[test]
    fn what_is_read_is_written_the_same(
        text in "(/(a|b|\\.){0,3}){1,2}/[et]?[0-9a-f]{6,8}(/[bi]?[0-9a-f]{0,17}){0,4}"
    ) {
        if let Ok(id) = Id::parse(&text) {
            prop_assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Id::parse(&text);
        let _ = check_name("tenant", &text);
    }

    #[test]
    fn no_prefix_is_anothers(
        (one, other) in (name(), name()),
        namespace in name(),
    ) {
        prop_assume!(one != other);
        let prefix = |tenant: &str| format!("/{tenant}/{namespace}/");
        prop_assert!(!prefix(&one).starts_with(&prefix(&other)));
    }

    #[test]
    fn ids_of_one_key_sort_as_they_were_made(one: u64, other: u64) {
        let id = |value: u64| execution_id("t", "n", "0123abc", value.into()).unwrap();
        prop_assert_eq!(id(one).cmp(&id(other)), one.cmp(&other));
    }

    /// Tasks begin and end, the process restarts, and the numbers wrap: no two live ones are alike.
    #[test]
    fn live_numbers_are_unique(
        start in prop_oneof![Just(0u32), Just(u32::MAX - 40), any::<u32>()],
        steps in prop::collection::vec((0..4u8, any::<prop::sample::Index>()), 1..300),
    ) {
        let mut sequence = Sequence::after(start);
        let mut live: Vec<u32> = Vec::new();
        let mut last = start;
        for (step, index) in steps {
            match step {
                0 if !live.is_empty() => { live.swap_remove(index.index(live.len())); }
                1 => sequence = Sequence::after(last),
                // Old tasks that live on where the numbers come around.
                2 if live.len() < 20 => live.push(last.wrapping_add(1 + index.index(8) as u32)),
                _ => {
                    last = sequence.next(|number| live.contains(&number)).unwrap();
                    prop_assert!(!live.contains(&last));
                    live.push(last);
                }
            }
        }
    }
}
