//! What a copy asks of a stream. Tests answer otherwise than the servers: late, twice, wrongly, never.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

/// How long a copy waits for the answer to one request.
pub const ANSWER: Duration = Duration::from_secs(2);

/// A stream of messages, numbered by sequences from 1.
pub trait Wire: Send + Sync {
    /// Publishes the parts of one message, all or none, directly behind sequence `after`.
    fn publish(&self, parts: &[Bytes], after: u64, timeout: Duration, abort: &Abort) -> Published;

    /// The messages from a sequence on, as far as the server that answers has them; it may lag behind the others. The
    /// first one may have a later sequence, where what was before it is purged.
    fn read(
        &self,
        from: u64,
        max_bytes: usize,
        timeout: Duration,
        abort: &Abort,
    ) -> Result<Vec<(u64, Bytes)>, String>;

    /// The first and the last sequence, as the server that leads the stream says.
    fn ends(&self, timeout: Duration, abort: &Abort) -> Result<(u64, u64), String>;

    /// Tells the other nodes that the stream has a new end.
    fn tell(&self, last: u64);

    /// Waits until another node tells of a new end behind `known`, or for the timeout. Returns the last one told.
    fn listen(&self, known: u64, timeout: Duration, abort: &Abort) -> u64;

    /// How many bytes a message may have.
    fn limit(&self) -> usize;
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// A quorum has it; the sequence of its last part.
    Stored(u64),
    /// The stream ends at another sequence, and did not take it now. An earlier attempt may have been taken.
    WrongLast(u64),
    /// No answer, or one that does not say whether the stream has it.
    Unknown(String),
    /// The caller was asked to stop; nobody knows what became of it.
    Aborted,
}

/// Ends waiting in another thread, for good.
#[derive(Default)]
pub struct Abort {
    is_set: AtomicBool,
    set: Notify,
}

impl Abort {
    pub fn set(&self) {
        self.is_set.store(true, Ordering::SeqCst);
        self.set.notify_waiters();
    }

    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::SeqCst)
    }

    /// Waits until it is set.
    pub async fn wait(&self) {
        let notified = self.set.notified();
        tokio::pin!(notified);
        // Registered before the flag is looked at, so that none is missed.
        notified.as_mut().enable();
        if !self.is_set() {
            notified.await;
        }
    }
}
