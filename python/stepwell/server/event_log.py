"""A line of the log for each event of an execution (``--log-events``): its execution, its state, and what happened."""

from __future__ import annotations

import logging
from typing import Any, get_args

from stepwell.engine.api.base_executor import BaseExecutor
from stepwell.engine.partition.events import Event, EventName
from stepwell.logs import about

log = logging.getLogger("stepwell.executions")

_SHOWN = ("state", "resource", "task_id", "status", "error", "cause", "attempt", "seconds")


def log_events(executor: BaseExecutor) -> None:
    """Log the events of an executor from now on."""
    names: tuple[EventName, ...] = get_args(EventName)
    for name in names:
        executor.on(name, log_event)


def log_event(event: Event) -> None:
    """Log an event; one of a failure as a warning."""
    fields: dict[str, Any] = {
        "event": event.name,
        "workflow": event.workflow,
        "version": event.version,
        "execution": event.execution_id,
    }
    for name in _SHOWN:
        value = getattr(event, name)
        if value is not None:
            fields[name] = value
    if event.timed_out:
        fields["timed_out"] = True
    level = logging.WARNING if event.status == "Failed" or event.name == "task_retried" else logging.INFO
    log.log(level, "%s", " ".join(f"{name}={value}" for name, value in fields.items()), extra=about(**fields))
