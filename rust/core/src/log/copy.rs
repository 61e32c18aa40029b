//! Copies a log, which may be in use, to become the log of another store.

use std::path::Path;
use std::sync::Arc;

use super::inspect::FrameReader;
use super::{Batch, FileLogStream, LogOptions, LogStream as _};
use crate::env::Env;
use crate::error::Result;
use crate::identity::StoreId;

/// Copies the current content of the log in `source` into a new log of `store` in `target`; returns the last position.
///
/// What was confirmed before the call is copied. A batch that is being written is not, as after a crash.
/// [`Truncated`](crate::Error::Truncated) if the log was truncated past what the copy still had to read: it can be repeated.
/// [`OtherStore`](crate::Error::OtherStore) if `of` is given and the log belongs to another store.
pub fn copy(
    from: &dyn Env,
    source: &Path,
    of: Option<StoreId>,
    to: Arc<dyn Env>,
    target: &Path,
    store: StoreId,
) -> Result<u64> {
    let mut frames = FrameReader::of(from, source, of)?;
    let options = LogOptions {
        first: frames.first(),
        store: Some(store),
        ..LogOptions::default()
    };
    let log = FileLogStream::open(to, target, options)?;
    while let Some((frame, _)) = frames.next()? {
        let payload: [&[u8]; 1] = [&frame.payload];
        let batch = Batch {
            count: frame.count,
            payload: &payload,
        };
        log.append(&[batch], frame.epoch, log.tail())?;
    }
    log.close()?;
    Ok(log.tail())
}
