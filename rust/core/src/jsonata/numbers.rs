//! Integers that a double does not hold.
//!
//! JSONata's numbers are doubles. AWS nevertheless gives back an integer of up to 64 bits as it came
//! (ASL A3.15), and so does this, unless the expression calculated with it: a double stands for it,
//! and is known again when it comes out.

use std::cell::RefCell;
use std::collections::HashMap;

/// The number that a double stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Original {
    Integer(i64),
    Double(f64),
}

/// What the large doubles of one evaluation stand for.
#[derive(Debug, Default)]
pub struct Numbers(RefCell<HashMap<u64, Original>>);

/// Below this a double holds every integer, and stands for no other.
const ALL_EXACT: f64 = 9_007_199_254_740_992.0;

impl Numbers {
    /// The double for an integer.
    pub fn integer(&self, integer: i64) -> f64 {
        self.stand_in(integer as f64, Original::Integer(integer))
    }

    /// The double for a double: another one if an integer has it already.
    pub fn double(&self, double: f64) -> f64 {
        self.stand_in(double, Original::Double(double))
    }

    /// What `double` stands for.
    pub fn original(&self, double: f64) -> Original {
        match double.abs() < ALL_EXACT {
            true => Original::Double(double),
            false => self
                .0
                .borrow()
                .get(&double.to_bits())
                .copied()
                .unwrap_or(Original::Double(double)),
        }
    }

    /// Where the nearest double stands for another number, the next one away from 0, as all nearer ones hold integers themselves.
    fn stand_in(&self, mut double: f64, original: Original) -> f64 {
        if double.abs() >= ALL_EXACT && double.is_finite() {
            let mut known = self.0.borrow_mut();
            while *known.entry(double.to_bits()).or_insert(original) != original {
                double = if double > 0.0 {
                    double.next_up()
                } else {
                    double.next_down()
                };
            }
        }
        double
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_is_known_again(integers: Vec<i64>, near in (1_i64 << 53) - 4..(1 << 53) + 64, double: f64) {
            let numbers = Numbers::default();
            for integer in integers.into_iter().chain([near, near + 1, near + 2, i64::MAX, i64::MIN]) {
                let stand_in = numbers.integer(integer);
                match numbers.original(stand_in) {
                    Original::Integer(known) => prop_assert_eq!(known, integer),
                    Original::Double(known) => prop_assert_eq!(known as i64, integer),
                }
            }
            if !double.is_nan() {
                let stand_in = numbers.double(double);
                prop_assert_eq!(numbers.original(stand_in), Original::Double(double));
            }
        }
    }
}
