"""Transitions: missing targets, unreachable states, machines that never end (ASL A16.80)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from stepwell.asl.validate.diagnostic import MISSING_END_STATE, MISSING_TRANSITION_TARGET, Report


class Target(NamedTuple):
    """A state that a transition names, and the field that names it."""

    name: str
    field: str


def check_graph(level: dict[str, Any], path: str, report: Report, *, top: bool) -> None:
    """One level of states: the machine itself, a branch, or the processor of a Map state."""
    states: Any = level.get("States")
    if not isinstance(states, dict):
        return
    members = cast("dict[str, Any]", states)
    for name, state in members.items():
        for target in targets(state):
            if target.name not in members:
                _missing(target.name, f"{path}/States/{name}/{target.field}", report)
    # A whole machine without an end is reported once, instead of its unreachable states.
    if top and not any(is_terminal(state) for state in members.values()):
        report.error("Workflow has no terminal state", None, MISSING_END_STATE)
        return
    start: Any = level.get("StartAt")
    if not isinstance(start, str):
        return
    if start in members:
        found = reachable(members, start)
    else:  # the start is unknown, so only states without any transition to them are certainly unreachable
        _missing(start, f"{path}/StartAt", report)
        found = {target.name for state in members.values() for target in targets(state)}
    for name in members:
        if name not in found:
            place = f"{path}/States/{name}"
            report.error(f'State "{name}" is not reachable.', place, MISSING_TRANSITION_TARGET)


def targets(state: Any) -> Iterator[Target]:
    """The states that one state can lead to: by Next, its rules, Default and its catchers."""
    if not isinstance(state, dict):
        return
    fields = cast("dict[str, Any]", state)
    for field in ("Next", "Default"):
        if isinstance(fields.get(field), str):
            yield Target(fields[field], field)
    for field in ("Choices", "Catch"):
        entries: Any = fields.get(field)
        if isinstance(entries, list):
            for index, entry in enumerate(cast("list[Any]", entries)):
                if isinstance(entry, dict) and isinstance(name := cast("dict[str, Any]", entry).get("Next"), str):
                    yield Target(name, f"{field}[{index}]/Next")


def reachable(states: dict[str, Any], start: str) -> set[str]:
    """The states of one level that can be reached from ``start``."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in states and name not in found:
            found.add(name)
            waiting.extend(target.name for target in targets(states[name]))
    return found


def is_terminal(state: Any) -> bool:
    """Whether a state ends its level."""
    if not isinstance(state, dict):
        return False
    fields = cast("dict[str, Any]", state)
    return fields.get("End") is True or fields.get("Type") in ("Succeed", "Fail")


def _missing(name: str, place: str, report: Report) -> None:
    # AWS's text says 'Next', whichever field names the target.
    report.error(f"Missing 'Next' target: {name}", place, MISSING_TRANSITION_TARGET)
