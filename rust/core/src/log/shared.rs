//! What the parts of a file log share: how it is kept, and how far it is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;

use crate::env::Env;
use crate::identity::StoreId;

/// Options of a file log.
#[derive(Clone, Copy, Debug)]
pub struct LogOptions {
    /// A segment of this many bytes or more gets a successor.
    pub segment_bytes: u64,
    /// The most zeros that are preallocated behind the frames of a segment at a time; 0 for none.
    pub ahead_bytes: u64,
    /// The position that a new log begins with.
    pub first: u64,
    /// The store whose log it must be, or whose log a new one becomes. `None` takes the existing id, or a new one.
    pub store: Option<StoreId>,
    /// A follower that is more than this many segments behind no longer keeps the log from being truncated.
    pub segments_for_followers: usize,
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions {
            segment_bytes: 64 << 20,
            ahead_bytes: 1 << 20,
            first: 1,
            store: None,
            segments_for_followers: 16,
        }
    }
}

/// State that the writer and the readers of a log share.
pub struct Shared {
    pub env: Arc<dyn Env>,
    pub folder: PathBuf,
    pub store: StoreId,
    /// The positions that the segments begin with, in order.
    pub segments: RwLock<Vec<u64>>,
    /// Where some frames begin, so that a reader can start near its position:
    /// position → (segment, offset).
    pub marks: RwLock<BTreeMap<u64, (u64, u64)>>,
    pub durable: AtomicU64,
    pub tail: AtomicU64,
    pub epoch: AtomicU64,
    pub poisoned: OnceLock<String>,
}
