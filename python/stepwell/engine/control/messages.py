"""What a client and the process that has the folder say to each other: an explicit list, as msgpack.

A frame is the length of a message in four bytes (little-endian), and the message. The server begins with ``Welcome``,
or a ``Reply`` that says why it does not serve the client; the first fields of both never change their form. The client
answers with ``Hello``, if it has the same protocol. From then on requests have numbers, and each gets one ``Reply``.
``PROTOCOL`` changes whenever a message, or a row of storage, changes its form.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias, get_args

import msgspec
from msgspec import Struct

from stepwell import errors
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.partition.inbox import NameTaken, Rejected
from stepwell.version import VERSION

PROTOCOL = 2
MAGIC = "stepwell"
MAX_HELLO = 4096
"""How many bytes a frame may have before the greeting."""
MAX_REQUEST = 256 << 20
"""How many bytes a request may have: a document of the largest size that limits allow by default, several times."""
MAX_REPLY = 1 << 30
PREFIX = 4
TEXT_CHARACTERS = 1 << 20
"""The text of an error is cut at so many characters."""

ClientCommandRecord: TypeAlias = (
    r.StartExecutionCommand
    | r.CancelExecutionCommand
    | r.DeleteExecutionCommand
    | r.RedriveExecutionCommand
    | r.ActivateTaskCommand
    | r.CompleteTaskCommand
    | r.FailTaskCommand
    | r.HeartbeatTaskCommand
    | r.UpdateMapRunCommand
    | r.DeleteWorkflowCommand
)
"""The commands that a client may put into the inbox. A definition is deployed by ``Deploy``."""


class Hello(Struct, array_like=True, tag=0):
    """The greeting of the client."""

    magic: str
    protocol: int
    version: str


class Get(Struct, array_like=True, tag=1):
    """A row of storage, by its kind and key."""

    number: int
    kind: int
    key: list[str | int]


class Scan(Struct, array_like=True, tag=2):
    """Rows of a kind, in the order of their keys."""

    number: int
    kind: int
    prefix: list[str | int] | None
    after: list[str | int] | None
    limit: int
    reverse: bool
    until: int | None


class Load(Struct, array_like=True, tag=3):
    """An execution's row and all rows within it."""

    number: int
    execution_id: str


class Turns(Struct, array_like=True, tag=4):
    """Turns of an execution's history."""

    number: int
    execution_id: str
    first_event: int
    limit: int
    reverse: bool


class Submit(Struct, array_like=True, tag=5):
    """A command for the inbox; the reply comes once it is durable."""

    number: int
    command: ClientCommandRecord
    document: bytes


class Watch(Struct, array_like=True, tag=6):
    """The end of an execution: the reply comes when it has ended."""

    number: int
    execution_id: str


class Unwatch(Struct, array_like=True, tag=7):
    """The reply to a ``Watch`` of this number is not waited for any more; this has no reply."""

    number: int


class Deploy(Struct, array_like=True, tag=8):
    """Keep a definition under a name; the reply is its version."""

    number: int
    name: str
    definition: bytes
    kind: str
    retention: float | None


class Tick(Struct, array_like=True, tag=9):
    """A timestamp that nobody else gets: ids of executions are made of them."""

    number: int


class HasHandler(Struct, array_like=True, tag=10):
    """Whether the process has a handler for a Task state: its resource, and its definition as JSON."""

    number: int
    resource: str
    definition: bytes


class Describe(Struct, array_like=True, tag=11):
    """The state of the process, as ``status.Live``."""

    number: int


class Measure(Struct, array_like=True, tag=12):
    """The counters and gauges of the process, as ``Stats``."""

    number: int


class Poll(Struct, array_like=True, tag=13):
    """What there is for a worker: the reply, an ``Assigned``, comes once there is something, or after some seconds.

    The worker has these handlers, runs ``capacity`` calls at a time (0: it begins no more), and holds these tasks.
    """

    number: int
    worker: str
    handlers: list[str]
    capacity: int
    holds: list[str]
    seconds: float


class TaskResult(NamedTuple):
    """What a worker's handler returned, as JSON text, or its error; ``submitted``: a token completes the task later."""

    id: str
    resource: str
    output: bytes | None
    error: str | None
    cause: str | None
    submitted: bool


