//! The rows of storage.

use super::field::Field;
use super::fields::{Fields, write_count};
use super::json::Json;
use super::layout::layouts;
use crate::error::Result;
use crate::msgpack::Reader;

layouts! {
    /// A row of storage. Its first fields are its key.
    ///
    /// Times are in microseconds since the Unix epoch, 0 where there is none. Documents are JSON
    /// text. `storage/contexts.py` says more.
    Context<'a> {
        /// An execution, running or ended.
        1 Execution {
            id: &'a str, workflow_id: &'a str, name: &'a str, r#type: &'a str, input: &'a [u8],
            timestamp: u64, status: &'a str, started_at: i64, stopped_at: i64 = 0,
            start_at: i64 = 0, timeout_due: i64 = 0, output: &'a [u8] = b"",
            error: Option<&'a str> = None, cause: Option<&'a str> = None,
            variables: &'a [u8] = b"", last_event: u64 = 0, last_activity: u64 = 0,
            parent_iteration_id: Option<&'a str> = None, timed_out: bool = false,
            redrive_count: u64 = 0, redriven_at: i64 = 0, idempotent: bool = false,
            previous_event: u64 = 0, delete_at: i64 = 0, synchronous: bool = false,
            started_by: Option<&'a str> = None,
            qualifier: &'a str = "", trace_header: Option<&'a str> = None,
            redrive_tokens: &'a [u8] = b"",
        }
        /// A running state. The row is deleted when the state ends.
        2 Activity {
            id: &'a str, state_name: &'a str, input: &'a [u8], parent_branch_id: Option<&'a str>,
            parent_iteration_id: Option<&'a str>, entered_at: i64, entered_event: u64,
            last_event: u64, attempt: u64 = 0, retries: Vec<u64> = Vec::new(),
            task_id: Option<&'a str> = None, timer_kind: i64 = 0, timer_due: i64 = 0,
            branch_status: Option<ActivityBranchStatus> = None,
            iteration_status: Option<ActivityIterationStatus> = None, entered_previous: u64 = 0,
        }
        /// A branch of a running Parallel state; the row is kept until the state ends.
        3 Branch {
            branch_id: &'a str, index: u64, input: &'a [u8], status: &'a str, last_event: u64,
            output: &'a [u8] = b"", variables: &'a [u8] = b"",
        }
        /// An iteration of a running Map state; the row is kept until the state ends.
        4 Iteration {
            iteration_id: &'a str, index: u64, input: &'a [u8], status: &'a str, last_event: u64,
            output: &'a [u8] = b"", variables: &'a [u8] = b"",
        }
        /// A task that has no result yet.
        5 Task {
            id: &'a str, activity_id: &'a str, resource: &'a str, input: &'a [u8], queue: &'a str,
            status: &'a str, attempt: u64, token: Option<&'a str>, created_at: i64,
            timeout_due: i64 = 0, heartbeat_seconds: i64 = 0, heartbeat_due: i64 = 0,
            lease_until: i64 = 0, worker: Option<&'a str> = None,
        }
        /// A timer, kept in the order of `due`.
        6 Timer { target: &'a str, kind: i64, due: i64, execution_id: &'a str }
        /// One version of a definition. `first`: the first version since the workflow was last deleted.
        7 Workflow {
            name: &'a str, version: u64, definition: &'a [u8], r#type: &'a str, created_at: i64,
            retention: Option<i64> = None, first: u64 = 1, deleted: bool = false,
            revision_id: &'a str = "", role: &'a str = "", logging: &'a [u8] = b"",
            tracing: bool = false, encryption: &'a [u8] = b"", deleting: bool = false,
        }
        /// The last execution that was started with a name: `key` is `/{tenant}/{namespace}/{workflow}/{name}`.
        8 Idempotency { key: &'a str, execution_id: &'a str }
        /// An execution in the list of its workflow, newest first.
        9 Visibility {
            workflow: &'a str, status: &'a str, started_at: i64, execution_id: &'a str,
            name: &'a str, stopped_at: i64, version: u64 = 0, timed_out: bool = false,
            qualifier: &'a str = "", redrive_count: u64 = 0,
        }
        /// The items of a running Map state, a JSON array.
        10 Items { activity_id: &'a str, items: &'a [u8], parts: &'a [u8] = b"" }
        /// A task that no worker of `queue` has yet.
        11 Queue { queue: &'a str, scheduled_at: i64, task_id: &'a str }
        /// A command on the log without its event. `document_at`: the position of the later command that holds
        /// its document, if they share one.
        12 PendingCommand {
            position: u64, scope: &'a str, record: &'a [u8], document_at: u64 = 0,
        }
        /// The last number taken from a sequence.
        13 Sequence { name: &'a str, value: u64 }
        /// A map run (of a Distributed Map state): its limits, and counts of its children and items by status.
        14 MapRun {
            id: &'a str, name: &'a str, state_name: &'a str, status: &'a str, started_at: i64,
            max_concurrency: i64, tolerated_count: i64, tolerated_percentage: f64,
            stopped_at: i64 = 0, error: Option<&'a str> = None, cause: Option<&'a str> = None,
            item_count: u64 = 0, first_child: u64 = 0, source: &'a str = "", next_item: u64 = 0,
            running: u64 = 0, succeeded: u64 = 0, failed: u64 = 0, timed_out: u64 = 0,
            aborted: u64 = 0, running_items: u64 = 0, succeeded_items: u64 = 0,
            failed_items: u64 = 0, timed_out_items: u64 = 0, aborted_items: u64 = 0,
            results_written: bool = false, redrive_count: u64 = 0, redriven_at: i64 = 0,
            pending_redrive: u64 = 0, pending_redrive_items: u64 = 0, not_redrivable: u64 = 0,
            not_redrivable_items: u64 = 0,
        }
        /// A child execution of a running map run, and its items.
        15 MapChild {
            id: &'a str, first: u64, items: u64, status: &'a str, output: &'a [u8] = b"",
            number: u64 = 0,
        }
        /// An execution in a list in AWS's order: by its end, or by its start or redrive while it runs.
        16 Listing {
            list: &'a str, status: &'a str, sorted_at: i64, execution_id: &'a str, name: &'a str,
            started_at: i64, stopped_at: i64 = 0, version: u64 = 0, qualifier: &'a str = "",
            redrive_count: u64 = 0, redriven_at: i64 = 0,
        }
        /// A published version of a workflow: its number, and the version of the definition that it stands for.
        17 PublishedVersion {
            workflow: &'a str, number: u64, version: u64, created_at: i64,
            description: Option<&'a str> = None,
        }
        /// An alias: `routing` has its published versions with their weights (JSON).
        18 Alias {
            workflow: &'a str, name: &'a str, routing: &'a [u8], created_at: i64, updated_at: i64,
            description: Option<&'a str> = None,
        }
        /// An activity as AWS has it: a queue that workers poll.
        19 ActivityQueue { name: &'a str, created_at: i64, encryption: &'a [u8] = b"" }
        /// The tags of a resource, in the order in which they were set (JSON).
        20 Tags { resource: &'a str, tags: &'a [u8] }
    }
}

/// The progress of a Parallel state's branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivityBranchStatus {
    pub count: u64,
    pub running: u64,
    pub succeeded: u64,
}

