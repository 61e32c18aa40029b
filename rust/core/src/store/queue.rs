//! Batches on their way to the log, and those who wait for them.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::error::{Error, Result};
use crate::storage::Batch;

/// Where the threads of a store meet: writers push, the committer takes, and whoever waits learns
/// how far the applied position came.
pub struct Queue {
    state: Mutex<State>,
    /// There is something to take.
    work: Condvar,
    /// There is room again.
    room: Condvar,
    /// The applied position moved, somebody notified, or the queue stopped.
    progress: Condvar,
    applied: AtomicU64,
    hlc: AtomicU64,
    notified: AtomicBool,
    waiting: AtomicUsize,
    limit: usize,
    /// How many bytes a batch may have on the log, and as many in its rows.
    largest: u64,
    /// What the log held when it was opened: all of it must be applied before anything is added.
    replay_until: u64,
}

struct State {
    batches: VecDeque<Batch>,
    /// Of the batches that are queued or being written.
    bytes: usize,
    /// The last position given to a batch.
    tail: u64,
    /// The committer is to write what is queued; else whoever queued it will.
    is_wanted: bool,
    /// Somebody writes batches: nobody else may, for they keep their order.
    is_busy: bool,
    stop: Option<Stop>,
}

#[derive(Clone)]
enum Stop {
    Closed,
    Superseded {
        path: PathBuf,
        epoch: u64,
        by: String,
    },
    Poisoned(String),
}

impl Stop {
    fn error(&self) -> Error {
        match self {
            Stop::Closed => Error::Closed,
            Stop::Superseded { path, epoch, by } => Error::Superseded {
                path: path.clone(),
                epoch: *epoch,
                by: by.clone(),
            },
            Stop::Poisoned(reason) => Error::Poisoned {
                reason: reason.clone(),
            },
        }
    }
}

impl Queue {
    /// An empty queue behind position `tail`, which holds up to `limit` bytes of batches, each of them
    /// of no more than `largest`.
    pub fn new(applied: u64, hlc: u64, tail: u64, limit: usize, largest: u64) -> Self {
        Self {
            state: Mutex::new(State {
                batches: VecDeque::new(),
                bytes: 0,
                tail,
                is_wanted: false,
                is_busy: false,
                stop: None,
            }),
            work: Condvar::new(),
            room: Condvar::new(),
            progress: Condvar::new(),
            applied: AtomicU64::new(applied),
            hlc: AtomicU64::new(hlc),
            notified: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            limit,
            largest,
            replay_until: tail,
        }
    }

    /// The position of the last record whose batch is durable and applied.
    pub fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// The last position given to a batch, or that the log had.
    pub fn tail(&self) -> u64 {
        self.state.lock().tail
    }

    /// The newest clock that a batch brought.
    pub fn hlc(&self) -> u64 {
        self.hlc.load(Ordering::Acquire)
    }

    /// Queues a batch, gives it its positions and returns the last of them. Blocks while there is no room.
    ///
    /// A batch that is `deferred` is left to whoever takes next: the caller is about to.
    /// One that the log could not hold is refused, and the queue goes on: [`Error::TooLarge`].
    pub fn push(&self, mut batch: Batch, deferred: bool) -> Result<u64> {
        self.check_size(&batch)?;
        let bytes = batch.bytes();
        let mut state = self.running()?;
        while state.bytes > 0 && state.bytes + bytes > self.limit {
            self.want(&mut state);
            self.room.wait(&mut state);
            check(&state)?;
        }
        let applied = self.applied();
        if applied < self.replay_until {
            let position = state.tail + 1;
            return Err(Error::OutOfOrder { position, applied });
        }
        state.tail += u64::from(batch.count);
        state.bytes += bytes;
        batch.position = state.tail;
        let position = batch.position;
        state.batches.push_back(batch);
        if !deferred {
            self.want(&mut state);
        }
        Ok(position)
    }

    fn check_size(&self, batch: &Batch) -> Result<()> {
        let bytes = batch.payload.len().max(batch.changes.len()) as u64;
        if bytes <= self.largest {
            return Ok(());
        }
        Err(Error::TooLarge {
            bytes,
            limit: self.largest,
        })
    }

    fn want(&self, state: &mut State) {
        state.is_wanted = true;
        self.work.notify_one();
    }

    /// For the committer: everything queued, at least one batch; `None` when nothing will come any more.
    /// [`finish`](Self::finish) follows.
    pub fn take(&self) -> Option<VecDeque<Batch>> {
        let mut state = self.state.lock();
        loop {
            let is_closed = match &state.stop {
                Some(Stop::Poisoned(_) | Stop::Superseded { .. }) => return None,
                Some(Stop::Closed) => true,
                None => false,
            };
            if state.batches.is_empty() && is_closed {
                return None;
            }
            let is_due = !state.batches.is_empty() && (state.is_wanted || is_closed);
            if is_due && !state.is_busy {
                return Some(begin(&mut state));
            }
            self.work.wait(&mut state);
        }
    }

