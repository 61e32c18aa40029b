"""The rows of storage: each is a context, a msgpack array ``[tag, field, …]``.

The first fields of a context are its key (``rust/core/src/storage/keys.rs``). Times are microseconds since the Unix
epoch, 0 if there is none. Documents are JSON text.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Context(Struct, array_like=True, gc=False, tag_field="tag"):
    """A row of storage."""


class ExecutionContext(Context, tag=1):
    """An execution, running or ended."""

    id: str
    workflow_id: str
    name: str
    type: str
    input: bytes
    timestamp: int
    status: str
    started_at: int
    stopped_at: int = 0
    start_at: int = 0
    timeout_due: int = 0
    output: bytes = b""
    error: str | None = None
    cause: str | None = None
    variables: bytes = b""
    last_event: int = 0
    last_activity: int = 0
    parent_iteration_id: str | None = None
    timed_out: bool = False
    redrive_count: int = 0
    redriven_at: int = 0
    idempotent: bool = False
    previous_event: int = 0
    delete_at: int = 0
    synchronous: bool = False
    started_by: str | None = None
    qualifier: str = ""
    trace_header: str | None = None
    redrive_tokens: bytes = b""


class ActivityBranchStatus(Struct, array_like=True, gc=False):
    """The progress of a Parallel state's branches."""

    count: int
    running: int = 0
    succeeded: int = 0


class ActivityIterationStatus(Struct, array_like=True, gc=False):
    """The progress of a Map state's iterations, and its limits."""

    count: int
    max_concurrency: int
    tolerated_count: int
    tolerated_percentage: float
    next_index: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0


class ActivityContext(Context, tag=2):
    """A running state. Its row is removed when the state is left."""

    id: str
    state_name: str
    input: bytes
    parent_branch_id: str | None
    parent_iteration_id: str | None
    entered_at: int
    entered_event: int
    last_event: int
    attempt: int = 0
    retries: tuple[int, ...] = ()
    task_id: str | None = None
    timer_kind: int = 0
    timer_due: int = 0
    branch_status: ActivityBranchStatus | None = None
    iteration_status: ActivityIterationStatus | None = None
    entered_previous: int = 0


class BranchContext(Context, tag=3):
    """A branch of a running Parallel state. Its row is removed when the state is left."""

    branch_id: str
    index: int
    input: bytes
    status: str
    last_event: int
    output: bytes = b""
    variables: bytes = b""


class IterationContext(Context, tag=4):
    """An iteration of a running Map state. Its row is removed when the state is left."""

    iteration_id: str
    index: int
    input: bytes
    status: str
    last_event: int
    output: bytes = b""
    variables: bytes = b""


class TaskContext(Context, tag=5):
    """A task that has no result yet."""

    id: str
    activity_id: str
    resource: str
    input: bytes
    queue: str
    status: str
    attempt: int
    token: str | None
    created_at: int
    timeout_due: int = 0
    heartbeat_seconds: int = 0
    heartbeat_due: int = 0
    lease_until: int = 0
    worker: str | None = None

    @property
    def execution_id(self) -> str:
        """The execution that waits for its result."""
        return "/".join(self.activity_id.split("/", 5)[:5])


class TimerContext(Context, tag=6):
    """A timer, kept in the order of ``due``."""

    target: str
    kind: int
    due: int
    execution_id: str


class WorkflowContext(Context, tag=7):
    """One version of a definition, with AWS's settings (``PutWorkflowCommand`` describes them): AWS's revision.

    ``first`` is the first version since the workflow was last deleted. ``deleted``, of the newest version: it was
    deleted with all before it. They stay while ended executions need them; the newest one always, so that no number is
    given twice, without its definition in the end. ``deleting``, of the newest version: nothing more is started of the
    workflow, and it is deleted once its executions have ended.
    """

    name: str
    version: int
    definition: bytes
    type: str
    created_at: int
    retention: int | None = None
    first: int = 1
    deleted: bool = False
    revision_id: str = ""
    role: str = ""
    logging: bytes = b""
    tracing: bool = False
    encryption: bytes = b""
    deleting: bool = False


class IdempotencyContext(Context, tag=8):
    """The last execution that was started under a name: ``key`` is ``/{tenant}/{namespace}/{workflow}/{name}``."""

    key: str
    execution_id: str


class VisibilityContext(Context, tag=9):
    """An execution in the list of its workflow, newest first."""

    workflow: str
    status: str
    started_at: int
    execution_id: str
    name: str
    stopped_at: int
    version: int = 0
    timed_out: bool = False
    qualifier: str = ""
    redrive_count: int = 0


class ItemsContext(Context, tag=10):
    """The items of a running Map state, a JSON array; or of a map run that did not succeed, for a redrive.

    ``parts`` are those of ``PutMapItemsCommand``.
    """

    activity_id: str
    items: bytes
    parts: bytes = b""


HELD = "\0held"
"""The queue of held tasks: they wait until handlers of this process have capacity. No activity has this name."""


def is_held(queue: str) -> bool:
    """Whether the tasks of a queue are held back: ``HELD``, and the queues of handlers with limits, which begin so."""
    return queue.startswith(HELD)


