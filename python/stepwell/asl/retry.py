"""Which retrier and catcher match an error, and how long a retry waits (ASL A6, A7). The engine counts attempts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from stepwell.asl.errors import RUNTIME
from stepwell.asl.outcome import Outcome
from stepwell.asl.scope import Scope

ALL = "States.ALL"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"

# The longest delay of a retrier; without MaxDelaySeconds a rate grows beyond every limit.
_LONGEST_DELAY = 99_999_999.0


class Retrier(Struct, frozen=True):
    """One entry of Retry. ``max_attempts`` counts retries: 0 means never (ASL A7.36)."""

    errors: frozenset[str]
    interval_seconds: float = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_seconds: float | None = None
    full_jitter: bool = False

    def matches(self, error: str | None, *, heartbeat: bool = False) -> bool:
        """Whether this retrier matches ``error``, exhausted or not."""
        return error_matches(self.errors, error, heartbeat=heartbeat)

    def delay(self, attempt: int, random: Callable[[], float]) -> float:
        """The seconds before retry number ``attempt`` (0: the first). ``random`` gives 0 ≤ x < 1, for FULL jitter."""
        try:
            seconds = self.interval_seconds * self.backoff_rate**attempt
        except OverflowError:
            seconds = _LONGEST_DELAY
        seconds = min(seconds, self.max_delay_seconds or _LONGEST_DELAY)
        return random() * seconds if self.full_jitter else seconds


class Catcher(Struct, frozen=True):
    """One entry of Catch: the next state of an error, its output and variables."""

    errors: frozenset[str]
    next: str
    run: Callable[[Scope, str | None, str | None], Outcome]
    """The output and the variables of a state that failed with (error, cause); its scope is the state's."""

    def matches(self, error: str | None, *, heartbeat: bool = False) -> bool:
        """Whether this catcher matches ``error``."""
        return error_matches(self.errors, error, heartbeat=heartbeat)


class Retriable(Protocol):
    """A Task, Parallel or Map state."""

    retriers: tuple[Retrier, ...]
    catchers: tuple[Catcher, ...]


def match_retrier(state: Retriable, error: str | None, *, heartbeat: bool = False) -> int | None:
    """The index of the first retrier for ``error``: an exhausted one is not followed by a later one (ASL A7.38).

    ``heartbeat`` means that a States.Timeout is a missed heartbeat, which States.HeartbeatTimeout matches too.
    """
    return _first(state.retriers, error, heartbeat)


def match_catcher(state: Retriable, error: str | None, *, heartbeat: bool = False) -> int | None:
    """The index of the first catcher for ``error``, or None."""
    return _first(state.catchers, error, heartbeat)


def error_matches(names: frozenset[str], error: str | None, *, heartbeat: bool = False) -> bool:
    """Whether ErrorEquals matches ``error``; None is the error of a Fail state without a name."""
    if error == RUNTIME:
        return False
    if error in names or ALL in names:
        return True
    if error == TIMEOUT:
        return heartbeat and HEARTBEAT_TIMEOUT in names
    return TASK_FAILED in names


def error_output(error: str | None, cause: str | None) -> dict[str, Any]:
    """The Error Output of a catcher: the failure's error and cause, null if it has none (ASL A7.41).

    On AWS a timeout has an empty Cause here, though its history has none: ``CausePath: "$.Cause"`` finds it.
    """
    return {"Error": error, "Cause": "" if cause is None and error == TIMEOUT else cause}


def compile_retriers(retry: Sequence[dict[str, Any]] | None) -> tuple[Retrier, ...]:
    """The retriers of a state's Retry field."""
    return tuple(
        Retrier(
            errors=frozenset(entry["ErrorEquals"]),
            interval_seconds=entry.get("IntervalSeconds", 1),
            max_attempts=entry.get("MaxAttempts", 3),
            backoff_rate=entry.get("BackoffRate", 2.0),
            max_delay_seconds=entry.get("MaxDelaySeconds"),
            full_jitter=entry.get("JitterStrategy") == "FULL",
        )
        for entry in retry or ()
    )


def _first(handlers: tuple[Retrier, ...] | tuple[Catcher, ...], error: str | None, heartbeat: bool) -> int | None:
    for index, handler in enumerate(handlers):
        if error_matches(handler.errors, error, heartbeat=heartbeat):
            return index
    return None
