"""Following an execution: its history as lines, and on a terminal what it is busy with."""

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
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_CLEAR_LINE = "\r\x1b[K"


def follow(execution: Execution, console: Console, began: float) -> None:
    """Show the execution's events as they come, until it ends; those from before ``began`` only as a number."""
    if execution.status == "Pending":
        console.note("waiting for the time of its start")
    screen = _LiveScreen(console) if console.is_live else _PlainScreen(console)
    try:
        for events in _batches(execution):
            fresh = [event for event in events if event["timestamp"] >= began]
            if len(fresh) < len(events):
                console.note(f"goes on after {len(events) - len(fresh)} events")
            screen.show(fresh)
    finally:
        screen.close()


def event_line(event: Event) -> tuple[str, str, str] | None:
    """An event as (what happened, to which state or with which error, colour); None where a follower learns nothing."""
    kind = event["type"]
    if kind.endswith("StateEntered"):
        return "entered", event["stateEnteredEventDetails"]["name"], "blue"
    if kind.endswith("StateExited"):
        return "left", event["stateExitedEventDetails"]["name"], "green"
    if kind in ("ExecutionStarted", "ExecutionSucceeded", "ExecutionRedriven"):
        return kind.removeprefix("Execution").lower(), "", "green"
    if kind == "MapStateStarted":
        return "items", str(event["mapStateStartedEventDetails"]["length"]), "dim"
    if kind.endswith(("Failed", "TimedOut", "Aborted")) and not kind.startswith("MapIteration"):
        return _spaced(kind), _reason(event), "red" if kind.startswith("Execution") else "yellow"
    return None


def event_time(event: Event) -> datetime:
    """When it happened."""
    return datetime.fromtimestamp(event["timestamp"], UTC)


def _batches(execution: Execution) -> Iterator[list[dict[str, Any]]]:
    """The events that are new since the last look, over and over until the execution has ended."""
    seen = 0
    while True:
        ended = execution.status in ENDED
        events = execution.history()
        yield events[seen:]
        seen = len(events)
        if ended:
            return
        with suppress(WaitTimeout):
            execution.wait(timeout=POLL_SECONDS)


class _PlainScreen:
    """A line an event, for files and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, events: Sequence[Event]) -> None:
        for event in events:
            if line := event_line(event):
                what, which, _ = line
                self._console.note(f"{_clock(event)}  {what:<10}{which}".rstrip())

    def close(self) -> None:
        pass


class _LiveScreen:
    """The same lines in colour, and below them a line that says which states are running."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._running: dict[str, int] = {}
        self._began = time.monotonic()
        self._turns = 0

    def show(self, events: Sequence[Event]) -> None:
        lines = [line for event in events if (line := self._line(event))]
        self._turns += 1
        self._write(_CLEAR_LINE + "".join(line + "\n" for line in lines) + self._status())

    def close(self) -> None:
        self._write(_CLEAR_LINE)

    def _line(self, event: Event) -> str | None:
        line = event_line(event)
        if line is None:
            return None
        what, which, colour = line
        if what in ("entered", "left"):
            count = self._running.pop(which, 0) + (1 if what == "entered" else -1)
            if count > 0:
                self._running[which] = count
        paint = self._console.paint
        return f"{paint(_clock(event), 'dim')}  {paint(f'{what:<10}', colour)}{which}"

    def _status(self) -> str:
        names = [name if count == 1 else f"{name} ×{count}" for name, count in self._running.items()]
        seconds = time.monotonic() - self._began
        text = f"{_SPINNER[self._turns % len(_SPINNER)]} {seconds:.1f} s  {', '.join(names)}"
        return self._console.paint(text[:78], "dim")

    def _write(self, text: str) -> None:
        self._console.write_raw(text)


def _clock(event: Event) -> str:
    return event_time(event).astimezone().strftime("%H:%M:%S.%f")[:-3]


def _spaced(kind: str) -> str:
    """``LambdaFunctionFailed`` as ``failed``, ``TaskTimedOut`` as ``timed out``: the state's name says the rest."""
    for ending in ("Failed", "TimedOut", "Aborted"):
        if kind.endswith(ending):
            return {"TimedOut": "timed out"}.get(ending, ending.lower())
    return kind


def _reason(event: Event) -> str:
    """``Error: cause``, of whichever details the event has."""
    for name, details in event.items():
        if name.endswith("EventDetails"):
            error, cause = details.get("error"), details.get("cause")
            return ": ".join(part for part in (error, cause) if part)
    return ""
