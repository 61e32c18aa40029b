"""Limits of a partition and its executions: those that a program sets, and AWS's in its profile."""

from __future__ import annotations

from typing import Final, NamedTuple

from stepwell._core import json_depth
from stepwell.errors import ApiError, InvalidInput, StepwellError

from .quoting import shown

STANDARD: Final = "STANDARD"
EXPRESS: Final = "EXPRESS"
DEFAULT: Final = "default"
AWS: Final = "aws"
PAYLOAD_BYTES: Final = 262_144
HISTORY_EVENTS: Final = 25_000
ERROR_CHARACTERS: Final = 256
CAUSE_CHARACTERS: Final = 32_768
LONGEST_SECONDS: Final = {STANDARD: 31_536_000, EXPRESS: 300}
LARGEST_LIMIT: Final = (1 << 53) - 1
LATEST_TIME: Final = 1 << 53
"""Microseconds: the year 2255."""
SMALL: Final = 256
"""A document of at most so many bytes is never refused."""
_OTHER_LIMITS: Final = frozenset({"profile", "retention"})
_MAY_BE_ZERO: Final = frozenset({"map_result_bytes", "handler_seconds", "traceback_characters"})
_MAY_BE_NONE: Final = frozenset({"document_depth", "handler_seconds", "workflows", "activities", "open_executions"})
_AWS_COUNTS: Final = {"workflows": 100_000, "activities": 100_000, "open_executions": 1_000_000}
"""AWS's default quotas of an account and a region."""
_MICROSECONDS = 1_000_000


class Limits(NamedTuple):
    """The limits of a partition.

    Inbox: ``inbox`` commands may wait, and their documents may have ``inbox_bytes`` together. ``batch_requests`` of
    them are taken at a time.

    Turns and batches: a turn continues in the next batch when it has ``turn_records``, ``turn_bytes`` or
    ``turn_messages`` (commands for other executions). A batch takes no more turns when it has ``batch_records`` or
    ``batch_bytes``.

    Executions: ``live_executions`` may stay in memory while they rest, large ones only while their documents have at
    most ``live_bytes`` together. An execution fails if its documents have more than ``execution_bytes`` together, or
    if it makes ``restless_records`` without coming to rest. Iterations of inline Maps run concurrently only while
    their inputs have at most ``fan_out_bytes`` in an execution; at least one of each Map runs.

    Tasks: handlers of this process have at most ``tasks`` at a time, and their inputs at most ``task_bytes``
    together. Further tasks are held back on the log. A new task without a handler fails ``handler_seconds`` after its
    creation, or the last registration after that (None: it waits). The cause of a handler's exception ends with the
    last ``traceback_characters`` of its traceback.

    Documents: a document may have at most ``document_bytes``, and be nested at most ``document_depth`` deep (None:
    about 900, Python's own limit). An execution that makes another one fails. ``map_result_bytes`` limits the result
    of a Distributed Map state without a ResultWriter (0: no limit).

    There may be so many ``workflows``, ``activities`` and ``open_executions`` (STANDARD ones, without children of map
    runs); the next one is refused with ``ApiError``. None: any number, or with AWS's profile 100,000, 100,000 and
    1,000,000.

    ``timers`` are read ahead from storage. ``retention`` is how many seconds an execution is kept after its end
    (None: until it is deleted), unless its workflow was deployed with another value. When the log has grown by
    ``log_bytes``, storage is flushed and the log truncated. ``profile`` selects quotas: "default" or "aws".
    """

    inbox: int = 100_000
    inbox_bytes: int = 256 << 20
    batch_requests: int = 1024
    turn_records: int = 4096
    turn_messages: int = 512
    turn_bytes: int = 16 << 20
    batch_records: int = 8192
    batch_bytes: int = 32 << 20
    fan_out_bytes: int = 32 << 20
    execution_bytes: int = 512 << 20
    restless_records: int = 10_000_000
    live_executions: int = 20_000
    live_bytes: int = 256 << 20
    tasks: int = 50_000
    task_bytes: int = 256 << 20
    timers: int = 10_000
    map_result_bytes: int = 0
    retention: float | None = None
    profile: str = "default"
    workflows: int | None = None
    activities: int | None = None
    open_executions: int | None = None
    log_bytes: int = 32 << 20
    document_bytes: int = 64 << 20
    document_depth: int | None = None
    handler_seconds: int | None = 10
    traceback_characters: int = 0


