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
/// How often it asks where the stream begins and ends.
const ENDS: Duration = Duration::from_secs(3);
/// The pause after messages were read: what comes meanwhile is read together. Longer than a leader is silent in
/// [`TELL`](crate::liveness::TELL), so that none waits for the next look.
const GATHER: Duration = Duration::from_millis(20);
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
}

impl Thread {
    /// Applies what the stream holds, until it is told to end or cannot go on.
    pub fn follow(&self) {
        let mut ends = Ends {
            asked: Instant::now(),
            short_since: None,
        };
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
            let told = log.wire().listen(before.sequence, LOOK, &self.abort);
            log.liveness().told(told);
            thread::sleep(PAUSE);
            return Ok(());
        }
        if apply(log, &self.store, &messages)? != before.epoch {
            drop(self.shared.state.lock());
            self.shared.changed.notify_all();
        }
        thread::sleep(GATHER);
        Ok(())
    }

    /// Looks now and then whether the stream still has what this copy has of it.
    fn check_ends(&self, ends: &mut Ends) -> Result<()> {
        if ends.asked.elapsed() < ENDS {
            return Ok(());
        }
        ends.asked = Instant::now();
        let log = &self.shared.log;
        let link = log.link();
        let Ok((first, last)) = log.wire().ends(ANSWER, &self.abort) else {
            return Ok(());
        };
        log.liveness().hear(last);
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
        while !self.abort.is_set() {
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
