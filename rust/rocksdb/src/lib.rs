//! The RocksDB that stepwell-core is linked with. All of this crate is its build script; it has no code.
#![no_std]

use librocksdb_sys as _;
use lz4_sys as _;
