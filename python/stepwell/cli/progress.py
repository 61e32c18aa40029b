"""Follows an execution: prints its history line by line, and on a terminal which states are running."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from stepwell import Execution
from stepwell.engine.status import ENDED
from stepwell.errors import WaitTimeout

from .console import Console

Event = Mapping[str, Any]

POLL_SECONDS = 0.1
_PAGE = 500
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_CLEAR_LINE = "\r\x1b[K"


def follow(execution: Execution, console: Console, began: float) -> None:
    """Show the execution's events until it ends; of those from before ``began`` only their number."""
    if execution.status == "Pending":
        console.note("waiting for the time of its start")
    screen = _LiveScreen(console, began) if console.is_live else _Screen(console, began)
    try:
        for events in _batches(execution):
            screen.show(events)
    finally:
        screen.close()


class StateNames:
    """The state that an event belongs to: the last one entered on the way to it."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def of(self, event: Event) -> str:
        """The state's name. Call it for every event in order."""
        details = event.get("stateEnteredEventDetails")
        name = details["name"] if details else self._names.get(event["previousEventId"], "")
        self._names[event["id"]] = name
        return name


def event_line(event: Event, state_name: str) -> tuple[str, str, str] | None:
    """An event as (what happened, to which state and why, colour); None if it is not shown."""
    kind = event["type"]
    if kind.endswith("StateEntered"):
        return "entered", state_name, "blue"
    if kind.endswith("StateExited"):
        return "left", event["stateExitedEventDetails"]["name"], "green"
    if kind in ("ExecutionStarted", "ExecutionSucceeded", "ExecutionRedriven"):
        return kind.removeprefix("Execution").lower(), "", "green"
    if kind == "MapStateStarted":
        return "items", f"{event['mapStateStartedEventDetails']['length']} for {state_name}", "dim"
    if kind.endswith(("Failed", "TimedOut", "Aborted")) and not kind.startswith("MapIteration"):
        of_execution = kind.startswith("Execution")
        parts = ("" if of_execution else state_name, _reason(event))
        return _spaced(kind), ": ".join(part for part in parts if part), "red" if of_execution else "yellow"
    return None


def event_time(event: Event) -> datetime:
    """When it happened."""
    return datetime.fromtimestamp(event["timestamp"], UTC)


def _batches(execution: Execution) -> Iterator[list[dict[str, Any]]]:
    """New events, repeatedly until the execution has ended."""
    seen = 0
    while True:
        ended = execution.status in ENDED
        events = list(pages(execution, seen))
        yield events
        seen += len(events)
        if ended:
            return
        with suppress(WaitTimeout):
            execution.wait(timeout=POLL_SECONDS)


def pages(execution: Execution, after: int = 0) -> Iterator[dict[str, Any]]:
    """The events after number ``after``, read a page at a time."""
    while events := execution.history(_PAGE, after=after):
        yield from events
        after += len(events)


class _Screen:
    """Prints a line an event, for files and pipes."""

    def __init__(self, console: Console, began: float) -> None:
        self._console, self._began = console, began
        self._names = StateNames()

    def show(self, events: Sequence[Event]) -> None:
        """Show new events."""
        for line in self._lines(events):
            self._console.note(line)

    def close(self) -> None:
        """End the output."""

    def _lines(self, events: Sequence[Event]) -> list[str]:
        lines: list[str] = []
        earlier = 0
        for event in events:
            line = event_line(event, self._names.of(event))
            if line is not None:
                self._track(*line)
            if event["timestamp"] < self._began:
                earlier += 1
            elif line is not None:
                what, which, colour = line
                paint = self._console.paint
                lines.append(f"{paint(_clock(event), 'dim')}  {paint(f'{what:<10}', colour)}{which}".rstrip())
        return [f"goes on after {earlier} events", *lines] if earlier else lines

    def _track(self, what: str, which: str, colour: str) -> None:
        """Update the state from an event, also from one that is not shown."""


class _LiveScreen(_Screen):
    """Prints the same lines, and below them a line with the running states, on a terminal."""

    def __init__(self, console: Console, began: float) -> None:
        super().__init__(console, began)
        self._running: dict[str, int] = {}
        self._opened = time.monotonic()
        self._turns = 0

    def show(self, events: Sequence[Event]) -> None:
        lines = self._lines(events)
        self._turns += 1
        self._console.write_raw(_CLEAR_LINE + "".join(line + "\n" for line in lines) + self._status())

    def close(self) -> None:
        self._console.write_raw(_CLEAR_LINE)

    def _track(self, what: str, which: str, colour: str) -> None:
        if what in ("entered", "left"):
            count = self._running.pop(which, 0) + (1 if what == "entered" else -1)
            if count > 0:
                self._running[which] = count

    def _status(self) -> str:
        names = [name if count == 1 else f"{name} ×{count}" for name, count in self._running.items()]
        seconds = time.monotonic() - self._opened
        text = f"{_SPINNER[self._turns % len(_SPINNER)]} {seconds:.1f} s  {', '.join(names)}"
        return self._console.paint(text[: self._console.width - 1], "dim")


def _clock(event: Event) -> str:
    return event_time(event).astimezone().strftime("%H:%M:%S.%f")[:-3]


def _spaced(kind: str) -> str:
    """``LambdaFunctionFailed`` as ``failed``, ``TaskTimedOut`` as ``timed out``: the state's name says the rest."""
    for ending in ("Failed", "TimedOut", "Aborted"):
        if kind.endswith(ending):
            return {"TimedOut": "timed out"}.get(ending, ending.lower())
    return kind


def _reason(event: Event) -> str:
    """``Error: cause``, from whichever details the event has."""
    for name, details in event.items():
        if name.endswith("EventDetails"):
            error, cause = details.get("error"), details.get("cause")
            return ": ".join(part for part in (error, cause) if part)
    return ""
