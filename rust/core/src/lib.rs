//! Clock, ids, record codec, log and storage of the Stepwell workflow engine. No Python here.
//!
//! Data moves one way: records are encoded into a batch, the batch goes on the [`log`], and once it
//! is durable there it is applied to the storage, with its position. After a crash the storage
//! says how far it came and the log says what is missing.
//!
//! | module | what it knows |
//! |---|---|
//! | [`clock`] | timestamps in causal order |
//! | [`id`] | the formats of ids, and what may stand in them |
//! | [`identity`] | which store something belongs to |
//! | [`mod@record`] | commands, events, rows of storage: their layouts in MessagePack |
//! | [`env`] | every file operation, for real and failing on purpose |
//! | [`json`] | what can be told of a JSON text without parsing it |
//! | [`log`] | batches in files: frames, segments, recovery |
//! | [`storage`] | rows in RocksDB: keys, batches, reads |
//! | [`store`] | log and storage in step: group commit, replay, upkeep |
//! | [`error`] | everything that can go wrong |

pub mod clock;
pub mod env;
pub mod error;
pub mod id;
pub mod identity;
pub mod json;
pub mod log;
pub mod record;
pub mod storage;
pub mod store;

pub use error::{Error, Result};
