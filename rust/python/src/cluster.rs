//! A partition on a replicated log: the connection to the servers, and a node's copy.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::Value;
use stepwell_cluster::chain::Link;
use stepwell_cluster::{Connection, Copy, Login, found, message, settings};
use stepwell_core::identity::StoreId;
use stepwell_core::store::{self, StoreOptions};
use stepwell_core::{Error, Result};

use crate::errors::raise;
use crate::folder::Place;
use crate::options::options;
use crate::process::OfThisProcess;
use crate::store::Store;
use crate::values::{frame_list, timeout};

/// A connection to the servers, with a thread of its own. Threads share it.
#[pyclass(frozen, module = "stepwell._core")]
pub struct Nats {
    connection: OfThisProcess<RwLock<Option<Arc<Connection>>>>,
}

impl Nats {
    fn get(&self) -> Result<Arc<Connection>> {
        self.connection.get()?.read().clone().ok_or(Error::Closed)
    }

    /// Calls `body` without the GIL.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        body: impl FnOnce(&Connection) -> Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| body(&*self.get()?)).map_err(raise)
    }
}

#[pymethods]
impl Nats {
    /// Connects to any of the servers, which are separated by commas.
    #[staticmethod]
    #[pyo3(signature = (servers, *, name, user=None, password=None, token=None, credentials=None, timeout=10.0))]
    #[expect(clippy::too_many_arguments, reason = "options by keyword")]
    fn connect(
        py: Python<'_>,
        servers: String,
        name: String,
        user: Option<String>,
        password: Option<String>,
        token: Option<String>,
        credentials: Option<PathBuf>,
        timeout: f64,
    ) -> PyResult<Self> {
        let time = seconds(timeout)?;
        let login = Login {
            user: user.map(|user| (user, password.unwrap_or_default())),
            token,
            credentials,
        };
        let opened = py.detach(|| Connection::open(&servers, &name, login, time));
        Ok(Self {
            connection: OfThisProcess::new(RwLock::new(Some(Arc::new(opened.map_err(raise)?)))),
        })
    }

    /// Whether a server is connected now.
    #[getter]
    fn connected(&self) -> bool {
        self.get().is_ok_and(|connection| connection.is_connected())
    }

    /// The version of the server that is connected.
    #[getter]
    fn version(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |connection| Ok(connection.version()))
    }

    /// Checks the server that is connected; returns what is accepted only because of `unsafe_sync`.
    #[pyo3(signature = (*, unsafe_sync=false))]
    fn check(&self, py: Python<'_>, unsafe_sync: bool) -> PyResult<Vec<String>> {
        self.with(py, |connection| {
            settings::check_server(connection, unsafe_sync)
        })
    }

    /// Creates a partition's stream, unless it exists; returns the id of its store.
    #[pyo3(signature = (stream, subject, *, replicas=3, store=None, first_sequence=1, unsafe_sync=false))]
    #[expect(clippy::too_many_arguments, reason = "options by keyword")]
    fn create_stream(
        &self,
        py: Python<'_>,
        stream: &str,
        subject: &str,
        replicas: u64,
        store: Option<&str>,
        first_sequence: u64,
        unsafe_sync: bool,
    ) -> PyResult<String> {
        let store = store.map(store_id).transpose().map_err(raise)?;
        let found = self.with(py, |connection| {
            settings::create(
                connection,
                stream,
                subject,
                replicas,
                store,
                first_sequence,
                unsafe_sync,
            )
        })?;
        Ok(found.store.to_string())
    }

    /// What the servers say of a partition's stream; None if it does not exist.
    fn stream<'py>(&self, py: Python<'py>, stream: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(found) = self.with(py, |connection| settings::look(connection, stream))? else {
            return Ok(None);
        };
        let info = PyDict::new(py);
        let number = |path: &str| found.info.pointer(path).and_then(Value::as_u64);
        info.set_item("store", found.store.to_string())?;
        info.set_item("subject", &found.subject)?;
        for (name, path) in [
            ("replicas", "/config/num_replicas"),
            ("first_sequence", "/state/first_seq"),
            ("last_sequence", "/state/last_seq"),
            ("messages", "/state/messages"),
            ("bytes", "/state/bytes"),
        ] {
            info.set_item(name, number(path).unwrap_or(0))?;
        }
        let leader = found
            .info
            .pointer("/cluster/leader")
            .and_then(Value::as_str);
        info.set_item("leader", leader)?;
        let replicas = found
            .info
            .pointer("/cluster/replicas")
            .and_then(Value::as_array);
        let follower = |replica: &Value| {
            let flag = |name: &str| replica.get(name).and_then(Value::as_bool).unwrap_or(false);
            let name = replica.get("name").and_then(Value::as_str).unwrap_or("");
            let lag = replica.get("lag").and_then(Value::as_u64).unwrap_or(0);
            (name.to_owned(), flag("current"), flag("offline"), lag)
        };
        let followers: Vec<_> = replicas.into_iter().flatten().map(follower).collect();
        info.set_item("followers", followers)?;
        Ok(Some(info))
    }

    /// Deletes a partition's stream, if it exists.
    fn delete_stream(&self, py: Python<'_>, stream: &str) -> PyResult<()> {
        self.with(py, |connection| settings::delete(connection, stream))
    }

    /// Removes the messages before a sequence: every copy must have them, and a snapshot.
    fn purge(&self, py: Python<'_>, stream: &str, before_sequence: u64) -> PyResult<()> {
        self.with(py, |connection| {
            settings::purge(connection, stream, before_sequence)
        })
    }

    /// Ends the connection, once the copies that use it are closed.
    fn close(&self, py: Python<'_>) {
        if let Ok(connection) = self.connection.get() {
            py.detach(|| drop(connection.write().take()));
        }
    }
}

