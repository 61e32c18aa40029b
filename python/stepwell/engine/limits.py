"""What bounds a partition and its executions: the limits that a program sets; AWS's, where a profile asks for them."""

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
"""A document of so many bytes is never refused."""
_OTHER_LIMITS: Final = frozenset({"profile", "retention"})
_MAY_BE_ZERO: Final = frozenset({"map_result_bytes"})
_MICROSECONDS = 1_000_000


class Limits(NamedTuple):
    """What bounds a partition's memory and the length of its turns; ``timers`` is how many are read ahead.

    ``inbox`` is how many commands may wait, ``inbox_bytes`` how much their documents may have together. Of live
    executions ``live_executions`` stay in memory while they rest, and large ones only while their documents have
    no more than ``live_bytes`` together.
    A turn goes on in the next batch once it has ``turn_records`` or ``turn_bytes``; a batch takes no more turns once it
    has ``batch_records`` or ``batch_bytes``. The iterations of inline Maps run at a time only as far as their inputs
    have ``fan_out_bytes`` together, in one execution, and one of each Map at least. An execution whose documents have
    more than ``execution_bytes`` together fails.
    ``tasks`` is how many of them handlers of this process have at a time, and ``task_bytes`` what their inputs may have
    together; further ones are held back on the log.
    ``map_result_bytes`` is how large the result of a distributed Map state without a ResultWriter may be (0: any size).
    ``retention`` is for how many seconds an execution is kept once it has ended (None: until it is deleted), unless
    its workflow was deployed with another one. After ``log_bytes`` of log storage is flushed, and the log cut.
    No document has more than ``document_bytes`` or is nested more than ``document_depth`` deep (None: as deep as
    Python's own limit has it, some 900); an execution that makes one fails.
    ``profile`` is whose quotas hold: "default" or "aws".
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
    log_bytes: int = 32 << 20
    document_bytes: int = 64 << 20
    document_depth: int | None = None


class LimitExceeded(StepwellError):
    """An execution asks for more than one may have: it fails with the ASL error ``name``."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def limits_of(profile: str, limits: Limits | None) -> Limits:
    """A partition's limits under a profile. Raises ``InvalidInput`` for what is no profile or no limit."""
    limits = Limits() if limits is None else limits
    _check_limits(limits)
    if profile == DEFAULT:
        return limits
    if profile != AWS:
        raise InvalidInput(f"there is no profile {profile!r}; give {DEFAULT!r} or {AWS!r}")
    return limits._replace(profile=AWS, map_result_bytes=limits.map_result_bytes or PAYLOAD_BYTES)


def _check_limits(limits: Limits) -> None:
    """Refuse limits under which nothing could be done: they would be found out when work stands still."""
    if not isinstance(limits, Limits):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"limits are Limits, not {shown(limits)}")
    retention_time(limits.retention)
    for name, limit in limits._asdict().items():
        if name in _OTHER_LIMITS or (name == "document_depth" and limit is None):
            continue
        least = 0 if name in _MAY_BE_ZERO else 1
        if isinstance(limit, bool) or not isinstance(limit, int) or not least <= limit <= LARGEST_LIMIT:
            raise InvalidInput(
                f"the limit {name} is a whole number from {least} to {LARGEST_LIMIT}, not {shown(limit)}"
            )


def retention_time(seconds: float | None) -> int | None:
    """For how long ended executions are kept, in microseconds; None: as the executor says."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"a retention is a number of seconds, not {shown(seconds)}")
    if not 0 <= seconds < LATEST_TIME / _MICROSECONDS:
        raise InvalidInput(f"a retention is 0 or more seconds, and less than 200 years, not {shown(seconds)}")
    return round(seconds * _MICROSECONDS)


def check_document(what: str, text: bytes, limits: Limits) -> None:
    """Raise ``LimitExceeded`` for a document that is larger, or nested more deeply, than one may be."""
    if len(text) > limits.document_bytes:
        text_of_limit = f"has {len(text)} bytes; {limits.document_bytes} is the most that there may be."
        raise LimitExceeded("States.DataLimitExceeded", f"{what} {text_of_limit}")
    most = limits.document_depth
    if most is not None and (depth := json_depth(text)) > most:
        raise LimitExceeded("States.Runtime", f"{what} is nested {depth} deep; {most} is the most that it may be.")


def check_payload(what: str, text: bytes, limits: Limits) -> None:
    """Raise ``InvalidInput`` for a document that AWS's API would not take, or that is beyond the limits."""
    if limits.profile == AWS and len(text) > PAYLOAD_BYTES:
        raise InvalidInput(f"{what} has {len(text)} bytes: AWS takes {PAYLOAD_BYTES} at most")
    if len(text) <= SMALL:
        return
    try:
        check_document(what, text, limits)
    except LimitExceeded as error:
        raise InvalidInput(str(error)) from error


def check_length(name: str, text: str | None, longest: int, limits: Limits) -> None:
    """Raise ``ApiError`` for a text that is longer than AWS's API takes it (ASL A15.71)."""
    if limits.profile == AWS and text is not None and len(text) > longest:
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value at '{name}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {longest}",
        )


def longest_seconds(limits: Limits, type: str, given: int | None) -> int | None:
    """For how long an execution may run: as its definition says, and no longer than AWS lets it (ASL A1.6)."""
    if limits.profile != AWS:
        return given
    longest = LONGEST_SECONDS[type]
    return longest if given is None else min(given, longest)
