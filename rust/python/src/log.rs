//! The log alone, without storage.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyList;
use stepwell_core::env::Folder;
use stepwell_core::log::{self, Batch, FileLogStream, Frame, LogOptions};
use stepwell_core::{Error, Result};

use crate::errors::raise;
use crate::process::OfThisProcess;
use crate::values::frame_list;

/// A log of either kind, until it is closed.
struct Open(OfThisProcess<RwLock<Option<Arc<dyn log::LogStream>>>>);

impl Open {
    fn new(log: impl log::LogStream + 'static) -> Self {
        Self(OfThisProcess::new(RwLock::new(Some(Arc::new(log)))))
    }

    /// Calls `body` without the GIL.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        body: impl FnOnce(&dyn log::LogStream) -> Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| match &*self.0.get()?.read() {
            Some(log) => body(&**log),
            None => Err(Error::Closed),
        })
        .map_err(raise)
    }

    fn append(
        &self,
        py: Python<'_>,
        batches: Vec<(u32, PyBackedBytes)>,
        epoch: u64,
        expected_last: u64,
    ) -> PyResult<u64> {
        let pieces: Vec<[&[u8]; 1]> = batches.iter().map(|(_, payload)| [&payload[..]]).collect();
        let counts = batches.iter().map(|(count, _)| *count);
        let batches: Vec<Batch> = counts
            .zip(&pieces)
            .map(|(count, payload)| Batch { count, payload })
            .collect();
        self.with(py, |log| log.append(&batches, epoch, expected_last))
    }

    fn read<'py>(
        &self,
        py: Python<'py>,
        from: u64,
        max_bytes: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        let frames: Vec<Frame> = self.with(py, |log| log::read_up_to(log, from, max_bytes))?;
        frame_list(py, &frames)
    }

    fn close(&self, py: Python<'_>) {
        if let Ok(log) = self.0.get() {
            py.detach(|| drop(log.write().take()));
        }
    }
}

/// The methods that both kinds of log have.
macro_rules! log_class {
    ($class:ident, $(#[$doc:meta])* { $($own:tt)* }) => {
        $(#[$doc])*
        #[pyclass(frozen, module = "stepwell._core")]
        pub struct $class {
            log: Open,
            recovered: Option<String>,
        }

        #[pymethods]
        impl $class {
            $($own)*

            /// The torn tail that was cut off when the log was opened.
            #[getter]
            fn recovered(&self) -> Option<&str> {
                self.recovered.as_deref()
            }

            /// Appends batches behind `expected_last`; returns the last position. `sync` makes them durable.
            fn append(
                &self,
                py: Python<'_>,
                batches: Vec<(u32, PyBackedBytes)>,
                epoch: u64,
                expected_last: u64,
            ) -> PyResult<u64> {
                self.log.append(py, batches, epoch, expected_last)
            }

            /// Makes the appended batches durable; returns the last durable position.
            fn sync(&self, py: Python<'_>) -> PyResult<u64> {
                self.log.with(py, |log| log.sync())
            }

            fn durable(&self, py: Python<'_>) -> PyResult<u64> {
                self.log.with(py, |log| Ok(log.durable()))
            }

            fn tail(&self, py: Python<'_>) -> PyResult<u64> {
                self.log.with(py, |log| Ok(log.tail()))
            }

            fn start(&self, py: Python<'_>) -> PyResult<u64> {
                self.log.with(py, |log| Ok(log.start()))
            }

            fn epoch(&self, py: Python<'_>) -> PyResult<u64> {
                self.log.with(py, |log| Ok(log.epoch()))
            }

            /// Ends the epochs before `epoch`: appends of their leaders are refused.
            fn fence(&self, py: Python<'_>, epoch: u64) -> PyResult<()> {
                self.log.with(py, |log| log.fence(epoch))
            }

            /// Batches from the one that holds `from_position`, until they hold `max_bytes`.
            #[pyo3(signature = (from_position, max_bytes=8 << 20))]
            fn read<'py>(
                &self,
                py: Python<'py>,
                from_position: u64,
                max_bytes: usize,
            ) -> PyResult<Bound<'py, PyList>> {
                self.log.read(py, from_position, max_bytes)
            }

            /// Removes batches before `position`, as far as that is cheap; returns the new start.
            fn truncate_before(&self, py: Python<'_>, position: u64) -> PyResult<u64> {
                self.log.with(py, |log| log.truncate_before(position))
            }

            fn close(&self, py: Python<'_>) {
                self.log.close(py);
            }
        }
    };
}

log_class!(LogStream, /** The log in files. */ {
    /// Opens or creates the log in a folder, and cuts off a torn tail.
    #[staticmethod]
    #[pyo3(signature = (path, *, segment_bytes=None))]
    fn open(py: Python<'_>, path: PathBuf, segment_bytes: Option<u64>) -> PyResult<Self> {
        let mut options = LogOptions::default();
        options.segment_bytes = segment_bytes.unwrap_or(options.segment_bytes);
        let log = py
            .detach(|| {
                let folder = Folder::create(&path).map_err(Error::io("open", &path))?;
                let path = folder.path().to_owned();
                FileLogStream::open(Arc::new(folder), &path, options)
            })
            .map_err(raise)?;
        let recovered = log.recovered().map(ToString::to_string);
        Ok(Self { log: Open::new(log), recovered })
    }
});

log_class!(MemoryLogStream, /** The log in memory. */ {
    #[new]
    fn new() -> Self {
        Self { log: Open::new(log::MemoryLogStream::new()), recovered: None }
    }
});
