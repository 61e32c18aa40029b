//! Protects values of a process from its forked children.

use std::mem::ManuallyDrop;
use std::process;

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

/// Registers an exit handler that ends a forked child at once. Call it after RocksDB is loaded.
///
/// At exit RocksDB waits for its threads; a forked child does not have them, and crashes. Handlers that were registered
/// before RocksDB was loaded do not run in a child.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn exit_forked_children_early() {
    use std::ffi::{c_int, c_void};
    use std::sync::Once;

    unsafe extern "C" {
        fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }

    extern "C" fn end(status: c_int, owner: *mut c_void) {
        if process::id() as usize != owner as usize {
            // SAFETY: both may be called at any time, and no other thread runs.
            unsafe {
                libc::fflush(std::ptr::null_mut());
                libc::_exit(status);
            }
        }
    }

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let owner = process::id() as usize as *mut c_void;
        // SAFETY: the function lives as long as the process; its argument is a number, not a pointer.
        // If the handler cannot be registered, children end as they would without it.
        unsafe { on_exit(end, owner) };
    });
}

/// Other C libraries have no `on_exit`.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn exit_forked_children_early() {}
