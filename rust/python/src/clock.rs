//! The hybrid logical clock.

use pyo3::prelude::*;
use stepwell_core::clock::{self, MAX_DRIFT};

use crate::errors::raise;

/// A moment in causal order: seconds since the Unix epoch, and a counter within the second.
#[pyclass(frozen, eq, ord, hash, module = "stepwell._core")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(clock::Timestamp);

#[pymethods]
impl Timestamp {
    #[new]
    fn new(wall_time: u32, logical: u32) -> Self {
        Self(clock::Timestamp { wall_time, logical })
    }

    #[getter]
    fn wall_time(&self) -> u32 {
        self.0.wall_time
    }

    #[getter]
    fn logical(&self) -> u32 {
        self.0.logical
    }

    /// 16 lower-case hex digits, as in ids.
    #[getter]
    fn hex(&self) -> String {
        self.0.hex()
    }

    fn __int__(&self) -> u64 {
        self.0.into()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!(
            "Timestamp(wall_time={}, logical={})",
            self.0.wall_time, self.0.logical
        )
    }
}

/// Timestamps as integers, each later than every one that the clock gave or saw before.
#[pyclass(frozen, module = "stepwell._core")]
pub struct Clock(clock::Clock);

#[pymethods]
impl Clock {
    #[new]
    #[pyo3(signature = (last=0, max_drift_seconds=MAX_DRIFT))]
    fn new(last: u64, max_drift_seconds: u32) -> Self {
        Self(clock::Clock::new(last.into(), max_drift_seconds))
    }

    #[getter]
    fn last(&self) -> u64 {
        self.0.last().into()
    }

    fn tick(&self, wall_seconds: u64) -> PyResult<u64> {
        self.0.tick(wall_seconds).map(u64::from).map_err(raise)
    }

    fn reserve(&self, wall_seconds: u64, count: u32) -> PyResult<u64> {
        let first = self.0.reserve(wall_seconds, count);
        first.map(u64::from).map_err(raise)
    }

    fn update(&self, remote: u64, wall_seconds: u64) -> PyResult<u64> {
        let next = self.0.update(remote.into(), wall_seconds);
        next.map(u64::from).map_err(raise)
    }
}

#[derive(FromPyObject)]
pub enum TextOrNumber {
    Number(u64),
    Text(String),
}

/// Parses 16 hex digits, the dotted form, or the integer.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub fn parse_timestamp(text: TextOrNumber) -> PyResult<Timestamp> {
    match text {
        TextOrNumber::Number(number) => Ok(Timestamp(number.into())),
        TextOrNumber::Text(text) => clock::parse_timestamp(&text).map(Timestamp).map_err(raise),
    }
}
