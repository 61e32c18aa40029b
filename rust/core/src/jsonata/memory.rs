//! What an evaluation allocates: a global allocator that counts for the thread that asked.
//!
//! The evaluator checks a [`CancelToken`] at every node, so one that is cancelled as soon as the
//! evaluation holds too much stops it there.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use jsonata_core::evaluator::CancelToken;

/// The system's allocator, counting while a [`Budget`] is open on the thread.
pub struct CountingAllocator;

thread_local! {
    /// What is left of the thread's budget; without a budget the token is null.
    static LEFT: Cell<isize> = const { Cell::new(0) };
    static TOKEN: Cell<*const CancelToken> = const { Cell::new(std::ptr::null()) };
}

/// While it lives, the thread may hold that many bytes more than it did; then `token` is cancelled.
pub struct Budget {
    token: Box<CancelToken>,
}

impl Budget {
    /// Budgets do not nest: the newest counts.
    pub fn open(bytes: usize) -> Budget {
        let token = Box::new(CancelToken::new());
        LEFT.set(isize::try_from(bytes).unwrap_or(isize::MAX));
        TOKEN.set(&*token);
        Budget { token }
    }

    pub fn token(&self) -> CancelToken {
        CancelToken::clone(&self.token)
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        TOKEN.set(std::ptr::null());
    }
}

fn count(bytes: isize) {
    let token = TOKEN.get();
    if token.is_null() {
        return;
    }
    let left = LEFT.get() - bytes;
    LEFT.set(left);
    if left < 0 {
        // SAFETY: a `Budget` points this at its boxed token and takes it back before it goes;
        // both happen on this thread. `cancel` only stores a flag, so it does not allocate.
        unsafe { (*token).cancel() };
    }
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(old, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static ALLOCATOR: CountingAllocator = CountingAllocator;

    #[test]
    fn the_token_is_cancelled_when_too_much_is_held_at_once() {
        let budget = Budget::open(1 << 20);
        for _ in 0..100 {
            drop(std::hint::black_box(vec![0_u8; 1 << 19]));
        }
        assert!(!budget.token().is_cancelled());
        let held = std::hint::black_box(vec![0_u8; 1 << 21]);
        assert!(budget.token().is_cancelled());
        drop(held);
    }

    #[test]
    fn only_the_thread_with_the_budget_is_counted() {
        let budget = Budget::open(1 << 20);
        std::thread::scope(|scope| {
            scope.spawn(|| std::hint::black_box(vec![0_u8; 1 << 22]).len());
        });
        assert!(!budget.token().is_cancelled());
        let token = budget.token();
        drop(budget);
        let _held = std::hint::black_box(vec![0_u8; 1 << 22]);
        assert!(!token.is_cancelled());
    }
}
