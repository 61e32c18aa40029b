//! The queue of batches that wait for the log, and the threads that wait for them.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::error::{Error, Result};
use crate::storage::Batch;

/// Connects the threads of a store: writers push batches, the committer takes them, and other threads
/// wait for the applied position.
pub struct Queue {
    state: Mutex<State>,
    /// Batches are to be taken.
    work: Condvar,
    /// Bytes were freed.
    room: Condvar,
    /// The applied position advanced, `notify` was called, or the queue stopped.
    progress: Condvar,
    applied: AtomicU64,
    hlc: AtomicU64,
    notified: AtomicBool,
    waiting: AtomicUsize,
    limit: usize,
    /// How many bytes a batch may have on the log, and how many its changes may have.
    largest: u64,
    /// The log's last position when it was opened: all of it must be applied before a batch is added.
    replay_until: u64,
    /// Batches come from the log alone, and none is added.
    follows: AtomicBool,
}

struct State {
    batches: VecDeque<Batch>,
    /// The size of the batches that are queued or being written.
    bytes: usize,
    /// The last position given to a batch.
    tail: u64,
    /// The committer must write the queued batches; otherwise the thread that queued them does.
    is_requested: bool,
    /// A thread writes batches. No other may, because batches are written in order.
    is_writing: bool,
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
    Fenced {
        epoch: u64,
        current: u64,
    },
    Following,
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
            Stop::Fenced { epoch, current } => Error::Fenced {
                epoch: *epoch,
                current: *current,
            },
            Stop::Following => Error::Following,
            Stop::Poisoned(reason) => Error::Poisoned {
                reason: reason.clone(),
            },
        }
    }
}

