//! The options of a store, as Python gives them by keyword.

use stepwell_core::storage::StorageOptions;
use stepwell_core::store::StoreOptions;

/// Options that are given, and the default ones.
pub fn options(
    segment_bytes: Option<u64>,
    queue_bytes: Option<usize>,
    batch_bytes: Option<u64>,
    flush_bytes: Option<u64>,
    write_buffer_bytes: Option<usize>,
    cache_bytes: Option<usize>,
) -> StoreOptions {
    let default = StoreOptions::default();
    let storage = StorageOptions {
        write_buffer_bytes: write_buffer_bytes.unwrap_or(default.storage.write_buffer_bytes),
        cache_bytes: cache_bytes.unwrap_or(default.storage.cache_bytes),
    };
    StoreOptions {
        segment_bytes: segment_bytes.unwrap_or(default.segment_bytes),
        queue_bytes: queue_bytes.unwrap_or(default.queue_bytes),
        batch_bytes: batch_bytes.unwrap_or(default.batch_bytes),
        flush_bytes: flush_bytes.unwrap_or(default.flush_bytes),
        storage,
        ..default
    }
}