class Results(Struct, array_like=True, tag=14):
    """Results of a worker's handlers, and the tasks that it works on still.

    The reply comes once all are durable: the ids of those that are to be sent again, and of those that cannot be
    recorded, each with the reason.
    """

    number: int
    worker: str
    results: list[TaskResult]
    alive: list[str]


class Leave(Struct, array_like=True, tag=15):
    """A worker ends: other workers get what it holds."""

    number: int
    worker: str


class Publish(Struct, array_like=True, tag=16):
    """Publish a version of a definition, if it is not published yet."""

    number: int
    workflow_id: str
    description: str | None


class Welcome(Struct, array_like=True, tag=0):
    """The greeting of the server: whom the client speaks with. ``follows``: the folder that it follows, if it does."""

    protocol: int
    version: str
    pid: int
    since: float
    tenant: str
    namespace: str
    limits: Limits
    strict_handlers: bool
    follows: str | None


class Failure(NamedTuple):
    """An error on its way: its class by name, its text, and what else makes it."""

    name: str
    text: str
    details: tuple[str | None, ...] = ()


class Reply(Struct, array_like=True, tag=1):
    """What came of a request; under the number 0, why the client is refused or let go."""

    number: int
    result: Any
    failure: Failure | None = None


Request: TypeAlias = (
    Get
    | Scan
    | Load
    | Turns
    | Submit
    | Watch
    | Unwatch
    | Deploy
    | Tick
    | HasHandler
    | Describe
    | Measure
    | Poll
    | Results
    | Leave
    | Publish
)
REQUESTS: tuple[type[Struct], ...] = get_args(Request)
READS: tuple[type[Struct], ...] = (Get, Scan, Load, Turns, Watch, Tick, HasHandler, Describe, Measure)
"""The requests that change nothing."""
REPEATABLE = (*READS, Poll, Results, Leave)
"""The requests that can be made again when their replies are lost."""
encode = msgspec.msgpack.Encoder().encode
decode_hello = msgspec.msgpack.Decoder(Hello).decode
decode_request: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
decode_response: msgspec.msgpack.Decoder[Welcome | Reply] = msgspec.msgpack.Decoder(Welcome | Reply)


def body_of(message: Struct) -> bytes:
    """A message as it is sent. Raises ``InvalidInput`` for what has no form."""
    try:
        return encode(message)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise errors.InvalidInput(f"this cannot be sent to another process: {error}") from error


def frame_of(message: Struct) -> bytes:
    """A message as a frame of the socket. Raises ``InvalidInput`` for what has no form."""
    body = body_of(message)
    return len(body).to_bytes(PREFIX, "little") + body


def check_protocol(welcome: Welcome) -> None:
    """Raise ``StorageError`` unless the server has this version of the messages."""
    if welcome.protocol != PROTOCOL:
        raise errors.StorageError(
            f"process {welcome.pid} has Stepwell {welcome.version} (protocol {welcome.protocol}), and this is "
            f"{VERSION} (protocol {PROTOCOL}): use the same version"
        )


_DETAILS: dict[type[BaseException], tuple[str, ...]] = {
    NameTaken: ("execution_id", "status"),
    errors.ExecutionAlreadyExists: ("execution_id",),
    errors.ExecutionFailed: ("status", "error", "cause"),
    errors.TaskError: ("error", "cause"),
    errors.ApiError: ("code", "message"),
}
"""The attributes that errors of ours have besides their text."""
_KINDS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (*vars(errors).values(), Rejected, NameTaken, TypeError, ValueError)
    if isinstance(kind, type) and issubclass(kind, Exception)
}


def failure_of(error: BaseException) -> Failure:
    """An error as it crosses."""
    details = tuple(getattr(error, name) for name in _DETAILS.get(type(error), ()))
    text = str(error)[:TEXT_CHARACTERS].encode("utf-8", "replace").decode()
    return Failure(type(error).__name__, text, details)


def error_of(failure: Failure) -> Exception:
    """The error that crossed, as an exception of the same class."""
    kind = _KINDS.get(failure.name)
    if kind is None:
        return errors.StepwellError(f"{failure.name}: {failure.text}")
    if kind is errors.ExecutionAlreadyExists:
        return errors.ExecutionAlreadyExists(failure.text, *failure.details)
    return kind(*failure.details) if kind in _DETAILS else kind(failure.text)
