//! One node's copy of a partition: it follows, and leads when it is told to.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use stepwell_core::env::Folder;
use stepwell_core::identity::StoreId;
use stepwell_core::log::LogStream as _;
use stepwell_core::storage::Storage;
use stepwell_core::store::{Held, Parts, Store, StoreOptions};
use stepwell_core::{Error, Result};

use crate::catching_up::{fill, take_over};
use crate::chain::Link;
use crate::connection::Connection;
use crate::following::Thread;
use crate::found;
use crate::log::ReplicatedLog;
use crate::offline::Offline;
use crate::roles::{Failed, Role, Shared, State};
use crate::settings;
use crate::stream::JetStream;
use crate::wire::{Abort, Wire};

/// How a copy is.
#[derive(Clone, Debug)]
pub struct Status {
    pub role: Role,
    pub store: StoreId,
    /// Where it is.
    pub at: Link,
    pub leader: Option<String>,
    pub last_sequence: u64,
    pub heard: Duration,
    /// How old it is at most; `None`: it has not caught up with the stream yet.
    pub age: Option<Duration>,
    pub waiting: Duration,
    pub failure: Option<String>,
    /// Whether it cannot go on because the stream begins behind what follows it: it needs a snapshot.
    pub is_purged: bool,
}

/// A copy. Any thread may call it; changes of its role exclude each other.
pub struct Copy {
    shared: Arc<Shared>,
    node: String,
    storage: Arc<Storage>,
    options: StoreOptions,
    store: Mutex<Arc<Store>>,
    /// What applies the stream, or watches it.
    work: Mutex<Option<Work>>,
    _held: Held,
}

pub(crate) struct Work {
    abort: Arc<Abort>,
    thread: JoinHandle<()>,
}

impl Copy {
    /// Opens or creates the copy of a stream in a folder. Replay what its storage lacks of its log, then
    /// [`follow`](Self::follow).
    pub fn open(
        folder: Arc<Folder>,
        connection: Arc<Connection>,
        stream: &str,
        node: &str,
        options: StoreOptions,
    ) -> Result<Copy> {
        let found = settings::find(&connection, stream)?;
        let wire = JetStream::open(connection, stream, &found.subject)?;
        Copy::with(folder, Arc::new(wire), stream, found.store, node, options)
    }

    /// Opens the copy in a folder without its stream: it can be read, and snapshots of it can be made.
    pub fn offline(folder: Arc<Folder>, options: StoreOptions) -> Result<Copy> {
        let found = found::look(&folder)?;
        let store = found.as_ref().and_then(|found| found.store);
        let Some((found, store)) = found.zip(store) else {
            return Err(Error::Storage {
                action: "open",
                reason: format!("{} holds no copy of a stream", folder.path().display()),
            });
        };
        Copy::with(folder, Arc::new(Offline), &found.stream, store, "", options)
    }

    /// The same with any stream.
    pub fn with(
        folder: Arc<Folder>,
        wire: Arc<dyn Wire>,
        stream: &str,
        store: StoreId,
        node: &str,
        options: StoreOptions,
    ) -> Result<Copy> {
        let Parts {
            log,
            storage,
            recovered,
            held,
        } = Parts::open(folder.clone(), &options, Some((stream, store)))?;
        let log = Arc::new(ReplicatedLog::new(wire, stream, folder, log)?);
        let storage = Arc::new(storage);
        fill(&log, &storage)?;
        let store = Store::new(log.clone(), storage.clone(), recovered, &options)?;
        store.queue().follow();
        Ok(Copy {
            shared: Arc::new(Shared {
                log,
                state: Mutex::new(State {
                    role: Role::Opened,
                    failure: None,
                }),
                changed: Condvar::new(),
            }),
            node: node.to_owned(),
            storage,
            options,
            store: Mutex::new(Arc::new(store)),
            work: Mutex::new(None),
            _held: held,
        })
    }

    /// The store of the present role.
    pub fn store(&self) -> Arc<Store> {
        self.store.lock().clone()
    }

    /// The partition's log.
    pub fn log(&self) -> &ReplicatedLog {
        &self.shared.log
    }

    /// How it is.
    pub fn status(&self) -> Status {
        let log = &self.shared.log;
        let known = log.liveness();
        let state = self.shared.state.lock();
        Status {
            role: state.role,
            store: log.store(),
            at: log.link(),
            leader: log.leader(),
            last_sequence: known.last_sequence(),
            heard: known.heard(),
            age: known.age(),
            waiting: known.waiting(),
            failure: state
                .failure
                .as_ref()
                .map(|failed| failed.text().to_owned()),
            is_purged: state.failure.as_ref().is_some_and(Failed::is_purged),
        }
    }

    /// Waits until its role or its epoch is another one than these, or for the timeout; returns whether it is.
    pub fn wait_change(&self, role: &str, epoch: u64, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.state.lock();
        loop {
            if state.role.word() != role || self.shared.log.link().epoch != epoch {
                return true;
            }
            let waited = self.shared.changed.wait_until(&mut state, deadline);
            if waited.timed_out() {
                return false;
            }
        }
    }