impl Queue {
    /// An empty queue behind position `tail`. It holds up to `limit` bytes of batches, each of at most
    /// `largest`.
    pub fn new(applied: u64, hlc: u64, tail: u64, limit: usize, largest: u64) -> Self {
        Self {
            state: Mutex::new(State {
                batches: VecDeque::new(),
                bytes: 0,
                tail,
                is_requested: false,
                is_writing: false,
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
            follows: AtomicBool::new(false),
        }
    }

    /// Adds no batch from now on, and applies those of the log.
    pub fn follow(&self) {
        self.follows.store(true, Ordering::Release);
    }

    /// An error if batches come from the log alone.
    pub fn check_leads(&self) -> Result<()> {
        match self.follows.load(Ordering::Acquire) {
            true => Err(Error::Following),
            false => self.check(),
        }
    }

    /// The position of the last record whose batch is durable and applied.
    pub fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// The last position given to a batch, or the log's last one.
    pub fn tail(&self) -> u64 {
        self.state.lock().tail
    }

    /// The newest clock among the batches.
    pub fn hlc(&self) -> u64 {
        self.hlc.load(Ordering::Acquire)
    }

    /// Queues a batch, assigns its positions and returns the last of them. Blocks while the queue is full.
    ///
    /// A `deferred` batch does not wake the committer: the caller is about to wait and will write it.
    /// A batch that is too large for the log is refused with [`Error::TooLarge`], and the queue stays usable.
    pub fn push(&self, mut batch: Batch, deferred: bool) -> Result<u64> {
        self.check_leads()?;
        self.check_size(&batch)?;
        let bytes = batch.bytes();
        let mut state = self.running()?;
        while state.bytes > 0 && state.bytes + bytes > self.limit {
            self.request_commit(&mut state);
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
            self.request_commit(&mut state);
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

    fn request_commit(&self, state: &mut State) {
        state.is_requested = true;
        self.work.notify_one();
    }

    /// For the committer: all queued batches, at least one; `None` when there will be no more.
    /// Call [`finish`](Self::finish) afterwards.
    pub fn take(&self) -> Option<VecDeque<Batch>> {
        let mut state = self.state.lock();
        loop {
            let is_closed = match &state.stop {
                None => false,
                Some(Stop::Closed) => true,
                Some(_) => return None,
            };
            if state.batches.is_empty() && is_closed {
                return None;
            }
            let is_due = !state.batches.is_empty() && (state.is_requested || is_closed);
            if is_due && !state.is_writing {
                return Some(begin(&mut state));
            }
            self.work.wait(&mut state);
        }
    }

    /// For a thread that is about to wait: all queued batches. If another thread is writing, or the caller is
    /// busy or was [notified](Self::notify), it wakes the committer and returns `None`.
    /// Call [`finish`](Self::finish) afterwards.
    pub fn take_now(&self, is_busy: bool) -> Option<VecDeque<Batch>> {
        let mut state = self.running().ok()?;
        if state.batches.is_empty() {
            return None;
        }
        if is_busy || state.is_writing || self.notified.load(Ordering::SeqCst) {
            self.request_commit(&mut state);
            return None;
        }
        Some(begin(&mut state))
    }

    /// The batches that were taken are written, or could not be written.
    pub fn finish(&self) {
        let mut state = self.state.lock();
        state.is_writing = false;
        if state.is_requested || state.stop.is_some() {
            self.work.notify_one();
        }
        if state.stop.is_some() {
            self.progress.notify_all();
        }
    }

    /// For a queue that has stopped: waits until no thread writes batches any more.
    pub fn wait_written(&self) {
        let mut state = self.state.lock();
        while state.is_writing {
            self.progress.wait(&mut state);
        }
    }

    /// A batch of `bytes` bytes is durable and applied.
    pub fn done(&self, position: u64, hlc: u64, bytes: usize) {
        let mut state = self.state.lock();
        state.bytes -= bytes;
        self.advance(position, hlc);
        drop(state);
        self.room.notify_all();
        self.progress.notify_all();
    }

    /// A batch of the log was applied.
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

    /// Waits until a position is applied, or for the timeout; returns whether it is applied.
    pub fn wait_applied(&self, position: u64, timeout: Option<Duration>) -> Result<bool> {
        self.wait_until(timeout, || self.applied() >= position)?;
        Ok(self.applied() >= position)
    }

    /// Ends the current [`wait`](Self::wait), or the next one if no thread waits.
    pub fn notify(&self) {
        // Either this thread sees the waiter's count, or the waiter, which counts itself first, sees the flag.
        let is_first = !self.notified.swap(true, Ordering::SeqCst);
        if is_first && self.waiting.load(Ordering::SeqCst) > 0 {
            drop(self.state.lock());
            self.progress.notify_all();
        }
    }

    /// Accepts no more batches. Queued batches are still written.
    pub fn close(&self) {
        self.stop(Stop::Closed);
    }

    /// Accepts no more batches, and drops the queued ones, which cannot be made durable.
    pub fn poison(&self, reason: String) {
        self.stop(Stop::Poisoned(reason));
    }

    /// Accepts no more batches, because of an error.
    pub fn fail(&self, error: Error) {
        match error {
            Error::Superseded { path, epoch, by } => {
                self.stop(Stop::Superseded { path, epoch, by });
            }
            Error::Fenced { epoch, current } => self.stop(Stop::Fenced { epoch, current }),
            Error::Following => self.stop(Stop::Following),
            error => self.poison(error.to_string()),
        }
    }

    /// An error if the queue is closed or poisoned.
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
    state.is_writing = true;
    state.is_requested = false;
    std::mem::take(&mut state.batches)
}

fn check(state: &State) -> Result<()> {
    match &state.stop {
        None => Ok(()),
        Some(stop) => Err(stop.error()),
    }
}

/// Poisons the queue when its thread panics, so that nobody waits for it for ever.
pub struct PoisonOnPanic<'a>(pub &'a Queue);

impl Drop for PoisonOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .poison("a thread of the store panicked; this is a bug".to_owned());
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