class QueueContext(Context, tag=11):
    """A task that waits for a worker of ``queue``: first in, first out."""

    queue: str
    scheduled_at: int
    task_id: str


def place_of(row: QueueContext) -> tuple[str, int, str]:
    """The key of a task in its queue."""
    return row.queue, row.scheduled_at, row.task_id


class PendingCommandContext(Context, tag=12):
    """A command on the log that has no event yet.

    ``document_at``: it shares the document of the command at that later position (0: it has its own, or none).
    Commands are processed in order, so the command that has the document is the last to be removed.
    """

    position: int
    scope: str
    record: bytes
    document_at: int = 0


class SequenceContext(Context, tag=13):
    """The last number of a sequence, by its name."""

    name: str
    value: int


class MapRunContext(Context, tag=14):
    """A run of a Distributed Map state: its limits (-1: not set), its children and items counted by status.

    Its row is kept as long as its execution. ``pending_redrive`` counts those that did not succeed and will
    continue; ``not_redrivable`` those among the failed, timed-out and aborted that cannot.
    """

    id: str
    name: str
    state_name: str
    status: str
    started_at: int
    max_concurrency: int
    tolerated_count: int
    tolerated_percentage: float
    stopped_at: int = 0
    error: str | None = None
    cause: str | None = None
    item_count: int = 0
    first_child: int = 0
    source: str = ""
    next_item: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    timed_out: int = 0
    aborted: int = 0
    running_items: int = 0
    succeeded_items: int = 0
    failed_items: int = 0
    timed_out_items: int = 0
    aborted_items: int = 0
    results_written: bool = False
    redrive_count: int = 0
    redriven_at: int = 0
    pending_redrive: int = 0
    pending_redrive_items: int = 0
    not_redrivable: int = 0
    not_redrivable_items: int = 0


class MapChildContext(Context, tag=15):
    """A child execution of a running map run, and its items.

    ``number`` is the last part of the execution's id; 0: it is computed from ``first``.
    """

    id: str
    first: int
    items: int
    status: str
    output: bytes = b""
    number: int = 0


class ListingContext(Context, tag=16):
    """An execution in a list in AWS's order: by its end; while it runs by its start, or its redrive.

    ``list`` is the name of a workflow, of a published version (``order:3``) or alias (``order:prod``) that it was
    started by, or of a map run; the last two with ``REDRIVEN`` for executions that were redriven. ``status`` is AWS's.
    What runs and was never redriven is in the list of its workflow, or map run, by its ``VisibilityContext`` only.
    """

    list: str
    status: str
    sorted_at: int
    execution_id: str
    name: str
    started_at: int
    stopped_at: int = 0
    version: int = 0
    qualifier: str = ""
    redrive_count: int = 0
    redriven_at: int = 0


class PublishedVersionContext(Context, tag=17):
    """A published version of a workflow: it stands for ``version`` of the definition."""

    workflow: str
    number: int
    version: int
    created_at: int
    description: str | None = None


class AliasContext(Context, tag=18):
    """An alias of a workflow: ``routing`` is that of ``PutAliasCommand``."""

    workflow: str
    name: str
    routing: bytes
    created_at: int
    updated_at: int
    description: str | None = None


class ActivityQueueContext(Context, tag=19):
    """An activity as AWS has it: a queue that workers poll."""

    name: str
    created_at: int
    encryption: bytes = b""


class TagsContext(Context, tag=20):
    """The tags of a resource (``stateMachine:order``, ``activity:review``), a JSON array of ``[key, value]``."""

    resource: str
    tags: bytes


def tag_of(kind: type[Context]) -> int:
    """The tag of a kind of row."""
    tag = kind.__struct_config__.tag
    assert isinstance(tag, int)
    return tag


# In a batch, the negative tag of a kind and the key of a row remove the row.
REMOVE_ACTIVITY: Final = -tag_of(ActivityContext)
REMOVE_BRANCH: Final = -tag_of(BranchContext)
REMOVE_ITERATION: Final = -tag_of(IterationContext)
REMOVE_TASK: Final = -tag_of(TaskContext)
REMOVE_TIMER: Final = -tag_of(TimerContext)
REMOVE_WORKFLOW: Final = -tag_of(WorkflowContext)
REMOVE_NAME: Final = -tag_of(IdempotencyContext)
REMOVE_VISIBILITY: Final = -tag_of(VisibilityContext)
REMOVE_ITEMS: Final = -tag_of(ItemsContext)
REMOVE_QUEUE: Final = -tag_of(QueueContext)
REMOVE_PENDING_COMMAND: Final = -tag_of(PendingCommandContext)
REMOVE_MAP_CHILD: Final = -tag_of(MapChildContext)
REMOVE_LISTING: Final = -tag_of(ListingContext)
REMOVE_PUBLISHED_VERSION: Final = -tag_of(PublishedVersionContext)
REMOVE_ALIAS: Final = -tag_of(AliasContext)
REMOVE_ACTIVITY_QUEUE: Final = -tag_of(ActivityQueueContext)
REMOVE_TAGS: Final = -tag_of(TagsContext)
REMOVE_SEQUENCE: Final = -tag_of(SequenceContext)
REMOVE_EXECUTION: Final = -100
"""An execution's row, its history, and all rows within it."""
