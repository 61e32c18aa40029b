"""The history events of a command (ASL A11.55, A12.58)."""

from __future__ import annotations

from stepwell.engine.status import FAILED, SUCCEEDED

_FORKS = ("Parallel", "Map")
_STATES = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")


def _exit_events(type: str, status: str, caught: bool) -> tuple[str, ...]:
    if status == SUCCEEDED:
        if type in _FORKS:
            return (f"{type}StateFailed" if caught else f"{type}StateSucceeded", f"{type}StateExited")
        return (f"{type}StateExited",)
    if status == FAILED and type in _FORKS:
        return (f"{type}StateFailed",)
    return (f"{type}StateAborted",)


_TABLE = {
    (type, status, caught): _exit_events(type, status, caught)
    for type in _STATES
    for status in (SUCCEEDED, FAILED, "Canceled")
    for caught in (False, True)
}


def exit_events(type: str, status: str, caught: bool) -> tuple[str, ...]:
    """The events of leaving a state, in order."""
    return _TABLE[type, status, caught]


_COUNTS = {key: (len(names), not names[-1].endswith("Aborted")) for key, names in _TABLE.items()}


def exit_count(type: str, status: str, caught: bool) -> tuple[int, bool]:
    """The number of events of leaving a state, and whether the last one is the next event's ``previousEventId``."""
    return _COUNTS[type, status, caught]


def has_exit_event(type: str, status: str, nested: bool) -> bool:
    """Whether leaving a state has an event. A failed Task is aborted, but only in a branch or iteration."""
    if status == SUCCEEDED:
        return type != "Fail"
    if status == FAILED:
        return type in _FORKS or (type == "Task" and nested)
    return type in ("Task", "Wait", *_FORKS)
