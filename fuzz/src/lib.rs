//! The modules of `stepwell-core` that read bytes from outside, without RocksDB.
//!
//! Fuzzers need everything compiled with their instruments; RocksDB would take a quarter of an hour
//! and is not what they look at. So the modules are taken as they stand, and only the names of
//! storage's families, which come with RocksDB's settings, are given again.

#[path = "../../rust/core/src/clock.rs"]
pub mod clock;
#[path = "../../rust/core/src/env/mod.rs"]
pub mod env;
#[path = "../../rust/core/src/error.rs"]
pub mod error;
#[path = "../../rust/core/src/id.rs"]
pub mod id;
#[path = "../../rust/core/src/identity.rs"]
pub mod identity;
#[path = "../../rust/core/src/log/mod.rs"]
pub mod log;
#[path = "../../rust/core/src/record/mod.rs"]
pub mod record;
pub mod storage;

pub use error::{Error, Result};
