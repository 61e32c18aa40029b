"""The logging of state machines (``loggingConfiguration``): history events as lines of the logger ``stepwell.history``.

AWS sends such lines to CloudWatch Logs. What is logged is read from the history when an event of the engine says that
it goes on. As on AWS it is best effort: events just before a crash may be missing, none is logged twice.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import lru_cache
from typing import Any, NamedTuple, get_args

from stepwell.engine.api.base_executor import BaseExecutor
from stepwell.engine.partition.events import Event, EventName
from stepwell.engine.state.workflows import Workflow
from stepwell.errors import StepwellError
from stepwell.logs import logger

from .shapes import map_run_of

log = logger("stepwell.step_functions")
lines = logging.getLogger("stepwell.history")

FATAL_TYPES = frozenset({"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"})
LARGEST_TEXT = 248 << 10
"""In bytes; longer inputs and outputs are cut off."""
_FAILURES = ("Failed", "TimedOut", "Aborted")
_DATA = ("input", "output", "parameters", "assignedVariables")


class LogSettings(NamedTuple):
    """What is logged of a state machine."""

    level: str = "OFF"
    has_data: bool = False


def is_logged(level: str, type: str) -> bool:
    """Whether events of a type are logged at a level (AWS's table of levels and event types)."""
    match level:
        case "ALL":
            return True
        case "ERROR":
            return type.endswith(_FAILURES) or type == "FailStateEntered"
        case "FATAL":
            return type in FATAL_TYPES
        case _:
            return False


class _Progress:
    """How far the history of an execution was logged, and from which time on."""

    __slots__ = ("event", "has_ended", "is_waiting", "redrives", "since")

    def __init__(self, since: float) -> None:
        self.event, self.redrives, self.since = 0, 0, since
        self.is_waiting = self.has_ended = False


class HistoryLog:
    """Logs the histories of an executor that is open. It listens to nothing until a state machine is logged."""

    def __init__(self, executor: BaseExecutor) -> None:
        self._executor, self._queries = executor, executor.client.queries
        self._began = time.time()
        self._logged: dict[str, tuple[_Progress, LogSettings]] = {}
        """The executions that run and are logged."""
        self._lock = threading.Lock()
        self._listening: ExitStack | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stepwell-history")
        self._deployments = executor.client.deployments
        self._before, self._deployments.deployed = self._deployments.deployed, self._deployed
        for workflow in self._queries.workflows(None):
            self._deployed(workflow)

    def close(self) -> None:
        """Log what waits, and end."""
        self._deployments.deployed = self._before
        if self._listening is not None:
            self._listening.close()
        for id, found in self._logged.copy().items():  # some history events come without one of the engine
            self._thread.submit(self._read, id, *found)
        self._thread.shutdown()

    def _deployed(self, workflow: Workflow) -> None:
        if self._listening is None and _settings(workflow.context.logging).level != "OFF":
            self._listening = ExitStack()
            names: tuple[EventName, ...] = get_args(EventName)
            for name in names:
                self._listening.callback(self._executor.on(name, self._heard))

    def _heard(self, event: Event) -> None:
        """An execution goes on: have its history read, unless that is to come anyway."""
        with self._lock:
            found = self._logged.get(event.execution_id)
            if found is None:
                settings = self._settings_of(event)
                if settings.level == "OFF":
                    return
                found = self._logged[event.execution_id] = (_Progress(self._since(event)), settings)
            progress, settings = found
            progress.has_ended = event.name == "execution_ended"  # a redrive may be heard of before the end was read
            if progress.is_waiting:
                return
            progress.is_waiting = True
        self._thread.submit(self._read, event.execution_id, progress, settings)

    def _since(self, event: Event) -> float:
        """From when on to log an execution that is heard of for the first time: before that it was, or is lost."""
        match event.name:
            case "execution_started":
                return 0.0
            case "execution_redriven":
                return event.microseconds / 1_000_000
            case _:
                return self._began

    def _settings_of(self, event: Event) -> LogSettings:
        name, _, label = event.workflow.partition("/")
        try:  # children of a map run are logged as their parent's machine is
            workflow = self._queries.workflow(name) if label else self._queries.workflow_of(f"{name}:{event.version}")
        except StepwellError:  # it was deleted meanwhile
            return LogSettings()
        return _settings(workflow.context.logging)

    def _read(self, id: str, progress: _Progress, settings: LogSettings) -> None:
        progress.is_waiting = False  # what happens from here on is read the next time
        try:
            self._log(id, progress, settings)
        except StepwellError as error:
            log.warning("the history of %s cannot be logged: %s", id, error)
        except Exception:
            log.exception("the history of %s cannot be logged", id)
        with self._lock:
            if progress.has_ended and not progress.is_waiting:
                self._logged.pop(id, None)

    def _log(self, id: str, progress: _Progress, settings: LogSettings) -> None:
        events = self._queries.history(id, after=progress.event)
        place = self._place(id) if events else {}
        for event in events:
            progress.event = event["id"]
            if event["type"] == "ExecutionRedriven":
                progress.redrives = event["executionRedrivenEventDetails"]["redriveCount"]
            if event["timestamp"] >= progress.since and is_logged(settings.level, event["type"]):
                lines.info("%s", line_of(event, progress.redrives, place, has_data=settings.has_data))

    def _place(self, id: str) -> dict[str, str]:
        """What an execution is called in its lines."""
        context = self._queries.context(id)
        place = {"execution_arn": self._queries.arn(context)}
        if context.parent_iteration_id is not None:
            place["map_run_arn"] = map_run_of(self._queries, context.parent_iteration_id)
        return place


def line_of(event: Mapping[str, Any], redrives: int, place: Mapping[str, str], *, has_data: bool) -> str:
    """A history event as AWS logs it: its numbers are texts."""
    nothing: dict[str, Any] = {}
    details = next((value for name, value in event.items() if name.endswith("EventDetails")), nothing)
    return json.dumps(
        {
            "id": str(event["id"]),
            "type": event["type"],
            "details": _cut(details) if has_data else _without_data(details),
            "redrive_count": str(redrives),
            "previous_event_id": str(event["previousEventId"]),
            "event_timestamp": str(round(event["timestamp"] * 1000)),
            **place,
        }
    )


def _without_data(details: Mapping[str, Any]) -> dict[str, Any]:
    hidden = {*_DATA, *(f"{name}Details" for name in _DATA)}
    return {name: value for name, value in details.items() if name not in hidden}


def _cut(details: Mapping[str, Any]) -> dict[str, Any]:
    """Details whose texts are not longer than AWS's lines have them."""
    found = dict(details)
    for name in _DATA:
        text = found.get(name)
        if isinstance(text, str) and len(text) * 4 > LARGEST_TEXT and len(text.encode()) > LARGEST_TEXT:
            found[name] = text.encode()[:LARGEST_TEXT].decode(errors="ignore")
            found[f"{name}Details"] = {"truncated": True}
    return found


@lru_cache(maxsize=1024)
def _settings(configuration: bytes) -> LogSettings:
    if not configuration:
        return LogSettings()
    found: dict[str, Any] = json.loads(configuration)
    return LogSettings(found.get("level", "OFF"), bool(found.get("includeExecutionData")))
