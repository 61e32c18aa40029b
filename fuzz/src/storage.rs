//! The part of storage that works on bytes alone: keys, and the fields of rows.

#[path = "../../rust/core/src/storage/keys.rs"]
pub mod keys;

mod families {
    /// The names of `rust/core/src/storage/families.rs`.
    #[derive(Clone, Copy, Debug)]
    pub enum Family {
        Meta,
        Workflows,
        Executions,
        Activities,
        Tasks,
        Timers,
        Visibility,
        Idempotency,
    }
}
