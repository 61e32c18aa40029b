//! Protects values of a process from its forked children.

use std::mem::ManuallyDrop;

use stepwell_core::env::forks;
use stepwell_core::{Error, Result};

/// A value that only the process that made it may use and drop. A forked child has a copy, but not the threads that must
/// end before the drop, and must not write to the files: the child forgets the value without dropping it.
pub struct OfThisProcess<T> {
    value: ManuallyDrop<T>,
    generation: u32,
}

impl<T> OfThisProcess<T> {
    pub fn new(value: T) -> Self {
        Self {
            value: ManuallyDrop::new(value),
            generation: forks::generation(),
        }
    }

    /// The value, in the process that made it. In a forked child its locks may be held for ever, so that is an error.
    pub fn get(&self) -> Result<&T> {
        match self.is_here() {
            true => Ok(&self.value),
            false => Err(Error::Forked),
        }
    }

    /// Whether this is the process that made it.
    pub fn is_here(&self) -> bool {
        self.generation == forks::generation()
    }
}

impl<T> Drop for OfThisProcess<T> {
    fn drop(&mut self) {
        if self.is_here() {
            // SAFETY: the value is not used again.
            unsafe { ManuallyDrop::drop(&mut self.value) }
        }
    }
}

// What C++ asks for when it wants an object destroyed at exit; this one does nothing. It is hidden, so it counts for what is
// linked into this module, and that is RocksDB. At exit RocksDB would wait for its threads, which a forked child does not
// have: with glibc the child crashed, with musl it never ended. Nothing is lost. What must be on disk is there when a store
// is closed, and a killed process does not destroy its objects either.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
std::arch::global_asm!(
    ".globl __cxa_atexit",
    ".hidden __cxa_atexit",
    ".type __cxa_atexit, @function",
    "__cxa_atexit:",
    "xor eax, eax",
    "ret",
    ".size __cxa_atexit, . - __cxa_atexit",
);
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
std::arch::global_asm!(
    ".globl __cxa_atexit",
    ".hidden __cxa_atexit",
    ".type __cxa_atexit, @function",
    "__cxa_atexit:",
    "mov w0, wzr",
    "ret",
    ".size __cxa_atexit, . - __cxa_atexit",
);
