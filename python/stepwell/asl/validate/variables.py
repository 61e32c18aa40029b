"""Scopes of workflow variables: a branch or iteration may not assign a name of an outer scope (ASL A5.29)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from stepwell.asl.validate.assign import assigned_names
from stepwell.asl.validate.diagnostic import Report
from stepwell.asl.validate.fields import JSONATA
from stepwell.asl.validate.map import processor_config, processor_name


class Level(NamedTuple):
    """States that share one scope of variables. ``isolated`` levels do not see the variables of the outer scope."""

    value: dict[str, Any]
    path: str
    isolated: bool


class Assignment(NamedTuple):
    """A variable that a state assigns, and where."""

    name: str
    place: str


def check_scopes(level: dict[str, Any], path: str, report: Report, outer: frozenset[str], language: str) -> None:
    """Refuse assignments that would hide, or change, a variable of an outer scope."""
    own: set[str] = set()
    for name, state in states_of(level):
        for assignment in assignments(state, f"{path}/States/{name}", language):
            own.add(assignment.name)
            if assignment.name in outer:
                report.error(
                    f"Cannot assign variable '{assignment.name}': it is assigned in an outer scope", assignment.place
                )
    visible = outer | own
    for name, state in states_of(level):
        for inner in inner_levels(state, f"{path}/States/{name}"):
            check_scopes(inner.value, inner.path, report, frozenset() if inner.isolated else visible, language)


def states_of(level: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The states of one level that are objects."""
    states: Any = level.get("States")
    if isinstance(states, dict):
        for name, state in cast("dict[str, Any]", states).items():
            if isinstance(state, dict):
                yield name, cast("dict[str, Any]", state)


def inner_levels(state: dict[str, Any], path: str) -> Iterator[Level]:
    """The branches of a Parallel state, the processor of a Map state."""
    if state.get("Type") == "Parallel" and isinstance(state.get("Branches"), list):
        for index, branch in enumerate(state["Branches"]):
            if isinstance(branch, dict):
                yield Level(cast("dict[str, Any]", branch), f"{path}/Branches[{index}]", False)
    elif state.get("Type") == "Map":
        name = processor_name(state)
        if isinstance(state.get(name), dict):
            isolated = processor_config(state).get("Mode") == "DISTRIBUTED"
            yield Level(state[name], f"{path}/{name}", isolated)


def assignments(state: dict[str, Any], path: str, language: str) -> Iterator[Assignment]:
    """The variables that a state assigns, also in its choice rules and catchers; all are in the state's scope."""
    jsonata = state.get("QueryLanguage", language) == JSONATA
    owners = [(state, path)]
    for field in ("Choices", "Catch"):
        entries: Any = state.get(field)
        if isinstance(entries, list):
            owners.extend(
                (cast("dict[str, Any]", entry), f"{path}/{field}[{index}]")
                for index, entry in enumerate(cast("list[Any]", entries))
                if isinstance(entry, dict)
            )
    for owner, place in owners:
        for name in assigned_names(owner, jsonata=jsonata):
            yield Assignment(name, f"{place}/Assign/{name}")
