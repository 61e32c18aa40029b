//! How many bytes the values of this thread's evaluation hold.
//!
//! Values count themselves when they are made and when they go, so that what an expression may hold
//! is the same on each machine and with each allocator.

use std::cell::Cell;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// What this thread's values hold.
#[inline]
pub fn held() -> usize {
    HELD.with(Cell::get)
}

/// The bytes of one value: counted as long as it lives.
pub struct Charge(usize);

impl Charge {
    #[inline]
    pub fn new(bytes: usize) -> Charge {
        HELD.with(|held| held.set(held.get().wrapping_add(bytes)));
        Charge(bytes)
    }

    /// The value has grown or shrunk to `bytes`.
    pub fn set(&mut self, bytes: usize) {
        HELD.with(|held| held.set(held.get().wrapping_sub(self.0).wrapping_add(bytes)));
        self.0 = bytes;
    }
}

impl Drop for Charge {
    #[inline]
    fn drop(&mut self) {
        // A thread that ends has no evaluation left to count for.
        let _ = HELD.try_with(|held| held.set(held.get().wrapping_sub(self.0)));
    }
}
