"""Messages between the program's process and a partition's, in frames of msgpack.

A frame is ``[clock, [message, …]]``. ``clock`` is the sender's hybrid logical clock. So what either process does
after a frame gets a later timestamp than what the other one did before it, and ids stay unique.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, Union

import msgspec
from msgspec import Struct

from stepwell import _core, errors
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.partition.events import Event
from stepwell.engine.partition.inbox import NameTaken, Rejected
from stepwell.tasks.dispatch import Call

if TYPE_CHECKING:
    _AnyCommand = r.Command
else:
    _AnyCommand = Union[tuple(r.Command.__subclasses__())]  # noqa: UP007


TEXT_CHARACTERS = 1 << 20
"""The text of an error is sent up to this number of characters."""


class Failure(NamedTuple):
    """An error as it is sent: the name of its class, its text, and further arguments."""

    name: str
    text: str
    details: tuple[str, ...] = ()


def failure_of(error: BaseException) -> Failure:
    """An error as it is sent."""
    details = (error.execution_id, error.status) if isinstance(error, NameTaken) else ()
    return Failure(type(error).__name__, _as_sent(str(error)), details)


def _as_sent(text: str) -> str:
    """A text that can be sent: one that quotes a document or a name may contain anything."""
    return text[:TEXT_CHARACTERS].encode("utf-8", "replace").decode()


def error_of(failure: Failure) -> Exception:
    """The error that was received."""
    if failure.name == NameTaken.__name__:
        return NameTaken(*failure.details)
    kind = _KINDS.get(failure.name)
    if kind is None:
        return errors.StepwellError(f"{failure.name}: {failure.text}")
    return kind(failure.text)


_KINDS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        Rejected,
        errors.Busy,
        errors.ClockError,
        errors.Closed,
        errors.CorruptionError,
        errors.ExecutionNotFound,
        errors.FencedError,
        errors.InternalError,
        errors.InvalidId,
        errors.InvalidInput,
        errors.InvalidName,
        errors.LockedError,
        errors.PoisonedError,
        errors.StepwellError,
        errors.StorageError,
        errors.TooLargeError,
        errors.WorkflowNotFound,
        TypeError,
        ValueError,
    )
}


# to a partition's process


class Place(NamedTuple):
    """A folder: its path as bytes, which may be any, and its identity (device, inode)."""

    path: bytes
    which: tuple[int, int]

    @classmethod
    def of(cls, folder: _core.Folder) -> Place:
        """The place of a folder that is open."""
        return cls(os.fsencode(folder.path), folder.which)

    def open(self) -> _core.Folder:
        """Open the folder. Raises ``PoisonedError`` if another one is there."""
        return _core.Folder.open(os.fsdecode(self.path), which=self.which)


class Open(Struct, array_like=True, tag=1):
    """The first message: the folder to open (None: in memory), and which of how many partitions it holds.

    A path is bytes, as the operating system has it: it need not be text.
    """

    data: Place | None
    index: int
    partitions: int
    tenant: str
    namespace: str
    limits: Limits
    region: str
    account: str
    handlers: list[tuple[str, int]] = []


class Handlers(Struct, array_like=True, tag=8):
    """The names of the program's handlers, and how many tasks of each may be handed out before their calls begin."""

    windows: list[tuple[str, int]]


class Freed(Struct, array_like=True, tag=9):
    """A task that was handed out is not counted for its limit any longer."""

    limit: str


class Check(Struct, array_like=True, tag=10):
    """Say which of these tasks have ended: the process before this one may have died before it said so."""

    task_ids: list[str]


class Submit(Struct, array_like=True, tag=2):
    """A command for the inbox. ``again``: it was sent to a process that died before it answered."""

    number: int
    command: _AnyCommand
    document: bytes
    again: bool = False


class TaskResult(NamedTuple):
    """A handler's result, as it is sent."""

    id: str
    resource: str
    output: bytes | None
    error: str | None
    cause: str | None
    submitted: bool


class Results(Struct, array_like=True, tag=3):
    """Results of handlers."""

    results: list[TaskResult]


class Heartbeat(Struct, array_like=True, tag=4):
    """A handler reports that its work continues."""

    task_id: str


class Read(Struct, array_like=True, tag=5):
    """A call of one of the store's reading methods."""

    number: int
    operation: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]


class Watch(Struct, array_like=True, tag=6):
    """Report the end of an execution."""

    id: str


class Observe(Struct, array_like=True, tag=21):
    """Tell the events of these names, from now on."""

    names: list[str]


class Close(Struct, array_like=True, tag=7):
    """Put everything on disk, and end."""


# from a partition's process


class Ready(Struct, array_like=True, tag=1):
    """The folder is open and the partition runs. ``calls`` are the tasks that handlers had before."""

    calls: list[Call]


class Reply(Struct, array_like=True, tag=2):
    """The result of a ``Submit`` or a ``Read``. ``position``: up to where the partition's log was applied then."""

    number: int
    result: Any
    failure: Failure | None = None
    position: int = 0


class Tasks(Struct, array_like=True, tag=3):
    """Tasks for handlers."""

    calls: list[Call]


class Ended(Struct, array_like=True, tag=4):
    """A watched execution has ended: its row, unless it was deleted. Or there is no such execution."""

    id: str
    row: bytes | None
    failure: Failure | None = None
    position: int = 0


class Queued(Struct, array_like=True, tag=5):
    """A task waits for a worker that polls."""

    queue: str


class TasksEnded(Struct, array_like=True, tag=9):
    """Tasks have ended without results of their handlers."""

    task_ids: list[str]


class Abandoned(Struct, array_like=True, tag=7):
    """A task was abandoned that waits for an execution in another partition."""

    task_id: str
    execution_id: str
    input: bytes


class Happened(Struct, array_like=True, tag=21):
    """An event that somebody listens to."""

    event: Event


class Broken(Struct, array_like=True, tag=6):
    """The process ends because it cannot continue."""

    failure: Failure


class Unsaved(Struct, array_like=True, tag=8):
    """The process ends as it was asked to, but could not put everything on disk."""

    failure: Failure


ToPartition = Open | Submit | Results | Heartbeat | Read | Watch | Observe | Close | Handlers | Freed | Check
FromPartition = Ready | Reply | Tasks | TasksEnded | Ended | Queued | Abandoned | Happened | Broken | Unsaved

to_partition: msgspec.msgpack.Decoder[tuple[int, list[ToPartition]]] = msgspec.msgpack.Decoder(
    tuple[int, list[ToPartition]]
)
from_partition: msgspec.msgpack.Decoder[tuple[int, list[FromPartition]]] = msgspec.msgpack.Decoder(
    tuple[int, list[FromPartition]]
)