/// One node's copy of one partition.
#[pyclass(frozen, module = "stepwell._core")]
pub struct PartitionCopy {
    copy: OfThisProcess<RwLock<Option<Arc<Copy>>>>,
    /// The store that was made last for Python, and of which it is. The weak reference keeps the address from being used
    /// again, so that no later store is taken for this one.
    store: Mutex<Option<(Weak<store::Store>, Py<Store>)>>,
}

impl PartitionCopy {
    fn get(&self) -> Result<Arc<Copy>> {
        self.copy.get()?.read().clone().ok_or(Error::Closed)
    }

    fn with<T: Send>(
        &self,
        py: Python<'_>,
        body: impl FnOnce(&Copy) -> Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| body(&*self.get()?)).map_err(raise)
    }
}

#[pymethods]
impl PartitionCopy {
    /// Opens or creates the copy of a stream in a folder.
    #[staticmethod]
    #[pyo3(signature = (
        folder, nats, stream, node, *, segment_bytes=None, queue_bytes=None, batch_bytes=None, flush_bytes=None,
        write_buffer_bytes=None, cache_bytes=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "options by keyword")]
    fn open(
        py: Python<'_>,
        folder: Place,
        nats: Py<Nats>,
        stream: String,
        node: String,
        segment_bytes: Option<u64>,
        queue_bytes: Option<usize>,
        batch_bytes: Option<u64>,
        flush_bytes: Option<u64>,
        write_buffer_bytes: Option<usize>,
        cache_bytes: Option<usize>,
    ) -> PyResult<Self> {
        let options = options(
            segment_bytes,
            queue_bytes,
            batch_bytes,
            flush_bytes,
            write_buffer_bytes,
            cache_bytes,
        );
        let nats = nats.get();
        let open = || Copy::open(folder.create()?, nats.get()?, &stream, &node, options);
        let copy = py.detach(open).map_err(raise)?;
        Ok(Self {
            copy: OfThisProcess::new(RwLock::new(Some(Arc::new(copy)))),
            store: Mutex::new(None),
        })
    }

    /// Opens the copy in a folder without its stream.
    #[staticmethod]
    fn offline(py: Python<'_>, folder: Place) -> PyResult<Self> {
        let open = || Copy::offline(folder.create()?, StoreOptions::default());
        let copy = py.detach(open).map_err(raise)?;
        Ok(Self {
            copy: OfThisProcess::new(RwLock::new(Some(Arc::new(copy)))),
            store: Mutex::new(None),
        })
    }

    /// What a folder says of the copy in it, without opening it; None if it holds none.
    #[staticmethod]
    fn look<'py>(py: Python<'py>, folder: Place) -> PyResult<Option<Bound<'py, PyDict>>> {
        let found = py.detach(|| found::look(&*folder.open()?)).map_err(raise)?;
        let Some(found) = found else { return Ok(None) };
        let items = link_items(py, &found.link)?;
        items.set_item("stream", found.stream)?;
        items.set_item("store", found.store.map(|store| store.to_string()))?;
        Ok(Some(items))
    }

    /// The store of the present role.
    #[getter]
    fn store(&self, py: Python<'_>) -> PyResult<Py<Store>> {
        let store = self.with(py, |copy| Ok(copy.store()))?;
        let which = Arc::downgrade(&store);
        let mut made = self.store.lock();
        if let Some((same, store)) = &*made
            && same.ptr_eq(&which)
        {
            return Ok(store.clone_ref(py));
        }
        let store = Py::new(py, Store::new(store))?;
        *made = Some((which, store.clone_ref(py)));
        Ok(store)
    }

    /// Follows from now on; a leader ends first.
    fn follow(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Copy::follow)
    }

    /// Leads from now on; returns the store to commit to.
    fn lead(&self, py: Python<'_>, timeout: f64) -> PyResult<Py<Store>> {
        let time = seconds(timeout)?;
        self.with(py, |copy| copy.lead(time).map(drop))?;
        self.store(py)
    }

    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let status = self.with(py, |copy| Ok(copy.status()))?;
        let items = link_items(py, &status.at)?;
        items.set_item("role", status.role.word())?;
        items.set_item("store", status.store.to_string())?;
        items.set_item("leader", status.leader)?;
        items.set_item("last_sequence", status.last_sequence)?;
        items.set_item("heard", status.heard.as_secs_f64())?;
        items.set_item("age", status.age.map(|age| age.as_secs_f64()))?;
        items.set_item("waiting", status.waiting.as_secs_f64())?;
        items.set_item("failure", status.failure)?;
        items.set_item("purged", status.is_purged)?;
        Ok(items)
    }

    /// Waits until the role or the epoch is another one, or for the timeout; returns whether it is.
    fn wait_change(&self, py: Python<'_>, role: &str, epoch: u64, timeout: f64) -> PyResult<bool> {
        let time = seconds(timeout)?;
        self.with(py, |copy| Ok(copy.wait_change(role, epoch, time)))
    }

    /// Batches of the stream from its first message on, behind `sequence`: the sequence that they lead to, and tuples of
    /// first position, epoch, number of records and payload.
    #[pyo3(signature = (sequence, max_bytes=4 << 20))]
    fn read_stream<'py>(
        &self,
        py: Python<'py>,
        sequence: u64,
        max_bytes: usize,
    ) -> PyResult<(u64, Bound<'py, PyList>)> {
        let (sequence, frames) = self.with(py, |copy| {
            copy.log().reader().frames_behind(sequence, max_bytes)
        })?;
        Ok((sequence, frame_list(py, &frames)?))
    }

    /// Copies it into a new folder, the beginning of another copy, or of another store; returns where it is.
    #[pyo3(signature = (path, store=None))]
    fn snapshot<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        store: Option<&str>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let store = store.map(store_id).transpose().map_err(raise)?;
        let link = self.with(py, |copy| match store {
            None => copy.snapshot(&path),
            Some(store) => copy.snapshot_as(&path, store),
        })?;
        link_items(py, &link)
    }

    /// Ends its role, flushes everything and releases the folder.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            let Ok(copy) = self.copy.get() else {
                return Ok(());
            };
            let closing = copy.read().clone();
            let closed = closing.map_or(Ok(()), |closing| closing.close());
            drop(copy.write().take());
            closed
        })
        .map_err(raise)?;
        drop(self.store.lock().take());
        Ok(())
    }
}

fn store_id(text: &str) -> Result<StoreId> {
    StoreId::parse(text).ok_or_else(|| Error::Key {
        reason: format!("{text:?} is no id of a store"),
    })
}

fn link_items<'py>(py: Python<'py>, link: &Link) -> PyResult<Bound<'py, PyDict>> {
    let items = PyDict::new(py);
    items.set_item("position", link.position)?;
    items.set_item("sequence", link.sequence)?;
    items.set_item("epoch", link.epoch)?;
    items.set_item("hash", link.hash.to_string())?;
    Ok(items)
}

/// The newest formats that this process reads in a partition's stream: of messages, records and rows.
#[pyfunction]
pub fn stream_formats() -> (u8, u16, u16) {
    message::formats()
}

/// Lets this process be of a version with another format of records, for a test of an upgrade.
#[pyfunction]
pub fn pretend_record_format(format: u16) {
    message::pretend_record_format(format);
}

fn seconds(seconds: f64) -> PyResult<Duration> {
    Ok(timeout(Some(seconds))?.unwrap_or(Duration::from_secs(1 << 30)))
}
