//! Commands, events and rows of storage, and their layouts in MessagePack.
//!
//! A record is an array `[tag, field, …]`. [`Record`] and [`Context`] are tables, one line a record;
//! `python/stepwell/engine/records.py` and `contexts.py` know the same layouts, and a test holds the
//! two together. A field is added at the end, with a default; whatever else changes takes a new tag.
//!
//! The engine's own path does not come through here: it writes batches that Python encoded. This
//! codec reads them where there is no engine: in the tools for the log, and in tests of its format.

mod context;
mod field;
mod fields;
mod json;
mod layout;
mod reader;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod turn;

pub use context::{ActivityBranchStatus, ActivityIterationStatus, Context};
pub use field::Document;
pub use layout::Layout;
pub use reader::Reader;
pub use table::Record;
pub use turn::{Turn, turns};

pub(crate) use field::Field;
pub(crate) use json::Json;
