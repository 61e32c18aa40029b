//! Ids.

use pyo3::prelude::*;
use stepwell_core::id::{self, Kind};

use crate::errors::raise;

/// The parts of an id; those that its kind does not have are `None`.
#[pyclass(frozen, get_all, module = "stepwell._core")]
pub struct Id {
    kind: &'static str,
    tenant: String,
    namespace: String,
    hash7: String,
    partition_key: String,
    execution_id: Option<String>,
    timestamp: Option<u64>,
    activity: Option<u32>,
    branch: Option<u32>,
    iteration: Option<u32>,
    task: Option<u32>,
}

#[pymethods]
impl Id {
    fn __repr__(&self) -> String {
        format!("<{} id in {}>", self.kind, self.partition_key)
    }
}

impl From<id::Id<'_>> for Id {
    fn from(id: id::Id<'_>) -> Self {
        let mut parts = Self {
            kind: "execution",
            tenant: id.tenant.to_owned(),
            namespace: id.namespace.to_owned(),
            hash7: format!("{:07x}", id.hash),
            partition_key: id.partition_key(),
            execution_id: id.execution().map(|execution| execution.to_string()),
            timestamp: id.timestamp().map(u64::from),
            activity: None,
            branch: None,
            iteration: None,
            task: None,
        };
        match id.kind {
            Kind::Execution { .. } => {}
            Kind::Activity { activity, .. } => {
                (parts.kind, parts.activity) = ("activity", Some(activity));
            }
            Kind::Branch {
                activity, index, ..
            } => {
                (parts.kind, parts.activity) = ("branch", Some(activity));
                parts.branch = Some(index);
            }
            Kind::Iteration {
                activity, index, ..
            } => {
                (parts.kind, parts.activity) = ("iteration", Some(activity));
                parts.iteration = Some(index);
            }
            Kind::Task { number } => (parts.kind, parts.task) = ("task", Some(number)),
        }
        parts
    }
}

/// Parses an id of any kind.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub fn parse_id(text: &str) -> PyResult<Id> {
    id::Id::parse(text).map(Id::from).map_err(raise)
}

/// An id's prefix, which all records of its execution share.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub fn partition_key(text: &str) -> PyResult<String> {
    let id = id::Id::parse(text).map_err(raise)?;
    Ok(id.partition_key())
}

/// Which of `partitions` the id belongs to.
#[pyfunction]
pub fn partition(text: &str, partitions: u32) -> PyResult<u32> {
    let id = id::Id::parse(text).map_err(raise)?;
    Ok(id::partition(id.hash, partitions))
}

/// The 7 hex digits that stand for a text in an id.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub fn hash7(text: &str) -> String {
    id::hash7(text)
}

/// Raises `InvalidName` unless `name` may be a tenant or a namespace, which `what` says in the error.
#[pyfunction]
pub fn check_name(what: &str, name: &str) -> PyResult<()> {
    let what = match what {
        "tenant" => "tenant",
        "namespace" => "namespace",
        _ => "name",
    };
    id::check_name(what, name).map_err(raise)
}

#[pyfunction]
pub fn execution_id(
    tenant: &str,
    namespace: &str,
    hash7: &str,
    timestamp: u64,
) -> PyResult<String> {
    id::execution_id(tenant, namespace, hash7, timestamp.into()).map_err(raise)
}

#[pyfunction]
pub fn activity_id(execution_id: &str, number: u32) -> String {
    id::activity_id(execution_id, number)
}

#[pyfunction]
pub fn branch_id(activity_id: &str, index: u32) -> String {
    id::branch_id(activity_id, index)
}

#[pyfunction]
pub fn iteration_id(activity_id: &str, index: u32) -> String {
    id::iteration_id(activity_id, index)
}

#[pyfunction]
pub fn task_id(tenant: &str, namespace: &str, task_type: &str, number: u32) -> PyResult<String> {
    id::task_id(tenant, namespace, task_type, number).map_err(raise)
}