class LimitExceeded(StepwellError):
    """An execution exceeds a limit: it fails with the ASL error ``name``."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def limits_of(profile: str, limits: Limits | None) -> Limits:
    """A partition's limits in a profile. Raises ``InvalidInput`` for an unknown profile or a bad limit."""
    limits = Limits() if limits is None else limits
    _check_limits(limits)
    if profile == DEFAULT:
        return limits
    if profile != AWS:
        raise InvalidInput(f"there is no profile {profile!r}; give {DEFAULT!r} or {AWS!r}")
    counts = {name: quota for name, quota in _AWS_COUNTS.items() if getattr(limits, name) is None}
    return limits._replace(profile=AWS, map_result_bytes=limits.map_result_bytes or PAYLOAD_BYTES, **counts)


def _check_limits(limits: Limits) -> None:
    """Refuse limits with which nothing could run; otherwise this would be noticed only then."""
    if not isinstance(limits, Limits):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"limits are Limits, not {shown(limits)}")
    retention_time(limits.retention)
    for name, limit in limits._asdict().items():
        if name in _OTHER_LIMITS or (limit is None and name in _MAY_BE_NONE):
            continue
        least = 0 if name in _MAY_BE_ZERO else 1
        if isinstance(limit, bool) or not isinstance(limit, int) or not least <= limit <= LARGEST_LIMIT:
            raise InvalidInput(
                f"the limit {name} is a whole number from {least} to {LARGEST_LIMIT}, not {shown(limit)}"
            )


def retention_time(seconds: float | None) -> int | None:
    """How long ended executions are kept, in microseconds; None: as the executor says."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"a retention is a number of seconds, not {shown(seconds)}")
    if not 0 <= seconds < LATEST_TIME / _MICROSECONDS:
        raise InvalidInput(f"a retention is 0 or more seconds, and less than 200 years, not {shown(seconds)}")
    return round(seconds * _MICROSECONDS)


def check_document(what: str, text: bytes, limits: Limits) -> None:
    """Raise ``LimitExceeded`` for a document that is too large or too deeply nested."""
    if len(text) > limits.document_bytes:
        text_of_limit = f"has {len(text)} bytes; {limits.document_bytes} is the most that there may be."
        raise LimitExceeded("States.DataLimitExceeded", f"{what} {text_of_limit}")
    most = limits.document_depth
    if most is not None and (depth := json_depth(text)) > most:
        raise LimitExceeded("States.Runtime", f"{what} is nested {depth} deep; {most} is the most that it may be.")


def check_payload(what: str, text: bytes, limits: Limits) -> None:
    """Raise ``InvalidInput`` for a document that AWS's API would not accept, or that exceeds the limits."""
    if limits.profile == AWS and len(text) > PAYLOAD_BYTES:
        raise InvalidInput(f"{what} has {len(text)} bytes: AWS takes {PAYLOAD_BYTES} at most")
    if len(text) <= SMALL:
        return
    try:
        check_document(what, text, limits)
    except LimitExceeded as error:
        raise InvalidInput(str(error)) from error


def check_length(name: str, text: str | None, longest: int, limits: Limits) -> None:
    """Raise ``ApiError`` for a text that is too long for AWS's API (ASL A15.71)."""
    if limits.profile == AWS and text is not None and len(text) > longest:
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value at '{name}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {longest}",
        )


def longest_seconds(limits: Limits, type: str, given: int | None) -> int | None:
    """How long an execution may run: as its definition says, and no longer than AWS allows (ASL A1.6)."""
    if limits.profile != AWS:
        return given
    longest = LONGEST_SECONDS[type]
    return longest if given is None else min(given, longest)
