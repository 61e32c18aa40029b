//! The records of the log: commands, and the events that answer them.

use super::field::Document;
use super::layout::layouts;

layouts! {
    /// A command says what was asked, with all its data. An event says that it was done: its tag is
    /// the command's plus 64, and it holds only the command's position, or 0 for the record before.
    ///
    /// Times are in microseconds since the Unix epoch; `event` and `previous` number the events of
    /// the history that a command gives rise to. `log/records.py` says more.
    Record<'a> {
        /// Start an execution, at `start_at` (microseconds; 0: now).
        1 StartExecution {
            id: &'a str, workflow_id: &'a str, input: Document<'a>, name: &'a str,
            r#type: &'a str = "STANDARD", start_at: i64 = 0,
            parent_iteration_id: Option<&'a str> = None, idempotent: bool = false,
            synchronous: bool = false, started_by: Option<&'a str> = None,
            qualifier: &'a str = "", trace_header: Option<&'a str> = None,
        }
        /// End an execution as `Succeeded`, `Failed` or `Canceled` (`timed_out`: by its own limit).
        2 CompleteExecution {
            id: &'a str, status: &'a str, output: Document<'a>, error: Option<&'a str>,
            cause: Option<&'a str>, event: u64, previous: u64, timed_out: bool = false,
        }
        /// Enter a state: an activity begins, at the top level or in a branch or an iteration.
        3 StartState {
            activity_id: &'a str, state_name: &'a str, input: Document<'a>,
            parent_branch_id: Option<&'a str>, parent_iteration_id: Option<&'a str>, event: u64,
            previous: u64,
        }
        /// Leave a state as `Succeeded` (for `next`), `Failed` or `Canceled`.
        4 CompleteState {
            activity_id: &'a str, state_name: &'a str, status: &'a str, output: Document<'a>,
            next: Option<&'a str>, assigned: Option<&'a [u8]>, error: Option<&'a str>,
            cause: Option<&'a str>, event: u64, previous: u64, caught: bool = false,
        }
        /// Create a task for a handler of this process, or for a worker that polls `queue`.
        5 CreateTask {
            id: &'a str, activity_id: &'a str, resource: &'a str, input: Document<'a>,
            queue: &'a str, attempt: u64, token: Option<&'a str>, timeout_seconds: Option<i64>,
            heartbeat_seconds: Option<i64>, event: u64, previous: u64,
            credentials: Option<&'a [u8]> = None,
        }
        /// Give a task to `worker`, until `lease_until` (microseconds; 0: no limit).
        6 ActivateTask {
            id: &'a str, resource: &'a str, worker: Option<&'a str>, lease_until: i64, event: u64,
            previous: u64,
        }
        /// A task's result.
        7 CompleteTask {
            id: &'a str, resource: &'a str, output: Document<'a>, event: u64, previous: u64,
        }
        /// A task's failure; `timed_out` if its time limit and not its handler ended it.
        8 FailTask {
            id: &'a str, resource: &'a str, error: Option<&'a str>, cause: Option<&'a str>,
            timed_out: bool, event: u64, previous: u64,
        }
        /// A heartbeat: the task's next one is due at `due` (microseconds).
        9 HeartbeatTask { id: &'a str, due: i64 }
        /// Begin one branch of a Parallel state.
        10 StartBranch { branch_id: &'a str, index: u64, input: Document<'a> }
        /// End a branch as `Succeeded`, `Failed` or `Canceled`.
        11 CompleteBranch {
            branch_id: &'a str, status: &'a str, output: Document<'a>, error: Option<&'a str>,
            cause: Option<&'a str>,
        }
        /// Begin one iteration of a Map state, `state_name`.
        12 StartIteration {
            iteration_id: &'a str, state_name: &'a str, index: u64, input: Document<'a>,
            event: u64, previous: u64,
        }
        /// End an iteration as `Succeeded`, `Failed` or `Canceled`.
        13 CompleteIteration {
            iteration_id: &'a str, state_name: &'a str, index: u64, status: &'a str,
            output: Document<'a>, error: Option<&'a str>, cause: Option<&'a str>, event: u64,
            previous: u64,
        }
        /// Begin an attempt of a Parallel or Map state: `count` children, over `items` (a JSON array) in a Map.
        14 ForkState {
            activity_id: &'a str, count: u64, items: Option<&'a [u8]>, max_concurrency: i64,
            tolerated_count: i64, tolerated_percentage: f64, event: u64, previous: u64,
        }
        /// Retry a state at `due` (microseconds), by retrier number `retrier`.
        15 RetryState {
            activity_id: &'a str, retrier: i64, due: i64, error: Option<&'a str>,
            cause: Option<&'a str>,
        }
        /// Stop an execution: a user asked for it, or its time limit has passed.
        16 CancelExecution {
            id: &'a str, error: Option<&'a str>, cause: Option<&'a str>, timed_out: bool = false,
        }
        /// Remove an ended execution and its history; `remains`: it is `Deleting` until everything that belongs to it is removed.
        17 DeleteExecution { id: &'a str, remains: bool = false, leaves_name: bool = false }
        /// Continue a failed execution from the states that failed, for the `count`-th time.
        18 RedriveExecution {
            id: &'a str, count: u64, event: u64, previous: u64, tree: &'a [u8] = b"",
            child_id: Option<&'a str> = None, left: &'a [u8] = b"", client_token: Option<&'a str> = None,
        }
        /// Trigger `target` at `due` (microseconds).
        19 CreateTimer { target: &'a str, kind: i64, due: i64 }
        /// A timer is due.
        20 TriggerTimer { target: &'a str, kind: i64, due: i64 }
        /// A timer is no longer needed.
        21 CancelTimer { target: &'a str, kind: i64, due: i64 }
        /// Store a definition under a name; executions keep the version that they began with.
        22 PutWorkflow {
            name: &'a str, version: u64, definition: &'a [u8], r#type: &'a str,
            retention: Option<i64> = None, revision_id: &'a str = "", role: &'a str = "",
            logging: &'a [u8] = b"", tracing: bool = false, encryption: &'a [u8] = b"",
            deleting: bool = false, publish: u64 = 0, description: Option<&'a str> = None,
            tags: &'a [u8] = b"",
        }
        /// The first answer of a called service whose result comes later.
        23 SubmitTask {
            id: &'a str, resource: &'a str, output: Document<'a>, event: u64, previous: u64,
        }
        /// An expression of a state failed, in the field `location`. Retry and Catch follow.
        24 FailEvaluation {
            activity_id: &'a str, state_name: &'a str, error: &'a str, cause: Option<&'a str>,
            location: &'a str, event: u64, previous: u64,
        }
        /// Begin a map run over `count` items (0: they are still to be read), or continue it.
        25 StartMapRun {
            id: &'a str, name: &'a str, state_name: &'a str, count: u64, max_concurrency: i64,
            tolerated_count: i64, tolerated_percentage: f64, event: u64, previous: u64,
            redrive_count: u64 = 0,
        }
        /// Give a map run its items (a JSON array) and its children their ids, from `first_child`. `parts` (JSON) names
        /// the source of each run of items, if it is not `source` for all, and says which are members of an object.
        26 PutMapItems {
            id: &'a str, count: u64, first_child: u64, source: &'a str, items: Document<'a>,
            parts: &'a [u8] = b"",
        }
        /// Start children over `count` items from `first`, one each or in batches of `sizes`; or the children `again` once more.
        27 StartChildren {
            id: &'a str, first: u64, count: u64, sizes: Vec<u64> = Vec::new(),
            again: Vec<u64> = Vec::new(), numbers: Vec<u64> = Vec::new(),
        }
        /// A child execution of a map run has ended, as `Succeeded`, `Failed`, `TimedOut` or `Canceled`.
        28 CompleteChild { id: &'a str, status: &'a str, output: Document<'a> }
        /// End a map run as `Succeeded`, `Failed` or `Canceled`.
        29 CompleteMapRun {
            id: &'a str, status: &'a str, error: Option<&'a str>, cause: Option<&'a str>,
            results_written: bool, event: u64, previous: u64,
        }
        /// Change the limits of a running map run; `None` leaves a limit as it is.
        30 UpdateMapRun {
            id: &'a str, max_concurrency: Option<i64>, tolerated_count: Option<i64>,
            tolerated_percentage: Option<f64>,
        }
        /// Delete a workflow, whose newest version is `version`; `remains`: its definitions are kept, because
        /// executions that have ended still need them.
        31 DeleteWorkflow {
            name: &'a str, version: u64, remains: bool = false, waits: bool = false,
            published: Vec<u64> = Vec::new(), aliases: &'a [u8] = b"",
        }
        /// Publish a version of a workflow under the next number.
        32 PublishVersion {
            workflow: &'a str, number: u64, version: u64, description: Option<&'a str> = None,
        }
        /// Delete a published version.
        33 DeletePublishedVersion { workflow: &'a str, number: u64 }
        /// Keep an alias of published versions, with their weights (JSON).
        34 PutAlias {
            workflow: &'a str, name: &'a str, routing: &'a [u8], description: Option<&'a str> = None,
            created_at: i64 = 0,
        }
        /// Delete an alias.
        35 DeleteAlias { workflow: &'a str, name: &'a str }
        /// Keep the tags of a resource (JSON), instead of those that it has.
        36 PutTags { resource: &'a str, tags: &'a [u8] }
        /// Keep an activity as AWS has it: a queue that workers poll.
        37 PutActivityQueue { name: &'a str, encryption: &'a [u8] = b"", tags: &'a [u8] = b"" }
        /// Delete an activity.
        38 DeleteActivityQueue { name: &'a str }

        65 ExecutionStarted { answers: u64 = 0 }
        66 ExecutionCompleted { answers: u64 = 0 }
        67 StateStarted { answers: u64 = 0 }
        68 StateCompleted { answers: u64 = 0 }
        69 TaskCreated { answers: u64 = 0 }
        70 TaskActivated { answers: u64 = 0 }
        71 TaskCompleted { answers: u64 = 0 }
        72 TaskFailed { answers: u64 = 0 }
        73 TaskHeartbeat { answers: u64 = 0 }
        74 BranchStarted { answers: u64 = 0 }
        75 BranchCompleted { answers: u64 = 0 }
        76 IterationStarted { answers: u64 = 0 }
        77 IterationCompleted { answers: u64 = 0 }
        78 StateForked { answers: u64 = 0 }
        79 StateRetried { answers: u64 = 0 }
        80 ExecutionCanceling { answers: u64 = 0 }
        81 ExecutionDeleted { answers: u64 = 0 }
        82 ExecutionRedriven { answers: u64 = 0 }
        83 TimerCreated { answers: u64 = 0 }
        84 TimerTriggered { answers: u64 = 0 }
        85 TimerCanceled { answers: u64 = 0 }
        86 WorkflowPut { answers: u64 = 0 }
        87 TaskSubmitted { answers: u64 = 0 }
        88 EvaluationFailed { answers: u64 = 0 }
        89 MapRunStarted { answers: u64 = 0 }
        90 MapItemsPut { answers: u64 = 0 }
        91 ChildrenStarted { answers: u64 = 0 }
        92 ChildCompleted { answers: u64 = 0 }
        93 MapRunCompleted { answers: u64 = 0 }
        94 MapRunUpdated { answers: u64 = 0 }
        95 WorkflowDeleted { answers: u64 = 0 }
        96 VersionPublished { answers: u64 = 0 }
        97 PublishedVersionDeleted { answers: u64 = 0 }
        98 AliasPut { answers: u64 = 0 }
        99 AliasDeleted { answers: u64 = 0 }
        100 TagsPut { answers: u64 = 0 }
        101 ActivityQueuePut { answers: u64 = 0 }
        102 ActivityQueueDeleted { answers: u64 = 0 }
        127 CommandRejected { answers: u64 = 0, reason: &'a str = "" }
    }
}
