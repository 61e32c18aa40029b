//! Copying a log, which may be in use, as the log of another store.

use std::path::Path;
use std::sync::Arc;

use super::inspect::Walk;
use super::{Batch, FileLogStream, LogOptions, LogStream as _};
use crate::env::Env;
use crate::error::Result;
use crate::identity::StoreId;

/// Copies what the log in `source` holds now into a new one in `target`, which is the log of `store`; the last position.
///
/// What was confirmed before the call is copied; a batch that is being written is not, as after a crash. If the log is
/// cut far meanwhile, that is [`Truncated`](crate::Error::Truncated), and the copy can be made anew. [`OtherStore`](crate::Error::OtherStore) where the log is not of `of`.
pub fn copy(
    from: &dyn Env,
    source: &Path,
    of: Option<StoreId>,
    to: Arc<dyn Env>,
    target: &Path,
    store: StoreId,
) -> Result<u64> {
    let mut walk = Walk::of(from, source, of)?;
    let options = LogOptions {
        first: walk.first(),
        store: Some(store),
        ..LogOptions::default()
    };
    let log = FileLogStream::open(to, target, options)?;
    while let Some((frame, _)) = walk.next()? {
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
