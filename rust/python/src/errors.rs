//! Errors of the core as exceptions of `stepwell.errors`.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::import_exception;
use pyo3::prelude::*;
use stepwell_core::Error;

import_exception!(stepwell.errors, ClockError);
import_exception!(stepwell.errors, Closed);
import_exception!(stepwell.errors, CorruptionError);
import_exception!(stepwell.errors, FencedError);
import_exception!(stepwell.errors, InvalidId);
import_exception!(stepwell.errors, InvalidName);
import_exception!(stepwell.errors, LockedError);
import_exception!(stepwell.errors, PoisonedError);
import_exception!(stepwell.errors, StorageError);
import_exception!(stepwell.errors, TooLargeError);

create_exception!(
    _core,
    JsonataError,
    PyException,
    "An evaluation that failed: (message, code or None)."
);
create_exception!(
    _core,
    JsonataSyntaxError,
    PyException,
    "An expression that does not parse: (message, code or None)."
);

/// The exception for an error of the core.
pub fn raise(error: Error) -> PyErr {
    let text = error.to_string();
    match error {
        Error::Locked { .. } => LockedError::new_err(text),
        Error::Corruption { .. }
        | Error::Damaged { .. }
        | Error::LogCut { .. }
        | Error::Diverged { .. } => CorruptionError::new_err(text),
        Error::Poisoned { .. } => PoisonedError::new_err(text),
        Error::Fenced { .. } | Error::Superseded { .. } | Error::Following => {
            FencedError::new_err(text)
        }
        Error::TooLarge { .. } => TooLargeError::new_err(text),
        Error::Closed | Error::Forked => Closed::new_err(text),
        Error::Displaced { .. } => PoisonedError::new_err(text),
        Error::ClockDrift { .. } | Error::ClockExhausted { .. } => ClockError::new_err(text),
        Error::InvalidId {
            what: "tenant" | "namespace" | "name",
            ..
        } => InvalidName::new_err(text),
        Error::InvalidId { .. } => InvalidId::new_err(text),
        Error::Record { .. } | Error::Key { .. } => PyValueError::new_err(text),
        _ => StorageError::new_err(text),
    }
}

/// What is refused where JSON is asked for.
pub(crate) fn not_json(what: &str) -> PyErr {
    PyValueError::new_err(format!(
        "{what} is not JSON: expected dict, list, str, int, float, bool or None"
    ))
}
