//! A stream in memory, and nodes whose requests and answers get lost or come late.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use proptest::prelude::*;
use stepwell_cluster::wire::{Abort, Published, Wire};

/// What happens to one publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Well,
    /// It never reaches the stream.
    Lost,
    /// The stream takes it, and the answer never comes.
    NoAnswer,
    /// It reaches the stream only before the next publish of any node.
    Late,
    /// It reaches the stream twice, and the second answer is the one that comes.
    Twice,
}

/// Any fate.
pub fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Well),
        Just(Fate::Lost),
        Just(Fate::NoAnswer),
        Just(Fate::Late),
        Just(Fate::Twice),
    ]
}

/// What all nodes see of one stream.
#[derive(Default)]
pub struct Stream {
    messages: Mutex<Vec<Bytes>>,
    purged: Mutex<u64>,
    late: Mutex<Vec<(Vec<Bytes>, u64)>>,
}

impl Stream {
    fn take(&self, parts: &[Bytes], after: u64) -> Published {
        let mut messages = self.messages.lock();
        if messages.len() as u64 != after {
            return Published::WrongLast(messages.len() as u64);
        }
        messages.extend_from_slice(parts);
        Published::Stored(messages.len() as u64)
    }

    /// Everything that was on its way arrives.
    pub fn settle(&self) {
        for (parts, after) in self.late.lock().drain(..) {
            self.take(&parts, after);
        }
    }

    pub fn messages(&self) -> Vec<Bytes> {
        self.messages.lock().clone()
    }

    /// Removes the messages up to a sequence.
    pub fn purge(&self, last: u64) {
        *self.purged.lock() = last;
    }

    /// Changes what nobody may change.
    pub fn rewrite(&self, change: impl FnOnce(&mut Vec<Bytes>)) {
        change(&mut self.messages.lock());
    }
}

/// One node's connection to a stream.
pub struct Node {
    pub stream: Arc<Stream>,
    /// What happens to the next publishes; afterwards all goes well.
    pub fates: Mutex<VecDeque<Fate>>,
    /// How many of the last messages it does not see when it reads, for the next reads.
    pub stale: Mutex<VecDeque<usize>>,
    pub limit: usize,
}

impl Node {
    pub fn new(stream: &Arc<Stream>) -> Arc<Node> {
        Arc::new(Node {
            stream: stream.clone(),
            fates: Mutex::default(),
            stale: Mutex::default(),
            limit: 4096,
        })
    }
}

impl Wire for Node {
    fn publish(&self, parts: &[Bytes], after: u64, _timeout: Duration, abort: &Abort) -> Published {
        if abort.is_set() {
            return Published::Aborted;
        }
        assert!(parts.iter().all(|part| part.len() <= self.limit));
        let fate = self.fates.lock().pop_front().unwrap_or(Fate::Well);
        self.stream.settle();
        let unknown = || Published::Unknown(format!("{fate:?}"));
        match fate {
            Fate::Well => self.stream.take(parts, after),
            Fate::Lost => unknown(),
            Fate::NoAnswer => {
                self.stream.take(parts, after);
                unknown()
            }
            Fate::Late => {
                self.stream.late.lock().push((parts.to_vec(), after));
                unknown()
            }
            Fate::Twice => {
                self.stream.take(parts, after);
                self.stream.take(parts, after)
            }
        }
    }

    fn read(
        &self,
        from: u64,
        max_bytes: usize,
        _timeout: Duration,
        _abort: &Abort,
    ) -> Result<Vec<(u64, Bytes)>, String> {
        let unseen = self.stale.lock().pop_front().unwrap_or(0);
        let messages = self.stream.messages.lock();
        let seen = messages.len().saturating_sub(unseen);
        let (mut found, mut bytes) = (Vec::new(), 0);
        for sequence in from.max(*self.stream.purged.lock() + 1)..=seen as u64 {
            let message = &messages[sequence as usize - 1];
            bytes += message.len();
            found.push((sequence, message.clone()));
            if bytes >= max_bytes {
                break;
            }
        }
        Ok(found)
    }

    fn ends(&self, _timeout: Duration, _abort: &Abort) -> Result<(u64, u64), String> {
        let first = *self.stream.purged.lock() + 1;
        Ok((first, self.stream.messages.lock().len() as u64))
    }

    fn tell(&self, _last: u64) {}

    fn listen(&self, known: u64, timeout: Duration, abort: &Abort) -> u64 {
        let deadline = Instant::now() + timeout;
        loop {
            let last = self.stream.messages.lock().len() as u64;
            if last > known || abort.is_set() || Instant::now() >= deadline {
                return last;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn limit(&self) -> usize {
        self.limit
    }
}
