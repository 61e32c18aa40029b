//! What the threads of a copy share: its role, its log, and why it cannot go on.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use stepwell_core::store::Store;
use stepwell_core::{Error, Result};

use crate::log::ReplicatedLog;
use crate::reading::Next;

/// What a copy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It was opened, and what its storage lacks of its files is replayed.
    Opened,
    Following,
    Leading,
    /// It led, and another node leads now, or the leader's store was closed.
    Ended,
    /// The stream is not what it was, or the copy cannot go on.
    Failed,
}

impl Role {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Role::Opened => "opened",
            Role::Following => "following",
            Role::Leading => "leading",
            Role::Ended => "ended",
            Role::Failed => "failed",
        }
    }
}

/// The state that the threads of a copy share.
pub(crate) struct Shared {
    pub log: Arc<ReplicatedLog>,
    pub state: Mutex<State>,
    /// The role, the epoch or the leader changed.
    pub changed: Condvar,
}

pub(crate) struct State {
    pub role: Role,
    pub failure: Option<Failed>,
}

/// Why a copy cannot go on.
pub(crate) struct Failed {
    text: String,
    is_purged: bool,
    diverged: Option<[String; 4]>,
    at: (u64, u64),
}

impl Failed {
    fn new(error: &Error) -> Failed {
        let text = error.to_string();
        match error {
            Error::Diverged {
                stream,
                sequence,
                position,
                here,
                there,
                reason,
            } => Failed {
                text,
                is_purged: false,
                diverged: Some([stream, here, there, reason].map(String::clone)),
                at: (*sequence, *position),
            },
            _ => Failed {
                text,
                is_purged: matches!(error, Error::Truncated { .. }),
                diverged: None,
                at: (0, 0),
            },
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the stream begins behind what follows the copy.
    pub fn is_purged(&self) -> bool {
        self.is_purged
    }

    /// The error once more.
    pub fn again(&self) -> Error {
        match self.diverged.clone() {
            Some([stream, here, there, reason]) => Error::Diverged {
                stream,
                sequence: self.at.0,
                position: self.at.1,
                here,
                there,
                reason,
            },
            None => Error::Poisoned {
                reason: self.text.clone(),
            },
        }
    }
}

impl Shared {
    /// The copy cannot go on.
    pub fn fail(&self, error: &Error) {
        let mut state = self.state.lock();
        state.role = Role::Failed;
        state.failure = Some(Failed::new(error));
        self.changed.notify_all();
    }
}

/// Takes messages and applies their batches; returns the epoch then.
pub(crate) fn apply(log: &ReplicatedLog, store: &Store, messages: &[Next]) -> Result<u64> {
    for message in messages {
        log.take(message)?;
        for batch in &message.batches {
            store.apply(batch)?;
        }
    }
    Ok(log.link().epoch)
}
