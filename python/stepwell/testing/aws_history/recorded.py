"""What the history says of each task and each state, by their places: which iterations of Map states they are in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from stepwell.asl.json import loads
from stepwell.asl.machine import StateMachine
from stepwell.asl.states import MapState, ParallelState

from .history import Event, History, data_of, details_of

Place: TypeAlias = tuple[tuple[str, int], ...]
"""The Map states around a state, the outermost first, with the number of the iteration."""

_SCHEDULED = ("TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled")
_FAILED = ("Failed", "TimedOut", "ScheduleFailed", "SubmitFailed", "StartFailed")


class Outcome(NamedTuple):
    """How a task ended: its result, or its error."""

    value: Any = None
    error: str | None = None
    cause: str | None = None


class Entry(NamedTuple):
    """A state was entered."""

    event: int
    state: str
    place: Place
    input: Any


class Recorded:
    """The entries of states and the outcomes of tasks of a history, each by its state and place in their order."""

    def __init__(self, history: History, machine: StateMachine) -> None:
        self._history = history
        self._around = dict(_maps_around(machine, ()))
        self._entered_by: dict[int, Entry] = {}
        self.entries: dict[tuple[str, Place], list[Entry]] = defaultdict(list)
        self.outcomes: dict[tuple[str, Place], list[Outcome | None]] = defaultdict(list)
        """None: the history ends before the task does."""
        for event in history.events:
            if event["type"].endswith("StateEntered"):
                self._add_entry(event)
        ends = {event["id"]: self._scheduled_by(event) for event in history.events if _ends_task(event)}
        by_task = {scheduled: self._history.by_id[end] for end, scheduled in ends.items()}
        for event in history.events:
            if event["type"] in _SCHEDULED or event["type"] in ("MapRunStarted", "MapRunRedriven"):
                self._add_outcome(event, by_task.get(event["id"]))

    def _add_entry(self, event: Event) -> None:
        name = details_of(event)["name"]
        entry = Entry(event["id"], name, self._place(event, name), data_of(event, "input"))
        self._entered_by[event["id"]] = entry
        self.entries[name, entry.place].append(entry)

    def _place(self, event: Event, name: str) -> Place:
        """The iterations around a state: of each Map state around it the one that its chain of events meets first."""
        wanted = self._around.get(name, ())
        found: dict[str, int] = {}
        for before in self._chain(event):
            if len(found) == len(wanted):
                break
            if before["type"] == "MapIterationStarted":
                details = details_of(before)
                if details["name"] in wanted:
                    found.setdefault(details["name"], details["index"])
        return tuple((each, found[each]) for each in wanted if each in found)

    def _chain(self, event: Event) -> Iterator[Event]:
        """The events before an event, by their ``previousEventId``."""
        before = self._history.by_id.get(event.get("previousEventId", 0))
        while before is not None:
            yield before
            before = self._history.by_id.get(before.get("previousEventId", 0))

    def _scheduled_by(self, event: Event) -> int:
        kinds = ("MapRunStarted", "MapRunRedriven") if event["type"].startswith("MapRun") else _SCHEDULED
        return next((each["id"] for each in self._chain(event) if each["type"] in kinds), 0)

    def _add_outcome(self, scheduled: Event, end: Event | None) -> None:
        entered = next((each for each in self._chain(scheduled) if each["id"] in self._entered_by), None)
        if entered is None:
            return
        entry = self._entered_by[entered["id"]]
        self.outcomes[entry.state, entry.place].append(None if end is None else self._outcome(end, entry))

    def _outcome(self, end: Event, entry: Entry) -> Outcome:
        details = details_of(end)
        if end["type"].endswith(_FAILED):
            timeout = "States.Timeout" if end["type"].endswith("TimedOut") else None
            return Outcome(error=details.get("error") or timeout or "States.TaskFailed", cause=details.get("cause"))
        if end["type"] == "MapRunSucceeded":
            return Outcome(self._output_of_map(end, entry))
        return Outcome(data_of(end, "output"))

    def _output_of_map(self, end: Event, entry: Entry) -> Any:
        """The output of a Distributed Map state, and what it assigned."""
        exited = next(
            event
            for event in self._history.events
            if event["id"] > end["id"]
            and event["type"] == "MapStateExited"
            and details_of(event)["name"] == entry.state
        )
        given: dict[str, str] = details_of(exited).get("assignedVariables") or {}
        assigned = {name: loads(text) for name, text in given.items()}
        return {"output": data_of(exited, "output"), "assigned": assigned}


def _ends_task(event: Event) -> bool:
    kind: str = event["type"]
    if kind in ("MapRunSucceeded", "MapRunFailed"):
        return True
    return kind.startswith(("Task", "LambdaFunction", "Activity")) and kind.endswith(("Succeeded", *_FAILED))


def _maps_around(machine: StateMachine, around: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for state in machine.states.values():
        yield state.name, around
        if isinstance(state, MapState):
            yield from _maps_around(state.processor, (*around, state.name))
        elif isinstance(state, ParallelState):
            for branch in state.branches:
                yield from _maps_around(branch, around)