    /// Follows from now on. A leader ends first: what is under way is confirmed no more.
    pub fn follow(&self) -> Result<()> {
        let mut work = self.work.lock();
        let role = self.shared.state.lock().role;
        match role {
            Role::Following => return Ok(()),
            Role::Failed => return Err(self.failure()),
            Role::Opened | Role::Leading | Role::Ended => {}
        }
        end(&mut work);
        if role != Role::Opened {
            self.shared.log.resign();
            self.end_store();
            self.renew(None)?;
            self.store().queue().follow();
        }
        self.begin(&mut work, Role::Following)
    }

    /// Leads from now on: applies what the stream has, and begins an epoch behind that. Returns the store to commit to.
    ///
    /// [`Fenced`](Error::Fenced) if another node was faster, [`Unavailable`](Error::Unavailable) if the servers do not
    /// answer in time; it follows on then.
    pub fn lead(&self, timeout: Duration) -> Result<Arc<Store>> {
        let mut work = self.work.lock();
        let role = self.shared.state.lock().role;
        match role {
            Role::Following => {}
            Role::Failed => return Err(self.failure()),
            Role::Leading if self.store().queue().check().is_ok() => return Ok(self.store()),
            Role::Leading | Role::Opened | Role::Ended => return Err(Error::Following),
        }
        end(&mut work);
        let abort = Arc::new(Abort::default());
        let led = take_over(
            &self.shared.log,
            &self.store(),
            &self.node,
            Instant::now() + timeout,
            &abort,
        );
        let epoch = match led {
            Ok(epoch) => epoch,
            Err(error) => return Err(self.follow_on(&mut work, error)),
        };
        self.end_store();
        self.renew(Some(epoch))?;
        self.begin(&mut work, Role::Leading)?;
        Ok(self.store())
    }

    /// Lets no role change while the guard lives, and a copy that follows rest. It must have one of these roles.
    pub(crate) fn pause(&self, roles: &[Role]) -> Result<MutexGuard<'_, Option<Work>>> {
        let mut work = self.work.lock();
        let role = self.shared.state.lock().role;
        if role == Role::Failed {
            return Err(self.failure());
        }
        if !roles.contains(&role) {
            return Err(Error::Storage {
                action: "copy",
                reason: format!("a copy that is {} cannot be copied now", role.word()),
            });
        }
        if role == Role::Following {
            end(&mut work);
        }
        Ok(work)
    }

    /// Goes on after a [`pause`](Self::pause).
    pub(crate) fn resume(&self, work: &mut Option<Work>) -> Result<()> {
        let role = self.shared.state.lock().role;
        match role {
            Role::Following => self.begin(work, role),
            _ => Ok(()),
        }
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Ends its role, flushes everything and closes the folder's log.
    pub fn close(&self) -> Result<()> {
        let mut work = self.work.lock();
        self.shared.log.resign();
        end(&mut work);
        self.set(Role::Ended);
        let store = self.store();
        store.stop();
        let flushed = match self.shared.log.poisoned() {
            None => self
                .shared
                .log
                .persist()
                .and_then(|()| self.storage.flush()),
            Some(reason) => Err(Error::Poisoned { reason }),
        };
        flushed.and_then(|()| self.shared.log.close())
    }

    /// Follows again after it could not lead, unless it cannot follow either.
    fn follow_on(&self, work: &mut Option<Work>, error: Error) -> Error {
        match error {
            Error::Unavailable { .. } | Error::Fenced { .. } => {
                match self.begin(work, Role::Following) {
                    Ok(()) => error,
                    Err(other) => other,
                }
            }
            error => {
                self.shared.fail(&error);
                error
            }
        }
    }

    /// Ends the store of the role so far: what is under way is confirmed no more.
    fn end_store(&self) {
        let store = self.store();
        store.queue().fail(Error::Following);
        store.stop();
    }

    /// A store for another role, over the same files.
    fn renew(&self, epoch: Option<u64>) -> Result<()> {
        let options = StoreOptions {
            epoch,
            ..self.options.clone()
        };
        let log = self.shared.log.clone();
        let store = Store::new(log, self.storage.clone(), None, &options);
        match store {
            Ok(store) => *self.store.lock() = Arc::new(store),
            Err(error) => {
                self.shared.log.resign();
                self.shared.fail(&error);
                return Err(error);
            }
        }
        Ok(())
    }

    fn begin(&self, work: &mut Option<Work>, role: Role) -> Result<()> {
        let abort = Arc::new(Abort::default());
        let thread = Thread {
            shared: self.shared.clone(),
            store: self.store(),
            abort: abort.clone(),
        };
        self.set(role);
        let name = "stepwell-copy".to_owned();
        let spawned = thread::Builder::new().name(name).spawn(move || match role {
            Role::Leading => thread.watch(),
            _ => thread.follow(),
        });
        let thread = spawned.map_err(|error| Error::Storage {
            action: "start a thread for",
            reason: error.to_string(),
        })?;
        *work = Some(Work { abort, thread });
        Ok(())
    }

    fn set(&self, role: Role) {
        let mut state = self.shared.state.lock();
        if state.role != Role::Failed {
            state.role = role;
        }
        self.shared.changed.notify_all();
    }

    fn failure(&self) -> Error {
        let state = self.shared.state.lock();
        state.failure.as_ref().map_or(Error::Closed, Failed::again)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.shared.log.resign();
        end(&mut self.work.lock());
    }
}

fn end(work: &mut Option<Work>) {
    if let Some(work) = work.take() {
        work.abort.set();
        // A thread that panicked has nothing to say.
        drop(work.thread.join());
    }
}
