"""The errors of Stepwell. All are a ``StepwellError``; the text says what was wrong, where, and what to do."""

from __future__ import annotations


class StepwellError(Exception):
    """The base of every error that Stepwell raises."""


class InvalidDefinition(StepwellError):
    """A state machine that cannot run. ``diagnostics`` holds every problem with its place."""

    def __init__(self, message: str, diagnostics: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics


class InvalidInput(StepwellError):
    """An input or output that is not JSON."""


class InvalidName(StepwellError):
    """A name that may not be used: of a workflow, an execution, a tenant or a namespace."""


class WorkflowNotFound(StepwellError):
    """No workflow was deployed under this name."""


class WorkflowDeleting(StepwellError):
    """The workflow is being deleted: it is gone once its executions have ended."""


class HandlerNotFound(StepwellError):
    """A Task state names a resource for which no handler is registered."""


class ExecutionNotFound(StepwellError):
    """No execution has this id."""


class ExecutionAlreadyExists(StepwellError):
    """The name belongs to an execution that ended, or that has another input: ``execution_id``."""

    def __init__(self, message: str, execution_id: str | None = None) -> None:
        super().__init__(message)
        self.execution_id = execution_id


class MapRunNotFound(StepwellError):
    """No map run has this id or ARN."""


class MapRunEnded(StepwellError):
    """The map run has ended: its limits cannot be changed any more."""


class ExecutionRunning(StepwellError):
    """The execution has not ended, as it must have before this can be done."""


class NotRedrivable(StepwellError):
    """The execution cannot be redriven: it did not fail, it is an EXPRESS one, or it ended too long ago."""


class ExecutionFailed(StepwellError):
    """An execution that was waited for did not succeed; ``error`` and ``cause`` say why."""

    def __init__(self, status: str, error: str | None, cause: str | None) -> None:
        super().__init__(": ".join(part for part in (status, error, cause) if part))
        self.status, self.error, self.cause = status, error, cause


class WaitTimeout(StepwellError, TimeoutError):
    """The execution did not end within the time given."""


class TaskDoesNotExist(StepwellError):
    """No open task has this id or token: it never existed, or it has its result already."""


class InvalidToken(TaskDoesNotExist):
    """A text that is no task's token: this folder never made it."""


class TaskTimedOut(TaskDoesNotExist):
    """The task that a token belonged to is closed: it has its result, its time ran out, or its execution ended."""


class TaskCancelled(StepwellError):
    """Raised in a handler whose task has ended, so that its result is ignored."""


class TaskError(StepwellError):
    """Raised by a handler: an ASL error by name, for Retry and Catch to match. Without a ``cause`` that is empty."""

    def __init__(self, error: str, cause: str | None = None) -> None:
        super().__init__(f"{error}: {cause}" if cause is not None else error)
        self.error, self.cause = error, cause


class Busy(StepwellError):
    """The inbox is full; the request was not accepted. Try again, or pass a timeout to wait."""


class Closed(StepwellError):
    """The executor was closed."""


class StorageError(StepwellError):
    """The folder, the log or the storage cannot be used; the text says which and why."""


class LockedError(StorageError):
    """Another process has the folder open."""


class CorruptionError(StorageError):
    """The log or the storage is damaged; the text names the place."""


class PoisonedError(StorageError):
    """A write or a sync failed: the store accepts nothing more until the folder is opened again."""


class TooLargeError(StepwellError):
    """A batch that is too large for the log: nothing of it was accepted, and the engine keeps running."""


class FencedError(StorageError):
    """Another leader took over: this one may write nothing more."""


class AlreadyPromoted(StorageError):
    """The folder took over from the one that it followed: open it with ``Executor``."""


class ClockError(StepwellError):
    """A clock is further off than the drift bound."""


class InternalError(StepwellError):
    """A defect of Stepwell that affects this request alone; its execution failed, or was not started."""


class InvalidId(StepwellError, ValueError):
    """A text that is not an id or a timestamp."""


class ApiError(StepwellError):
    """A request that AWS's API would refuse, with AWS's ``code`` and ``message``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message
