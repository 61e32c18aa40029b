//! The modules of `stepwell-core` that read bytes from outside, without RocksDB.
//!
//! A fuzzer needs everything compiled with its instrumentation; for RocksDB that would take a quarter of
//! an hour, and RocksDB is not what these targets test. So this crate includes the modules themselves, and repeats
//! only the names of storage's families, whose module depends on RocksDB.

#[path = "../../rust/core/src/clock.rs"]
pub mod clock;
#[path = "../../rust/core/src/env/mod.rs"]
pub mod env;
#[path = "../../rust/core/src/error.rs"]
pub mod error;
#[path = "../../rust/core/src/hex.rs"]
mod hex;
#[path = "../../rust/core/src/id.rs"]
pub mod id;
#[path = "../../rust/core/src/identity.rs"]
pub mod identity;
#[path = "../../rust/core/src/log/mod.rs"]
pub mod log;
#[path = "../../rust/core/src/msgpack.rs"]
pub mod msgpack;
#[path = "../../rust/core/src/record/mod.rs"]
pub mod record;
pub mod storage;

pub use error::{Error, Result};
