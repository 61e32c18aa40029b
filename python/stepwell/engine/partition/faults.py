"""Faults of an execution: the command that fails it, and errors for defects."""

from __future__ import annotations

from stepwell.asl.errors import RUNTIME
from stepwell.engine.limits import LimitExceeded
from stepwell.engine.log.records import CompleteExecutionCommand
from stepwell.engine.status import FAILED
from stepwell.errors import InternalError, TooLargeError


def failure(execution_id: str, error: Exception) -> CompleteExecutionCommand:
    """The command that fails an execution, for exceeding a limit or for a defect. Its cause says which."""
    name = error.name if isinstance(error, LimitExceeded) else RUNTIME
    cause = str(error if isinstance(error, LimitExceeded | TooLargeError) else internal_error(error))
    return CompleteExecutionCommand(
        execution_id, status=FAILED, output=None, error=name, cause=cause, event=0, previous=0
    )


def internal_error(error: BaseException) -> InternalError:
    """A defect as an error for the caller."""
    text = f"An internal error occurred: {type(error).__name__}: {error}"
    wrapped = InternalError(text.encode("utf-8", "replace").decode())
    wrapped.__cause__ = error
    return wrapped
