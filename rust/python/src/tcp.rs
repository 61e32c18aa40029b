//! What the kernel knows of a connection.

use pyo3::prelude::*;

/// The state of a TCP connection, the first member of `tcp_info`; `None` if the kernel does not tell it.
#[cfg(target_os = "linux")]
#[pyfunction]
pub fn tcp_state(descriptor: i32) -> Option<u8> {
    let mut state = 0_u8;
    let mut length: libc::socklen_t = 1;
    // SAFETY: the kernel writes at most `length` bytes to `state`.
    let outcome = unsafe {
        libc::getsockopt(
            descriptor,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            std::ptr::from_mut(&mut state).cast(),
            &raw mut length,
        )
    };
    (outcome == 0 && length == 1).then_some(state)
}

/// Other systems do not tell it.
#[cfg(not(target_os = "linux"))]
#[pyfunction]
pub fn tcp_state(_descriptor: i32) -> Option<u8> {
    None
}
