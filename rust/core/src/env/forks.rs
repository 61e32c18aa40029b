//! Descriptors that a forked process must not keep.
//!
//! A lock by `flock` belongs to an open file, and a fork shares that with its parent: the lock would last
//! as long as any child lives. So every process that is forked closes the descriptors of locks, first
//! thing, which leaves its parent's lock as it is.

use std::os::fd::RawFd;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering};
use std::thread;

const FREE: RawFd = -1;

/// A descriptor that a child closes. Slots are used again, and never given back: a fork may happen at any time.
struct Slot {
    descriptor: AtomicI32,
    next: *const Slot,
}

static SLOTS: AtomicPtr<Slot> = AtomicPtr::new(ptr::null_mut());
/// Held while a descriptor exists that has no slot: no fork comes between.
static BUSY: AtomicBool = AtomicBool::new(false);
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// How many forks lie between this process and the one that loaded this code: two values that differ were taken in two processes.
pub fn generation() -> u32 {
    watch();
    GENERATION.load(Ordering::Acquire)
}

/// Opens a descriptor that every process that is forked closes, until [`let_go`].
pub fn open<E>(open: impl FnOnce() -> Result<RawFd, E>) -> Result<RawFd, E> {
    watch();
    enter();
    let descriptor = open().inspect(|descriptor| put(*descriptor));
    leave();
    descriptor
}

/// Has the handlers called from now on, at every fork.
fn watch() {
    static HANDLERS: Once = Once::new();
    HANDLERS.call_once(|| {
        // SAFETY: the handlers live as long as the process, and touch nothing but the statics of this file. Where there
        // is no memory for them, children keep the descriptors, and a lock ends with the explicit unlock.
        unsafe { libc::pthread_atfork(Some(before), Some(after), Some(in_child)) };
    });
}

/// Forgets a descriptor, which its owner is about to close.
pub fn let_go(descriptor: RawFd) {
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

/// Calls `body` with each slot until it returns true; whether it did.
fn each(mut body: impl FnMut(&Slot) -> bool) -> bool {
    let mut slot = SLOTS.load(Ordering::Acquire).cast_const();
    // SAFETY: a slot is made whole before it is reached from here, and is never given back.
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
            // SAFETY: the descriptor is one that this process has inherited, and its owner here knows by the
            // generation that it is gone.
            unsafe { libc::close(descriptor) };
        }
        false
    });
    leave();
}
