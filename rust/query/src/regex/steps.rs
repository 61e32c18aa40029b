//! The budget of steps that an evaluation has.

/// The budget of an evaluation.
pub trait Steps {
    /// Takes `n` steps off the budget; false if it is used up.
    fn spend(&mut self, n: u64) -> bool;
}

/// A budget of so many steps.
#[derive(Clone, Copy, Debug)]
pub struct StepsLeft(pub u64);

impl Steps for StepsLeft {
    fn spend(&mut self, n: u64) -> bool {
        let left = self.0.checked_sub(n);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfSteps;
