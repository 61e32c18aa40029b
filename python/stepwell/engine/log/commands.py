"""Commands: what was asked, with all its data (``records`` describes their form on the log)."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct


class Command(Struct, array_like=True, gc=False, tag_field="tag"):
    """What was asked. ``document`` names the field that carries a JSON document, if one does."""

    document: ClassVar[str | None] = None


class StartExecutionCommand(Command, tag=1):
    """Start an execution, at ``start_at`` (microseconds; 0: now).

    ``synchronous``: the caller waits for its end, as StartSyncExecution does. ``started_by``: the execution whose
    Task state starts it. ``qualifier`` says by which published version it was started (``3``), by which alias that
    chose it (``prod:3``), and by which test case of a mock file (``prod:3#Paid``); empty: by none.
    """

    document: ClassVar[str | None] = "input"
    id: str
    workflow_id: str
    input: bytes | None
    name: str
    type: str = "STANDARD"
    start_at: int = 0
    parent_iteration_id: str | None = None
    idempotent: bool = False
    synchronous: bool = False
    started_by: str | None = None
    qualifier: str = ""
    trace_header: str | None = None


class CompleteExecutionCommand(Command, tag=2):
    """End an execution as ``Succeeded``, ``Failed`` or ``Canceled`` (``timed_out``: by its own limit)."""

    document: ClassVar[str | None] = "output"
    id: str
    status: str
    output: bytes | None
    error: str | None
    cause: str | None
    event: int
    previous: int
    timed_out: bool = False


class StartStateCommand(Command, tag=3):
    """Enter a state: an activity begins, at the top level or in a branch or an iteration."""

    document: ClassVar[str | None] = "input"
    activity_id: str
    state_name: str
    input: bytes | None
    parent_branch_id: str | None
    parent_iteration_id: str | None
    event: int
    previous: int


class CompleteStateCommand(Command, tag=4):
    """Leave a state as ``Succeeded`` (for ``next``), ``Failed`` or ``Canceled``.

    ``assigned`` is a JSON object of the variables that it sets; ``caught`` says that a catcher chose ``next``.
    """

    document: ClassVar[str | None] = "output"
    activity_id: str
    state_name: str
    status: str
    output: bytes | None
    next: str | None
    assigned: bytes | None
    error: str | None
    cause: str | None
    event: int
    previous: int
    caught: bool = False


class CreateTaskCommand(Command, tag=5):
    """Ask for work by a handler of this process, or by a worker that polls ``queue``."""

    document: ClassVar[str | None] = "input"
    id: str
    activity_id: str
    resource: str
    input: bytes | None
    queue: str
    attempt: int
    token: str | None
    timeout_seconds: int | None
    heartbeat_seconds: int | None
    event: int
    previous: int
    credentials: bytes | None = None


class ActivateTaskCommand(Command, tag=6):
    """Hand a task out, to ``worker``, until ``lease_until`` (microseconds; 0: no limit)."""

    id: str
    resource: str
    worker: str | None
    lease_until: int
    event: int
    previous: int


class CompleteTaskCommand(Command, tag=7):
    """A task's result."""

    document: ClassVar[str | None] = "output"
    id: str
    resource: str
    output: bytes | None
    event: int
    previous: int


class FailTaskCommand(Command, tag=8):
    """A task's failure. ``timed_out``: it failed by a time limit, not by its handler."""

    id: str
    resource: str
    error: str | None
    cause: str | None
    timed_out: bool
    event: int
    previous: int


class HeartbeatTaskCommand(Command, tag=9):
    """A heartbeat: the task's next one is due at ``due`` (microseconds)."""

    id: str
    due: int


class StartBranchCommand(Command, tag=10):
    """Start one branch of a Parallel state."""

    document: ClassVar[str | None] = "input"
    branch_id: str
    index: int
    input: bytes | None


class CompleteBranchCommand(Command, tag=11):
    """End a branch as ``Succeeded``, ``Failed`` or ``Canceled``."""

    document: ClassVar[str | None] = "output"
    branch_id: str
    status: str
    output: bytes | None
    error: str | None
    cause: str | None


class StartIterationCommand(Command, tag=12):
    """Start one iteration of the Map state ``state_name``."""

    document: ClassVar[str | None] = "input"
    iteration_id: str
    state_name: str
    index: int
    input: bytes | None
    event: int
    previous: int


class CompleteIterationCommand(Command, tag=13):
    """End an iteration as ``Succeeded``, ``Failed`` or ``Canceled``."""

    document: ClassVar[str | None] = "output"
    iteration_id: str
    state_name: str
    index: int
    status: str
    output: bytes | None
    error: str | None
    cause: str | None
    event: int
    previous: int


class ForkStateCommand(Command, tag=14):
    """Start an attempt of a Parallel or Map state: ``count`` children; in a Map over ``items`` (a JSON array)."""

    activity_id: str
    count: int
    items: bytes | None
    max_concurrency: int
    tolerated_count: int
    tolerated_percentage: float
    event: int
    previous: int


class RetryStateCommand(Command, tag=15):
    """Retry a state at ``due`` (microseconds), by its retrier number ``retrier``."""

    activity_id: str
    retrier: int
    due: int
    error: str | None
    cause: str | None


class CancelExecutionCommand(Command, tag=16):
    """Stop an execution, on request or by its time limit."""

    id: str
    error: str | None
    cause: str | None
    timed_out: bool = False


class DeleteExecutionCommand(Command, tag=17):
    """Remove an ended execution and its history.

    ``remains``: it stays, as ``Deleting``, until everything that belongs to it is removed. ``leaves_name``: its name
    belongs to another execution by now, of a workflow that was deployed again after it was deleted.
    """

    id: str
    remains: bool = False
    leaves_name: bool = False


class RedriveExecutionCommand(Command, tag=18):
    """Continue a failed execution from the states that failed, for the ``count``-th time.

    ``tree`` has the rows of these states, and of the branches and iterations around them (a msgpack array of
    contexts). ``child_id`` names the child of a map run that the execution is, if its map run asks. ``left`` has the
    branches, iterations and executions that were between two states (a msgpack array of ``[id, next state or nil,
    output]``). ``client_token``: a redrive with the same token is the same one, for a while.
    """

    id: str
    count: int
    event: int
    previous: int
    tree: bytes = b""
    child_id: str | None = None
    left: bytes = b""
    client_token: str | None = None


class CreateTimerCommand(Command, tag=19):
    """Create a timer for ``target``, due at ``due`` (microseconds)."""

    target: str
    kind: int
    due: int


class TriggerTimerCommand(Command, tag=20):
    """A timer is due."""

    target: str
    kind: int
    due: int


class CancelTimerCommand(Command, tag=21):
    """A timer is not needed any more."""

    target: str
    kind: int
    due: int


class SubmitTaskCommand(Command, tag=23):
    """The immediate answer of a service, if the task's result comes later."""

    document: ClassVar[str | None] = "output"
    id: str
    resource: str
    output: bytes | None
    event: int
    previous: int


class FailEvaluationCommand(Command, tag=24):
    """An expression of a state failed, in the field ``location``. Retry and Catch follow."""

    activity_id: str
    state_name: str
    error: str
    cause: str | None
    location: str
    event: int
    previous: int


class StartMapRunCommand(Command, tag=25):
    """Start a run of a Distributed Map state over ``count`` items (0: they must be read first).

    ``name`` is that of its state machine: ``{workflow}/{label}``. A limit of -1 is not set by the state.
    ``redrive_count`` (not 0): the run exists already, and continues for that time.
    """

    id: str
    name: str
    state_name: str
    count: int
    max_concurrency: int
    tolerated_count: int
    tolerated_percentage: float
    event: int
    previous: int
    redrive_count: int = 0


class PutMapItemsCommand(Command, tag=26):
    """Give a map run its items (a JSON array), and its children their ids, counted from ``first_child``.

    ``source`` says where the items are from: STATE_DATA or ``S3://bucket/key``. If there are ``parts`` (a JSON array
    of ``Part``), they say it for the items in order, and which items are members of an object.
    """

    document: ClassVar[str | None] = "items"
    id: str
    count: int
    first_child: int
    source: str
    items: bytes | None
    parts: bytes = b""


class StartChildrenCommand(Command, tag=27):
    """Start children of a map run over ``count`` items from ``first``: one for each item, or for batches of ``sizes``.

    In a map run that continues: those with the first items ``again``. With ``numbers`` (the last parts of execution
    ids) they become new executions; without, their executions continue.
    """

    id: str
    first: int
    count: int
    sizes: tuple[int, ...] = ()
    again: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()


class CompleteChildCommand(Command, tag=28):
    """A child execution of a map run has ended, as ``Succeeded``, ``Failed``, ``TimedOut`` or ``Canceled``."""

    document: ClassVar[str | None] = "output"
    id: str
    status: str
    output: bytes | None


class CompleteMapRunCommand(Command, tag=29):
    """End a map run as ``Succeeded``, ``Failed`` or ``Canceled``."""

    id: str
    status: str
    error: str | None
    cause: str | None
    results_written: bool
    event: int
    previous: int


class UpdateMapRunCommand(Command, tag=30):
    """Change the limits of a running map run; None leaves one as it is."""

    id: str
    max_concurrency: int | None
    tolerated_count: int | None
    tolerated_percentage: float | None
