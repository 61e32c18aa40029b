"""Stats: the counters and gauges of an executor, over all its partitions."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import asdict

from stepwell.engine.partition.counters import PartitionStats
from stepwell.tasks.dispatch import HandlerPool

from .listeners import Listeners


class Stats(Struct, frozen=True, kw_only=True):
    """Counters of what is durable, and gauges of now.

    Executions, transitions and tasks are counted from the first call of ``stats`` on, for which a program calls it once
    at its start, batches and bytes from the opening on. With several partitions, those of one that was started again
    begin at zero again. An end by a limit of time counts as timed out alone.
    """

    executions_started: int
    executions_succeeded: int
    executions_failed: int
    executions_canceled: int
    executions_timed_out: int
    transitions: int
    """How many states were entered."""
    tasks_scheduled: int
    tasks_succeeded: int
    tasks_failed: int
    """How many attempts failed, those included that were tried again."""
    tasks_canceled: int
    tasks_timed_out: int
    tasks_retried: int
    open_executions: int
    """How many executions have not ended. Their rows are counted at each call."""
    executions_in_memory: int
    tasks_in_flight: int
    """How many tasks are with handlers of this process, or on their way to them."""
    inbox: int
    """How many commands wait to be processed."""
    batches: int
    syncs: int
    sync_micros: int
    """How long the syncs of the log took, together."""
    records: int
    log_bytes: int
    """How many bytes were written to the log."""
    handlers_running: int
    handlers_overdue: int
    """How many handlers still run some time after their tasks have ended."""
    tasks_unhandled: int
    """How many tasks wait for a handler to be registered."""
    events_dropped: int
    """How many events listeners have missed, because too many waited."""


def summed(partitions: Iterable[PartitionStats], pool: HandlerPool, listeners: Listeners) -> Stats:
    """The stats of an executor with these partitions."""
    totals = asdict(PartitionStats())
    for each in partitions:
        for name, value in asdict(each).items():
            totals[name] += value
    return Stats(
        **totals,
        handlers_running=pool.running,
        handlers_overdue=pool.overdue,
        tasks_unhandled=pool.unhandled,
        events_dropped=listeners.dropped,
    )
