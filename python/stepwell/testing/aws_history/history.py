"""The events of an execution of AWS: read from the JSON of the AWS CLI, or from boto3's answer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, cast

from stepwell.asl.json import is_array, is_object, loads
from stepwell.errors import InvalidInput

Event: TypeAlias = dict[str, Any]
Source: TypeAlias = str | os.PathLike[str] | Mapping[str, Any] | list[dict[str, Any]]
"""A file with the answer of GetExecutionHistory, or that answer itself, or the list of its events."""

_ENDS = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionAborted": "ABORTED",
    "ExecutionTimedOut": "TIMED_OUT",
}


def read_events(source: Source) -> list[Event]:
    """The events of a history, the first one first. Raises ``InvalidInput`` for what is none."""
    if isinstance(source, str | os.PathLike):
        try:
            document = loads(Path(source).read_bytes())
        except OSError as error:
            raise InvalidInput(f"cannot read {os.fspath(source)}: {error.strerror or error}") from error
    else:
        document = source
    events: Any = cast("Mapping[str, Any]", document).get("events") if isinstance(document, Mapping) else document
    if not is_array(events) or not all(map(_is_event, events)):
        raise InvalidInput("this is not the answer of GetExecutionHistory: it has no list of events with id and type")
    return sorted(events, key=lambda event: event["id"])


def _is_event(event: Any) -> bool:
    return is_object(event) and isinstance(event.get("id"), int) and isinstance(event.get("type"), str)


class History:
    """The events of one execution of AWS."""

    def __init__(self, events: list[Event]) -> None:
        if not events or events[0]["type"] != "ExecutionStarted":
            raise InvalidInput("the history does not begin with ExecutionStarted: fetch all of its pages")
        self.events = events
        """The events, the first one first."""
        self.by_id: dict[int, Event] = {event["id"]: event for event in events}
        missing = next((event for event in events if _lacks_data(event)), None)
        if missing is not None:
            raise InvalidInput(f"event {missing['id']} has no data: fetch the history with includeExecutionData")
        truncated = next((event for event in events if _is_truncated(event)), None)
        if truncated is not None:
            raise InvalidInput(f"the data of event {truncated['id']} is truncated, so that it cannot be replayed")

    @property
    def input(self) -> Any:
        """The execution's input."""
        return data_of(self.events[0], "input")

    @property
    def status(self) -> str:
        """SUCCEEDED, FAILED, ABORTED, TIMED_OUT; RUNNING if the history has no end."""
        return _ENDS.get(self.events[-1]["type"], "RUNNING")

    @property
    def error(self) -> str | None:
        """The error that it ended with."""
        return details_of(self.events[-1]).get("error") if self.status != "RUNNING" else None

    @property
    def redrives(self) -> int:
        """How often it was redriven."""
        return sum(event["type"] == "ExecutionRedriven" for event in self.events)

    @property
    def started_at(self) -> datetime:
        """When it was started."""
        return time_of(self.events[0].get("timestamp"))


def _lacks_data(event: Event) -> bool:
    entered = event.get("stateEnteredEventDetails")
    return (entered is not None and "input" not in entered) or (
        event["type"] == "ExecutionStarted" and "input" not in details_of(event)
    )


def _is_truncated(event: Event) -> bool:
    return any(is_object(value) and value.get("truncated") is True for value in details_of(event).values())


def details_of(event: Event) -> dict[str, Any]:
    """The details of an event, whatever they are called."""
    none: dict[str, Any] = {}
    return next((value for key, value in event.items() if key.endswith("EventDetails") and is_object(value)), none)


def data_of(event: Event, name: str) -> Any:
    """A document of an event, as a value; None if it has none."""
    text = details_of(event).get(name)
    return loads(text) if isinstance(text, str) and text else None


def time_of(value: Any) -> datetime:
    """A time of an event: boto3's ``datetime``, ISO 8601 text, or seconds since 1970. Raises ``InvalidInput``."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(f"{value!r} is no time of an event: {error}") from error
    raise InvalidInput(f"{value!r} is no time of an event")
