"""Exceptions of handlers: logged, and as the error and the cause of the task."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TYPE_CHECKING

from stepwell.errors import TaskError
from stepwell.logs import about, logger

if TYPE_CHECKING:
    from .calls import Call

log = logger("stepwell.handlers")


def log_failure(call: Call, error: BaseException) -> None:
    """Log a handler's exception with its traceback; a TaskError, which is deliberate, without, and at level INFO."""
    is_deliberate = isinstance(error, TaskError)
    level = logging.INFO if is_deliberate else logging.ERROR
    if not log.isEnabledFor(level):
        return
    log.log(
        level,
        "the handler of %r failed in state %r of %s (task %s, attempt %d): %s: %s",
        *(call.resource, call.state_name, call.execution_id, call.id, call.attempt),
        *(type(error).__name__, text_of(error)),
        extra=about(execution=call.execution_id, state=call.state_name, task=call.id, attempt=call.attempt),
        exc_info=None if is_deliberate else (type(error), error, _trace_of_handler(error)),
    )


def log_cancellation(call: Call) -> None:
    """Log that the program, on whose event loop it runs, canceled a handler: its task stays open."""
    log.warning(
        "the program canceled the handler of %r in state %r of %s (task %s); it is called again when the folder is "
        "opened next",
        *(call.resource, call.state_name, call.execution_id, call.id),
    )


def named(error: BaseException, traceback_characters: int = 0) -> tuple[str, str]:
    """The error and the cause of a task whose handler raised ``error``.

    The cause ends with the last ``traceback_characters`` of the traceback.
    """
    if isinstance(error, TaskError):
        name, cause = text_of(error.error), text_of(error.cause or "")  # a Fail state with CausePath takes the text
    else:
        name, cause = type(error).__name__, text_of(error)
    if traceback_characters:
        trace = _traceback(error)[-traceback_characters:]
        cause = f"{cause}\n\n{trace}" if cause else trace
    return name, cause


def text_of(value: object) -> str:
    """The text of a handler's error, as the log can hold it."""
    try:
        text = value if isinstance(value, str) else str(value)
        return text if text.isascii() else text.encode("utf-8", "replace").decode()
    except Exception as error:  # noqa: BLE001 - an exception's own text may raise whatever it likes
        return f"its text cannot be read: {type(error).__name__}"


def _traceback(error: BaseException) -> str:
    import traceback  # only programs that want tracebacks in causes load it

    try:
        return text_of("".join(traceback.format_exception(type(error), error, _trace_of_handler(error))))
    except Exception as other:  # noqa: BLE001 - an exception's own text may raise whatever it likes
        return f"its traceback cannot be read: {type(other).__name__}"


def _trace_of_handler(error: BaseException) -> TracebackType | None:
    """The traceback without the frame of the pool, which called the handler."""
    trace = error.__traceback__
    return trace.tb_next if trace is not None and trace.tb_next is not None else trace
