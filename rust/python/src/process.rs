//! Processes that were forked.

use std::mem::ManuallyDrop;
use std::process;

use stepwell_core::env::forks;
use stepwell_core::{Error, Result};

/// What only the process that made it may let go of. A forked one has a copy, but not the threads
/// that would have to end first, and must not write to the files: there it is just forgotten.
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

    /// The value, in the process that made it; in others its locks may be held for ever.
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

/// Lets a process that was forked from this one end in peace. Called once RocksDB is loaded.
///
/// At the end of a process RocksDB waits for its threads; a forked one has none, and crashes. What
/// was registered to run at the end before RocksDB was loaded does not run there.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn let_forked_ones_end() {
    use std::ffi::{c_int, c_void};
    use std::sync::Once;

    unsafe extern "C" {
        fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }

    extern "C" fn end(status: c_int, owner: *mut c_void) {
        if process::id() as usize != owner as usize {
            // SAFETY: both may be called at any time, and no other thread is left to be disturbed.
            unsafe {
                libc::fflush(std::ptr::null_mut());
                libc::_exit(status);
            }
        }
    }

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let owner = process::id() as usize as *mut c_void;
        // SAFETY: the function lives as long as the process; its argument is a number, and is not followed.
        // Where there is no room for it, such processes end as they did.
        unsafe { on_exit(end, owner) };
    });
}

/// Elsewhere the C library does not tell how a process ends.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn let_forked_ones_end() {}