/// The progress of a Map state's iterations, and its limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivityIterationStatus {
    pub count: u64,
    pub max_concurrency: i64,
    pub tolerated_count: i64,
    pub tolerated_percentage: f64,
    pub next_index: u64,
    pub running: u64,
    pub succeeded: u64,
    pub failed: u64,
}

impl<'a> Field<'a> for ActivityBranchStatus {
    fn read(reader: &mut Reader<'a>) -> Result<ActivityBranchStatus> {
        let mut fields = Fields::untagged(reader)?;
        let status = ActivityBranchStatus {
            count: fields.required("count")?,
            running: fields.or(0)?,
            succeeded: fields.or(0)?,
        };
        fields.finish()?;
        Ok(status)
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_count(out, 3);
        self.count.write(out);
        self.running.write(out);
        self.succeeded.write(out);
    }

    fn show(&self, json: &mut Json<'a>) {
        json.object(|json| {
            json.field("count", &self.count);
            json.field("running", &self.running);
            json.field("succeeded", &self.succeeded);
        });
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        let [count, running, succeeded] = std::array::from_fn(|_| u64::sample(random));
        ActivityBranchStatus {
            count,
            running,
            succeeded,
        }
    }
}

impl<'a> Field<'a> for ActivityIterationStatus {
    fn read(reader: &mut Reader<'a>) -> Result<ActivityIterationStatus> {
        let mut fields = Fields::untagged(reader)?;
        let status = ActivityIterationStatus {
            count: fields.required("count")?,
            max_concurrency: fields.required("max_concurrency")?,
            tolerated_count: fields.required("tolerated_count")?,
            tolerated_percentage: fields.required("tolerated_percentage")?,
            next_index: fields.or(0)?,
            running: fields.or(0)?,
            succeeded: fields.or(0)?,
            failed: fields.or(0)?,
        };
        fields.finish()?;
        Ok(status)
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_count(out, 8);
        self.count.write(out);
        self.max_concurrency.write(out);
        self.tolerated_count.write(out);
        self.tolerated_percentage.write(out);
        self.next_index.write(out);
        self.running.write(out);
        self.succeeded.write(out);
        self.failed.write(out);
    }

    fn show(&self, json: &mut Json<'a>) {
        json.object(|json| {
            json.field("count", &self.count);
            json.field("max_concurrency", &self.max_concurrency);
            json.field("tolerated_count", &self.tolerated_count);
            json.field("tolerated_percentage", &self.tolerated_percentage);
            json.field("next_index", &self.next_index);
            json.field("running", &self.running);
            json.field("succeeded", &self.succeeded);
            json.field("failed", &self.failed);
        });
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        let [count, next_index, running, succeeded, failed] =
            std::array::from_fn(|_| u64::sample(random));
        ActivityIterationStatus {
            count,
            max_concurrency: i64::sample(random),
            tolerated_count: i64::sample(random),
            tolerated_percentage: f64::sample(random),
            next_index,
            running,
            succeeded,
            failed,
        }
    }
}
