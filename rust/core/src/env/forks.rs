//! Descriptors that a forked process must close.
//!
//! A lock by `flock` belongs to the open file, which a forked child shares with its parent: the lock
//! would last as long as any child lives. So every forked process closes the descriptors of locks
//! before it does anything else. The parent keeps its lock.

use std::os::fd::RawFd;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering};
use std::thread;

const FREE: RawFd = -1;

/// A descriptor that a child closes. Slots are reused and never freed, because a fork may happen at any time.
struct Slot {
    descriptor: AtomicI32,
    next: *const Slot,
}

static SLOTS: AtomicPtr<Slot> = AtomicPtr::new(ptr::null_mut());
/// Held between opening a descriptor and storing it in a slot: no fork happens in between.
static BUSY: AtomicBool = AtomicBool::new(false);
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// How many forks separate this process from the one that loaded this code. Two different values come from two processes.
pub fn generation() -> u32 {
    watch();
    GENERATION.load(Ordering::Acquire)
}

/// Opens a descriptor that every forked process closes, until [`release`] is called for it.
pub fn open<E>(open: impl FnOnce() -> Result<RawFd, E>) -> Result<RawFd, E> {
    watch();
    enter();
    let descriptor = open().inspect(|descriptor| put(*descriptor));
    leave();
    descriptor
}

/// Registers the fork handlers, once.
fn watch() {
    static HANDLERS: Once = Once::new();
    HANDLERS.call_once(|| {
        // SAFETY: the handlers live as long as the process, and touch only the statics of this file. If there is
        // no memory for them, children keep the descriptors, and the explicit unlock ends the lock.
        unsafe { libc::pthread_atfork(Some(before), Some(after), Some(in_child)) };
    });
}

/// Removes a descriptor from its slot; its owner is about to close it.
pub fn release(descriptor: RawFd) {
    enter();
    each(|slot| {
        let exchange = Ordering::AcqRel;
        slot.descriptor
            .compare_exchange(descriptor, FREE, exchange, Ordering::Relaxed)
            .is_ok()
    });
    leave();
}

fn put(descriptor: RawFd) {
    let is_taken = each(|slot| {
        let exchange = Ordering::AcqRel;
        slot.descriptor
            .compare_exchange(FREE, descriptor, exchange, Ordering::Relaxed)
            .is_ok()
    });
    if !is_taken {
        let slot = Box::new(Slot {
            descriptor: AtomicI32::new(descriptor),
            next: SLOTS.load(Ordering::Acquire),
        });
        SLOTS.store(Box::into_raw(slot), Ordering::Release);
    }
}

/// Calls `body` with each slot until it returns true; returns whether it did.
fn each(mut body: impl FnMut(&Slot) -> bool) -> bool {
    let mut slot = SLOTS.load(Ordering::Acquire).cast_const();
    // SAFETY: a slot is complete before the list points to it, and is never freed.
    while let Some(found) = unsafe { slot.as_ref() } {
        if body(found) {
            return true;
        }
        slot = found.next;
    }
    false
}

fn enter() {
    while BUSY.swap(true, Ordering::Acquire) {
        thread::yield_now();
    }
}

fn leave() {
    BUSY.store(false, Ordering::Release);
}

extern "C" fn before() {
    enter();
}

extern "C" fn after() {
    leave();
}

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::AcqRel);
    each(|slot| {
        let descriptor = slot.descriptor.swap(FREE, Ordering::AcqRel);
        if descriptor != FREE {
            // SAFETY: this process inherited the descriptor, and its owner here compares the generation
            // before it uses it.
            unsafe { libc::close(descriptor) };
        }
        false
    });
    leave();
}
