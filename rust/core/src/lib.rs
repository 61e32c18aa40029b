//! Clock, ids, record codec, log and storage of the Stepwell workflow engine. No Python here.
//!
//! Data moves one way: records are encoded into a batch, the batch is appended to the [`log`], and once
//! it is durable there it is applied to storage together with its position. After a crash storage says
//! which position it reached, and the log holds what is missing.
//!
//! | module | what it knows |
//! |---|---|
//! | [`clock`] | timestamps in causal order |
//! | [`id`] | the formats of ids, and what may stand in them |
//! | [`identity`] | the random ids of stores and followers |
//! | [`mod@record`] | commands, events, rows of storage: their layouts in MessagePack |
//! | [`env`] | every file operation, of the operating system and with injected faults |
//! | [`json`] | the nesting depth of a JSON text |
//! | [`log`] | batches in files: frames, segments, recovery |
//! | [`msgpack`] | the reader of MessagePack values |
//! | [`storage`] | rows in RocksDB: keys, batches, reads |
//! | [`store`] | log and storage together: group commit, replay, flushing and truncation |
//! | [`error`] | the errors |

pub mod clock;
pub mod env;
pub mod error;
pub mod hex;
pub mod id;
pub mod identity;
pub mod json;
pub mod log;
pub mod msgpack;
pub mod record;
pub mod storage;
pub mod store;

pub use error::{Error, Result};

// The linker finds RocksDB where this crate has compiled it.
use stepwell_rocksdb as _;
