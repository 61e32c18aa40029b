"""Counters and gauges of a partition, for ``Executor.stats``.

Events are counted from the first question on: a program that never asks pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from stepwell.engine.status import CANCELED, CANCELING, COMPLETING, FAILED, PENDING, RUNNING, SUCCEEDED
from stepwell.engine.storage.contexts import VisibilityContext
from stepwell.engine.storage.counting import count_rows
from stepwell.engine.storage.storage import Storage

from .events import Event, EventName

if TYPE_CHECKING:
    from stepwell._core import Store

COUNTED: frozenset[EventName] = frozenset(
    ("execution_started", "execution_ended", "state_entered", "task_scheduled", "task_ended", "task_retried")
)
_OPEN = frozenset((PENDING, RUNNING, COMPLETING, CANCELING))


class PartitionStats(Struct, array_like=True):
    """What one partition counts and holds. ``Stats`` explains the fields."""

    executions_started: int = 0
    executions_succeeded: int = 0
    executions_failed: int = 0
    executions_canceled: int = 0
    executions_timed_out: int = 0
    transitions: int = 0
    tasks_scheduled: int = 0
    tasks_succeeded: int = 0
    tasks_failed: int = 0
    tasks_canceled: int = 0
    tasks_timed_out: int = 0
    tasks_retried: int = 0
    open_executions: int = 0
    executions_in_memory: int = 0
    tasks_in_flight: int = 0
    inbox: int = 0
    batches: int = 0
    syncs: int = 0
    sync_micros: int = 0
    records: int = 0
    log_bytes: int = 0


class Counters:
    """Counts events by what they say."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def count(self, event: Event) -> None:
        """Count an event. For the partition's thread alone."""
        field = _field(event)
        self._counts[field] = self._counts.get(field, 0) + 1

    def stats(self, store: Store, storage: Storage, **gauges: int) -> PartitionStats:
        """The counters, and the gauges of now. From any thread."""
        written = store.sync_stats()
        return PartitionStats(
            **self._counts.copy(),
            open_executions=open_executions(storage),
            batches=written["batches"],
            syncs=written["syncs"],
            sync_micros=written["sync_micros"],
            records=written["records"],
            log_bytes=written["bytes"],
            **gauges,
        )


_ENDS = {SUCCEEDED: "succeeded", FAILED: "failed", CANCELED: "canceled"}


def _field(event: Event) -> str:
    if event.name == "execution_started":
        return "executions_started"
    if event.name == "state_entered":
        return "transitions"
    if event.name in ("execution_ended", "task_ended"):
        of = "executions" if event.name == "execution_ended" else "tasks"
        return f"{of}_{'timed_out' if event.timed_out else _ENDS[event.status or FAILED]}"
    return "tasks_scheduled" if event.name == "task_scheduled" else "tasks_retried"


def open_executions(storage: Storage, counts: Callable[[str], bool] = lambda workflow: True) -> int:
    """How many executions have not ended, of the lists that count: their rows are counted."""
    count = 0
    after: tuple[Any, ...] | None = None
    while rows := storage.scan(VisibilityContext, after=after, limit=1):
        group = (rows[0].workflow, rows[0].status)
        if group[1] in _OPEN and counts(group[0]):
            count += count_rows(storage, VisibilityContext, *group)
        after = (*group, 0, "")  # behind the group: its times are in falling order
    return count
