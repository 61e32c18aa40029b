//! What an evaluation takes from outside: the time, and random numbers.
//!
//! A thread may fix both, so that a test on a virtual clock sees the same again.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

thread_local! {
    static FIXED: Cell<Option<Fixed>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Fixed {
    millis: f64,
    state: u64,
}

/// Fixes the time, in milliseconds since 1970, and the seed of this thread's next evaluations.
pub fn fix(millis: f64, seed: u64) {
    FIXED.set(Some(Fixed {
        millis,
        state: seed,
    }));
}

/// From now on the thread's evaluations take the machine's time and its random numbers.
pub fn release() {
    FIXED.set(None);
}

/// Milliseconds since 1970.
pub(super) fn now() -> f64 {
    match FIXED.get() {
        Some(fixed) => fixed.millis,
        None => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |since| since.as_millis() as f64),
    }
}

/// A number that nobody can tell beforehand, unless the thread has fixed it.
pub(super) fn entropy() -> i64 {
    match next() {
        Some(number) => number as i64,
        None => uuid::Uuid::new_v4().as_u64_pair().1 as i64,
    }
}

/// A random (version 4) UUID.
pub(super) fn new_uuid() -> String {
    let uuid = match (next(), next()) {
        (Some(high), Some(low)) => {
            let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
            uuid::Builder::from_random_bytes(bytes).into_uuid()
        }
        _ => uuid::Uuid::new_v4(),
    };
    uuid.to_string()
}

/// The next number of a fixed sequence: splitmix64.
fn next() -> Option<u64> {
    let mut fixed = FIXED.get()?;
    fixed.state = fixed.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    FIXED.set(Some(fixed));
    let mut number = fixed.state;
    number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    Some(number ^ (number >> 31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fixed_is_the_same_again_until_it_is_released() {
        let seen = || (now(), entropy(), new_uuid());
        fix(5.0, 7);
        let first = seen();
        assert_ne!(first, seen());
        fix(5.0, 7);
        assert_eq!(first, seen());
        release();
        assert!(now() > 1e12);
    }
}
