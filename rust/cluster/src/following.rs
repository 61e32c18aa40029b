//! The thread of a copy: applies what the stream holds, or watches it for a leader.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use stepwell_core::store::Store;
use stepwell_core::{Error, Result};

use crate::publishing::GRACE;
use crate::roles::{Role, Shared, apply};
use crate::wire::{ANSWER, Abort};

/// How long a copy waits to be told of something new before it looks itself.
const LOOK: Duration = Duration::from_secs(1);
/// How often it asks where the stream begins and ends: so old may be what an idle copy knows.
const ENDS: Duration = Duration::from_secs(1);
/// The pause after messages were read: what comes meanwhile is read together. Longer than a leader is silent in
/// [`TELL`](crate::liveness::TELL), so that none waits for the next look.
const GATHER: Duration = Duration::from_millis(40);
/// The pause before a server that is behind is asked again.
const PAUSE: Duration = Duration::from_millis(4);
/// The pause while the servers do not answer.
const AWAY: Duration = Duration::from_millis(200);

/// What the thread of a copy works with.
pub(crate) struct Thread {
    pub shared: Arc<Shared>,
    pub store: Arc<Store>,
    pub abort: Arc<Abort>,
}

/// What is known of the ends of a stream.
struct Ends {
    asked: Instant,
    short_since: Option<Instant>,
    /// Where the stream ended, at a time.
    seen: Option<(Instant, u64)>,
}

impl Ends {
    fn new() -> Ends {
        let now = Instant::now();
        Ends {
            asked: now.checked_sub(ENDS).unwrap_or(now),
            short_since: None,
            seen: None,
        }
    }
}

impl Thread {
    /// Applies what the stream holds, until it is told to end or cannot go on.
    pub fn follow(&self) {
        let mut ends = Ends::new();
        while !self.abort.is_set() {
            match self.advance(&mut ends) {
                Ok(()) => {}
                Err(Error::Unavailable { .. }) => {
                    let known = self.shared.log.link().sequence;
                    self.shared.log.wire().listen(known, AWAY, &self.abort);
                    thread::sleep(PAUSE);
                }
                Err(_) if self.abort.is_set() => return,
                Err(error) => {
                    self.shared.fail(&error);
                    self.store.queue().fail(error);
                    return;
                }
            }
        }
    }

    fn advance(&self, ends: &mut Ends) -> Result<()> {
        let log = &self.shared.log;
        let before = log.link();
        let messages = log.next(&self.abort)?;
        if messages.is_empty() {
            self.check_ends(ends)?;
            self.note_level(ends);
            let told = log.wire().listen(before.sequence, LOOK, &self.abort);
            log.liveness().told(told);
            thread::sleep(PAUSE);
            return Ok(());
        }
        if apply(log, &self.store, &messages)? != before.epoch {
            drop(self.shared.state.lock());
            self.shared.changed.notify_all();
        }
        self.check_ends(ends)?;
        self.note_level(ends);
        thread::sleep(GATHER);
        Ok(())
    }

    /// Notes since when the copy has all that the stream held, if it has.
    fn note_level(&self, ends: &mut Ends) {
        let log = &self.shared.log;
        if let Some((then, last)) = ends.seen
            && log.link().sequence >= last
        {
            log.liveness().level(then);
            ends.seen = None;
        }
    }

    /// Asks where the stream ends, if it is time.
    fn ask_ends(&self, ends: &mut Ends) -> Option<(u64, u64)> {
        if ends.asked.elapsed() < ENDS {
            return None;
        }
        let asked = Instant::now();
        ends.asked = asked;
        let log = &self.shared.log;
        let (first, last) = log.wire().ends(ANSWER, &self.abort).ok()?;
        log.liveness().hear(last);
        ends.seen.get_or_insert((asked, last));
        Some((first, last))
    }

    /// Looks now and then whether the stream still has what this copy has of it.
    fn check_ends(&self, ends: &mut Ends) -> Result<()> {
        let log = &self.shared.log;
        let link = log.link();
        let Some((first, last)) = self.ask_ends(ends) else {
            return Ok(());
        };
        if first > link.sequence + 1 {
            return Err(Error::Truncated {
                position: link.position + 1,
                start: first,
            });
        }
        if last >= link.sequence {
            ends.short_since = None;
            return Ok(());
        }
        let since = *ends.short_since.get_or_insert_with(Instant::now);
        match since.elapsed() >= GRACE {
            true => Err(log.reader().shortened(&link, last)),
            false => Ok(()),
        }
    }

    /// Looks whether another node leads: a leader that writes nothing would not notice.
    pub fn watch(&self) {
        let mut ends = Ends::new();
        while !self.abort.is_set() {
            self.ask_ends(&mut ends);
            self.note_level(&mut ends);
            let link = self.shared.log.link();
            self.shared
                .log
                .wire()
                .listen(link.sequence, LOOK, &self.abort);
            thread::sleep(PAUSE);
            if self.store.queue().check().is_err() {
                return self.end();
            }
            // Who publishes would be refused.
            if self.shared.log.link() == link
                && let Some(error) = self.look()
            {
                self.shared.log.resign();
                self.store.queue().fail(error);
                return self.end();
            }
        }
    }

    /// The error for a leader whose stream has another one's messages.
    fn look(&self) -> Option<Error> {
        let log = &self.shared.log;
        if log.liveness().is_publishing() {
            return None;
        }
        let before = log.link();
        let found = log.next(&self.abort);
        // What this leader has published meanwhile is its own.
        if log.liveness().is_publishing() || log.link() != before || self.abort.is_set() {
            return None;
        }
        match found {
            Ok(messages) if messages.is_empty() => None,
            Ok(messages) => Some(match messages.last().map(|next| next.epoch) {
                Some(current) if current > before.epoch => Error::Fenced {
                    epoch: before.epoch,
                    current,
                },
                _ => Error::Following,
            }),
            Err(Error::Unavailable { .. }) => None,
            Err(error) => Some(error),
        }
    }

    fn end(&self) {
        let mut state = self.shared.state.lock();
        if state.role == Role::Leading {
            state.role = Role::Ended;
        }
        self.shared.changed.notify_all();
    }
}
