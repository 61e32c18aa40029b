//! When the servers answered, how long a publish waits, and how far the stream is known to go.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often others are told of a new end, at most.
pub const TELL: Duration = Duration::from_millis(20);

/// What one copy knows; times are in milliseconds after `began`.
pub(crate) struct Liveness {
    began: Instant,
    /// When the servers were heard last.
    heard: AtomicU64,
    /// When the publish that waits began (0: none waits).
    waiting: AtomicU64,
    /// When others were told of a new end.
    told: AtomicU64,
    last_sequence: AtomicU64,
    /// When the stream held nothing that the copy did not have (0: not yet).
    level: AtomicU64,
}

impl Liveness {
    pub fn new(last_sequence: u64) -> Liveness {
        Liveness {
            began: Instant::now(),
            heard: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            told: AtomicU64::new(0),
            last_sequence: AtomicU64::new(last_sequence),
            level: AtomicU64::new(0),
        }
    }

    /// The last sequence of the stream that was heard of.
    pub fn last_sequence(&self) -> u64 {
        self.last_sequence.load(Ordering::Relaxed)
    }

    /// How long ago the servers answered.
    pub fn heard(&self) -> Duration {
        self.since(self.heard.load(Ordering::Relaxed))
    }

    /// How old the copy is at most: how long ago it had all that the stream held; `None`: not since it was opened.
    pub fn age(&self) -> Option<Duration> {
        match self.level.load(Ordering::Relaxed) {
            0 => None,
            at => Some(self.since(at)),
        }
    }

    /// The copy has all that the stream held at `then`.
    pub fn level(&self, then: Instant) {
        let millis = then.saturating_duration_since(self.began).as_millis() as u64;
        self.level.fetch_max(millis.max(1), Ordering::Relaxed);
    }

    /// How long the oldest publish waits for its answer.
    pub fn waiting(&self) -> Duration {
        match self.waiting.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            began => self.since(began),
        }
    }

    /// Whether a publish is under way.
    pub fn is_publishing(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) != 0
    }

    /// A publish begins to wait for its answer.
    pub fn publish(&self) {
        self.waiting.store(self.millis().max(1), Ordering::Relaxed);
    }

    /// No publish waits any more.
    pub fn published(&self) {
        self.waiting.store(0, Ordering::Relaxed);
    }

    /// Another node says that the stream ends at `last` or later.
    pub fn told(&self, last: u64) {
        self.last_sequence.fetch_max(last, Ordering::Relaxed);
    }

    /// The servers answered, and the stream ends at `last` or later.
    pub fn hear(&self, last: u64) {
        self.told(last);
        self.heard.store(self.millis(), Ordering::Relaxed);
    }

    /// Whether others are to be told of a new end now. If they were a moment ago, they look again by themselves.
    pub fn tells(&self) -> bool {
        let now = self.millis() + 1;
        let is_due = now >= self.told.load(Ordering::Relaxed) + TELL.as_millis() as u64;
        if is_due {
            self.told.store(now, Ordering::Relaxed);
        }
        is_due
    }

    fn since(&self, millis: u64) -> Duration {
        let elapsed = self.began.elapsed();
        elapsed.saturating_sub(Duration::from_millis(millis))
    }

    fn millis(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}
