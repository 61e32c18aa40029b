//! Commands, events and rows of storage, and their layouts in MessagePack.
//!
//! A record is an array `[tag, field, …]`. [`Record`] and [`Context`] are tables, one line a record;
//! the Python engine declares the same layouts as structs, and a test compares them. A new field goes to
//! the end and has a default; any other change needs a new tag.
//!
//! The engine does not use this codec when it runs: it writes batches that Python encoded. The codec
//! serves programs without the engine: the tools for the log, and the tests of its format.

/// The format of records. A command, an event or a field that an older version cannot read takes the next number.
pub const FORMAT: u16 = 1;

mod context;
mod field;
mod fields;
mod json;
mod layout;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod turn;

pub use context::{ActivityBranchStatus, ActivityIterationStatus, Context};
pub use field::Document;
pub use layout::Layout;
pub use table::Record;
pub use turn::{Turn, turns};

pub(crate) use field::Field;
pub(crate) use json::Json;