    /// For whoever is about to wait: everything queued. If somebody is writing already, or the caller is
    /// busy or has been [notified](Self::notify), the committer will take it.
    /// [`finish`](Self::finish) follows.
    pub fn take_now(&self, is_busy: bool) -> Option<VecDeque<Batch>> {
        let mut state = self.running().ok()?;
        if state.batches.is_empty() {
            return None;
        }
        if is_busy || state.is_busy || self.notified.load(Ordering::SeqCst) {
            self.want(&mut state);
            return None;
        }
        Some(begin(&mut state))
    }

    /// What was taken is written, or could not be.
    pub fn finish(&self) {
        let mut state = self.state.lock();
        state.is_busy = false;
        if state.is_wanted || state.stop.is_some() {
            self.work.notify_one();
        }
    }

    /// A batch of `bytes` that was taken is durable and applied.
    pub fn done(&self, position: u64, hlc: u64, bytes: usize) {
        let mut state = self.state.lock();
        state.bytes -= bytes;
        self.advance(position, hlc);
        drop(state);
        self.room.notify_all();
        self.progress.notify_all();
    }

    /// A batch that came from the log was applied.
    pub fn replayed(&self, position: u64, hlc: u64) {
        let mut state = self.state.lock();
        state.tail = state.tail.max(position);
        self.advance(position, hlc);
        drop(state);
        self.progress.notify_all();
    }

    fn advance(&self, position: u64, hlc: u64) {
        self.hlc.fetch_max(hlc, Ordering::AcqRel);
        self.applied.store(position, Ordering::Release);
    }

    /// Waits until the applied position is beyond `seen`, for [`notify`](Self::notify), or for the
    /// timeout, and returns the applied position.
    pub fn wait(&self, seen: u64, timeout: Option<Duration>) -> Result<u64> {
        self.wait_until(timeout, || {
            self.applied() > seen || self.notified.swap(false, Ordering::SeqCst)
        })?;
        Ok(self.applied())
    }

    /// Waits until a position is applied, or for the timeout; returns whether it is.
    pub fn wait_applied(&self, position: u64, timeout: Option<Duration>) -> Result<bool> {
        self.wait_until(timeout, || self.applied() >= position)?;
        Ok(self.applied() >= position)
    }

    /// Ends a [`wait`](Self::wait): the one that goes on, or else the next one.
    pub fn notify(&self) {
        // Either this sees the waiter counted, or the waiter, which counts itself first, sees the flag.
        let is_first = !self.notified.swap(true, Ordering::SeqCst);
        if is_first && self.waiting.load(Ordering::SeqCst) > 0 {
            drop(self.state.lock());
            self.progress.notify_all();
        }
    }

    /// Takes nothing in any more. Batches that are queued are still written.
    pub fn close(&self) {
        self.stop(Stop::Closed);
    }

    /// Takes nothing in any more, and forgets what is queued: it cannot be made durable.
    pub fn poison(&self, reason: String) {
        self.stop(Stop::Poisoned(reason));
    }

    /// Takes nothing in any more, because of an error.
    pub fn fail(&self, error: Error) {
        match error {
            Error::Superseded { path, epoch, by } => {
                self.stop(Stop::Superseded { path, epoch, by });
            }
            error => self.poison(error.to_string()),
        }
    }

    /// An error if the queue was closed or poisoned.
    pub fn check(&self) -> Result<()> {
        self.running().map(drop)
    }

    fn stop(&self, stop: Stop) {
        let mut state = self.state.lock();
        if matches!(state.stop, None | Some(Stop::Closed)) {
            state.stop = Some(stop);
        }
        drop(state);
        self.work.notify_all();
        self.room.notify_all();
        self.progress.notify_all();
    }

    fn running(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state.lock();
        check(&state)?;
        Ok(state)
    }

    fn wait_until(
        &self,
        timeout: Option<Duration>,
        mut is_due: impl FnMut() -> bool,
    ) -> Result<()> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.running()?;
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let outcome = loop {
            if let Err(error) = check(&state) {
                break Err(error);
            }
            if is_due() {
                break Ok(());
            }
            match deadline {
                None => self.progress.wait(&mut state),
                Some(deadline) if Instant::now() >= deadline => break Ok(()),
                Some(deadline) => drop(self.progress.wait_until(&mut state, deadline)),
            }
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        outcome
    }
}

fn begin(state: &mut State) -> VecDeque<Batch> {
    state.is_busy = true;
    state.is_wanted = false;
    std::mem::take(&mut state.batches)
}

fn check(state: &State) -> Result<()> {
    match &state.stop {
        None => Ok(()),
        Some(stop) => Err(stop.error()),
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
