use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn clock(last: u64) -> Clock {
    Clock::new(Timestamp::from(last), MAX_DRIFT)
}

fn timestamp(wall_time: u32, logical: u32) -> Timestamp {
    Timestamp { wall_time, logical }
}

#[test]
fn a_tick_takes_the_wall_clock_or_counts_on() {
    let clock = clock(0);
    let ticks = [100, 100, 99, 101, 101].map(|wall| clock.tick(wall).unwrap());
    let expected = [(100, 0), (100, 1), (100, 2), (101, 0), (101, 1)];
    assert_eq!(
        ticks,
        expected.map(|(wall, logical)| timestamp(wall, logical))
    );
}

#[test]
fn reserved_timestamps_are_given_to_nobody_else() {
    let clock = clock(0);
    assert_eq!(clock.reserve(100, 3).unwrap(), timestamp(100, 0));
    assert_eq!(clock.tick(100).unwrap(), timestamp(100, 3));
    assert_eq!(clock.reserve(100, 0).unwrap(), timestamp(100, 4));
    assert_eq!(clock.tick(100).unwrap(), timestamp(100, 5));
}

#[test]
fn an_update_is_later_than_what_came_in_and_than_what_was_given() {
    let clock = clock(0);
    assert_eq!(
        clock.update(timestamp(105, 7), 100).unwrap(),
        timestamp(105, 8)
    );
    assert_eq!(
        clock.update(timestamp(90, 3), 100).unwrap(),
        timestamp(105, 9)
    );
    assert_eq!(
        clock.update(timestamp(105, 9), 106).unwrap(),
        timestamp(106, 0)
    );
}

#[test]
fn a_time_too_far_ahead_is_refused_and_changes_nothing() {
    let clock = clock(0);
    clock.tick(1000).unwrap();
    let ahead = timestamp(1000 + MAX_DRIFT + 1, 0);
    let refused = clock.update(ahead, 1000).unwrap_err();
    let message = "the remote clock is 86401 s ahead of the local one";
    assert!(refused.to_string().starts_with(message), "{refused}");
    assert_eq!(clock.last(), timestamp(1000, 0));
}

#[test]
fn a_clock_too_far_behind_is_refused() {
    let clock = clock(u64::from(timestamp(200_000, 5)));
    assert!(clock.tick(200_000 - u64::from(MAX_DRIFT)).is_ok());
    let refused = clock.tick(200_000 - u64::from(MAX_DRIFT) - 1).unwrap_err();
    let message = "the local clock is 86401 s behind the last timestamp";
    assert!(refused.to_string().starts_with(message), "{refused}");
}

#[test]
fn a_full_counter_runs_over_into_the_next_second() {
    let clock = clock(u64::from(timestamp(100, u32::MAX)));
    assert_eq!(clock.tick(100).unwrap(), timestamp(101, 0));
}

#[test]
fn a_clock_after_the_last_timestamp_is_an_error() {
    let last = clock(u64::MAX);
    assert!(matches!(
        last.tick(u32::MAX.into()),
        Err(Error::ClockExhausted { .. })
    ));
    assert_eq!(u64::from(last.last()), u64::MAX);
    let beyond = clock(0).tick(1 << 32);
    assert!(matches!(beyond, Err(Error::ClockExhausted { .. })));
}

#[test]
fn threads_never_get_the_same_timestamp() {
    let clock = clock(0);
    let ticks: Vec<Vec<u64>> = std::thread::scope(|scope| {
        let tick = || (0..10_000).map(|_| clock.tick(7).unwrap().into()).collect();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(tick)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(ticks.iter().all(|ticks| ticks.is_sorted()));
    let all: BTreeSet<u64> = ticks.concat().into_iter().collect();
    assert_eq!(all.len(), 40_000);
}

#[test]
fn all_forms_of_a_timestamp_are_read() {
    let expected = timestamp(0x6553_f100, 0x1f);
    for text in [
        "6553f1000000001f",
        "6553F1000000001F",
        "0x6553f1000000001f",
        "1700000000.31",
        "7301444403200000031",
    ] {
        assert_eq!(parse_timestamp(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn a_text_that_is_no_timestamp_is_refused() {
    for text in [
        "",
        ".",
        "1.",
        ".1",
        "1.2.3",
        "-1",
        "+1",
        "+1.2",
        "1.+2",
        " 1",
        "1 ",
        "0x1",
        "1e3",
        "4294967296.0",
        "0.4294967296",
        "18446744073709551616",
        "6553f1000000001",
        "6553f1000000001g",
        "0x0x00000000000000",
        "６５５３",
    ] {
        let refused = parse_timestamp(text).unwrap_err().to_string();
        assert!(
            refused.contains("is not a valid timestamp"),
            "{text}: {refused}"
        );
    }
}

/// What happens to a clock: a wall clock that jumps about, timestamps from elsewhere, restarts.
#[derive(Clone, Debug)]
enum Step {
    Tick(u64),
    Update(u64, u64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let wall = 1_000_000u64..1_010_000;
    prop_oneof![
        4 => wall.clone().prop_map(Step::Tick),
        2 => (wall.clone(), any::<u32>(), wall)
            .prop_map(|(seen, logical, wall)| Step::Update(seen << 32 | u64::from(logical), wall)),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #[test]
    fn a_clock_never_repeats_and_never_goes_back(steps in prop::collection::vec(step(), 1..200)) {
        let mut clock = clock(0);
        let mut last = clock.last();
        for step in steps {
            let next = match step {
                Step::Tick(wall) => clock.tick(wall).unwrap(),
                Step::Update(remote, wall) => {
                    let next = clock.update(remote.into(), wall).unwrap();
                    prop_assert!(next > Timestamp::from(remote));
                    next
                }
                Step::Restart => {
                    clock = Clock::new(clock.last(), MAX_DRIFT);
                    continue;
                }
            };
            prop_assert!(next > last);
            last = next;
        }
    }

    #[test]
    fn integer_byte_and_hex_order_are_causal_order(one: u64, other: u64) {
        let (a, b) = (Timestamp::from(one), Timestamp::from(other));
        prop_assert_eq!(u64::from(a), one);
        prop_assert_eq!(a.cmp(&b), one.cmp(&other));
        prop_assert_eq!(a.cmp(&b), one.to_be_bytes().cmp(&other.to_be_bytes()));
        prop_assert_eq!(a.cmp(&b), a.hex().cmp(&b.hex()));
    }

    #[test]
    fn every_form_is_read_back(value: u64) {
        let timestamp = Timestamp::from(value);
        prop_assert_eq!(parse_timestamp(&timestamp.hex()).unwrap(), timestamp);
        prop_assert_eq!(parse_timestamp(&timestamp.to_string()).unwrap(), timestamp);
        let decimal = value.to_string();
        if decimal.len() != 16 {
            prop_assert_eq!(parse_timestamp(&decimal).unwrap(), timestamp);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,24}") {
        let _ = parse_timestamp(&text);
    }
}
