//! Partitions whose log is a stream of NATS JetStream, replicated by the servers.
//!
//! A batch is durable when the stream has it: a quorum of the servers acknowledged it. Each node keeps a copy of each
//! partition in a folder of its own. One node leads; the others follow what the stream holds. All that a copy applies is
//! verified: each message names the hash of all that came before it.
//!
//! | module | what it knows |
//! |---|---|
//! | [`connection`] | the connection to the servers, and its thread |
//! | [`wire`] | what is asked of a stream: publish behind a sequence, read, where it ends |
//! | [`stream`] | the same with NATS JetStream |
//! | [`settings`] | which settings a partition's stream has, and which servers will do |
//! | [`message`] | the format of a message |
//! | `catching_up` | reading the stream before a copy has its role |
//! | [`chain`] | the hash over all frames, and how far a copy has it |
//! | [`offline`] | a stream that is not there |
//! | [`publishing`] | publishing one message for certain, whatever the servers answer or do not answer |
//! | [`reading`] | reading a stream, and verifying that each message follows |
//! | `leading` | what a leader has appended and the stream does not have for certain |
//! | `liveness` | when the servers answered, and how far the stream is known to go |
//! | [`log`] | the log of a copy: the stream, and files beside it |
//! | [`copy`] | a copy's roles: following and leading |
//! | [`snapshots`] | the beginning of another copy |
//! | [`roles`] | the roles of a copy, and what its threads share |
//! | [`following`] | the thread of a copy |

mod catching_up;
pub mod chain;
pub mod connection;
pub mod copy;
pub mod following;
pub mod found;
mod leading;
mod liveness;
pub mod log;
pub mod message;
pub mod offline;
pub mod publishing;
pub mod reading;
pub mod roles;
pub mod settings;
mod snapshots;
pub mod stream;
pub mod wire;

pub use connection::{Connection, Login};
pub use copy::{Copy, Status};
pub use roles::Role;
