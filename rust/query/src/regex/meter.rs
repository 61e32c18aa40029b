//! Counts steps, and takes them off the budget some at a time.

use crate::regex::{OutOfSteps, Steps};

/// How many steps are taken off the budget at once.
const BATCH: u64 = 256;

/// Steps on their way to the budget.
pub(super) struct Meter<'s> {
    pending: u64,
    steps: &'s mut dyn Steps,
}

impl<'s> Meter<'s> {
    pub fn new(steps: &'s mut dyn Steps) -> Self {
        Meter { pending: 0, steps }
    }

    #[inline]
    pub fn count(&mut self, n: u64) -> Result<(), OutOfSteps> {
        self.pending += n;
        if self.pending < BATCH {
            Ok(())
        } else {
            self.flush()
        }
    }

    /// Takes off the budget what was counted and not yet taken.
    pub fn flush(&mut self) -> Result<(), OutOfSteps> {
        let pending = std::mem::take(&mut self.pending);
        if self.steps.spend(pending) {
            Ok(())
        } else {
            Err(OutOfSteps)
        }
    }
}
