"""Metrics of an executor for Prometheus (extra ``prometheus``): from its events, its stats and its files.

>>> from prometheus_client import start_http_server
>>> from stepwell.prometheus import export
>>> stop = export(executor)
>>> server, thread = start_http_server(9090)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from stepwell.engine.folders.files import PartitionFiles, files_of
from stepwell.engine.host.cluster_state import ClusterState
from stepwell.engine.host.stats import Stats
from stepwell.engine.partition.events import Event
from stepwell.errors import StepwellError
from stepwell.logs import logger

if TYPE_CHECKING:
    from stepwell.engine.api.base_executor import BaseExecutor
    from stepwell.engine.api.follower import Follower
    from stepwell.engine.host.host import Host

log = logger("stepwell.prometheus")

MOST_LABELS = 200
"""How many workflows, and how many resources, are told apart; further ones are OTHER together."""
OTHER = "(other)"
_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)


def export(executor: BaseExecutor, registry: CollectorRegistry = REGISTRY) -> Callable[[], None]:
    """Register the metrics of an executor that is open; what is returned removes them.

    Counting begins now. A scrape counts the open executions in storage, which takes the longer the more there are.
    A second executor of a process needs a registry of its own. Raises ``InvalidInput`` for an executor that is
    connected to another process: that one has the metrics.
    """
    host = executor.client.host
    with ExitStack() as undo:
        host.stats()
        _OfEvents(executor, registry, undo)
        _register(_OfHost(host), registry, undo)
        return undo.pop_all().close


def export_follower(follower: Follower, registry: CollectorRegistry = REGISTRY) -> Callable[[], None]:
    """Register the lag of a follower; what is returned removes it."""
    undo = ExitStack()
    _register(_OfFollower(follower), registry, undo)
    return undo.close


def _register(collector: Collector, registry: CollectorRegistry, undo: ExitStack) -> None:
    registry.register(collector)
    undo.callback(registry.unregister, collector)


class Labels:
    """Keeps the number of values of a label bounded: each value is a time series, for as long as the process runs."""

    def __init__(self, most: int = MOST_LABELS) -> None:
        self._most, self._known = most, set[str]()

    def of(self, name: str) -> str:
        """The value for a name."""
        if name in self._known:
            return name
        if len(self._known) >= self._most:
            return OTHER
        self._known.add(name)
        return name


class _OfEvents:
    """Counts what events tell, which stats do not have: by workflow, and how long it took."""

    def __init__(self, executor: BaseExecutor, registry: CollectorRegistry, undo: ExitStack) -> None:
        self._workflows, self._resources = Labels(), Labels()
        self._started = _counter("stepwell_executions_started", "Executions that were started", "workflow")
        self._ended = _counter("stepwell_executions_ended", "Executions that ended", "workflow", "status")
        self._redriven = _counter("stepwell_executions_redriven", "Redrives of executions", "workflow")
        self._execution_seconds = _histogram("stepwell_execution_seconds", "From start to end", "workflow")
        self._task_seconds = _histogram("stepwell_task_seconds", "Attempts of tasks", "resource", "status")
        self._retried = _counter("stepwell_task_retries", "Attempts after the first one", "resource")
        for metric in (self._started, self._ended, self._redriven):
            _register(metric, registry, undo)
        for metric in (self._execution_seconds, self._task_seconds, self._retried):
            _register(metric, registry, undo)
        undo.callback(executor.on("execution_started", self._execution_started))
        undo.callback(executor.on("execution_ended", self._execution_ended))
        undo.callback(executor.on("execution_redriven", self._execution_redriven))
        undo.callback(executor.on("task_ended", self._task_ended))
        undo.callback(executor.on("task_retried", self._task_retried))

    def _execution_started(self, event: Event) -> None:
        self._started.labels(self._workflows.of(event.workflow)).inc()

    def _execution_ended(self, event: Event) -> None:
        workflow = self._workflows.of(event.workflow)
        self._ended.labels(workflow, status_of(event)).inc()
        self._execution_seconds.labels(workflow).observe(event.seconds or 0.0)

    def _execution_redriven(self, event: Event) -> None:
        self._redriven.labels(self._workflows.of(event.workflow)).inc()

    def _task_ended(self, event: Event) -> None:
        resource = self._resources.of(event.resource or "")
        self._task_seconds.labels(resource, status_of(event)).observe(event.seconds or 0.0)

    def _task_retried(self, event: Event) -> None:
        self._retried.labels(self._resources.of(event.resource or "")).inc()


def _counter(name: str, about: str, *labels: str) -> Counter:
    return Counter(name, about, labels, registry=None)


def _histogram(name: str, about: str, *labels: str) -> Histogram:
    return Histogram(name, about, labels, registry=None, buckets=_SECONDS)


def status_of(event: Event) -> str:
    """How something ended, in the words of AWS."""
    if event.timed_out:
        return "timed_out"
    return {"Succeeded": "succeeded", "Failed": "failed"}.get(event.status or "", "aborted")


class _Field(NamedTuple):
    """A metric that is a field of stats."""

    name: str
    about: str
    field: str


_COUNTERS = (
    _Field("stepwell_transitions", "States that were entered", "transitions"),
    _Field("stepwell_tasks_scheduled", "Tasks that were made", "tasks_scheduled"),
    _Field("stepwell_log_batches", "Batches that were written to the log", "batches"),
    _Field("stepwell_log_records", "Records that were written to the log", "records"),
    _Field("stepwell_log_written_bytes", "Bytes that were written to the log", "log_bytes"),
    _Field("stepwell_events_dropped", "Events that metrics and other listeners have missed", "events_dropped"),
)
_GAUGES = (
    _Field("stepwell_executions_open", "Executions that have not ended", "open_executions"),
    _Field("stepwell_executions_in_memory", "Executions in memory", "executions_in_memory"),
    _Field("stepwell_tasks_in_flight", "Tasks that are with handlers, or on their way", "tasks_in_flight"),
    _Field("stepwell_tasks_unhandled", "Tasks that wait for a handler to be registered", "tasks_unhandled"),
    _Field("stepwell_handlers_running", "Handlers that run", "handlers_running"),
    _Field("stepwell_handlers_overdue", "Handlers that run after their tasks have ended", "handlers_overdue"),
)


class _OfHost(Collector):
    """What an open folder says when it is asked."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._last: Stats | None = None
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        """All metrics of now. An engine that does not work has only ``stepwell_up``, which is 0."""
        try:
            with self._lock:
                self._host.check()
                metrics = [*_of_stats(self._host.stats()), *self._of_partitions()]
                cluster = self._host.cluster_state()
                if cluster is not None:
                    metrics += _of_node(cluster)
        except StepwellError as error:
            log.warning("the metrics cannot be read: %s", error)
            metrics = []
        yield GaugeMetricFamily("stepwell_up", "Whether the engine works", 1.0 if metrics else 0.0)
        yield from metrics

    def _of_partitions(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily("stepwell_inbox", "Commands that wait to be processed", labels=["partition"])
        lag = GaugeMetricFamily(
            "stepwell_follower_lag_records",
            "Records that a follower has not reported to have",
            labels=["partition", "follower"],
        )
        measured = self._host.measure()
        folder = self._host.folder
        files = files_of(folder.path) if folder is not None else []
        for each in measured:
            depth.add_metric([str(each.index)], each.requests)
            for mark in files[each.index].marks if each.index < len(files) else ():
                lag.add_metric([str(each.index), mark.follower], max(0, each.last - mark.position))
        yield from (depth, lag, *_sizes(files))


def _of_stats(stats: Stats) -> Iterator[Metric]:
    for each in _COUNTERS:
        yield CounterMetricFamily(each.name, each.about, getattr(stats, each.field))
    for each in _GAUGES:
        yield GaugeMetricFamily(each.name, each.about, getattr(stats, each.field))
    yield SummaryMetricFamily(
        "stepwell_log_sync_seconds", "Syncs of the log", stats.syncs, stats.sync_micros / 1_000_000
    )


def _sizes(files: list[PartitionFiles]) -> Iterator[Metric]:
    log_bytes = GaugeMetricFamily("stepwell_log_bytes", "What the log takes of the disk", labels=["partition"])
    storage_bytes = GaugeMetricFamily("stepwell_storage_bytes", "What storage takes", labels=["partition"])
    for index, each in enumerate(files):
        log_bytes.add_metric([str(index)], each.log_bytes)
        storage_bytes.add_metric([str(index)], each.storage_bytes)
    yield from (log_bytes, storage_bytes)


_NODE_GAUGES = (
    _Field("stepwell_node_leads", "Whether this node leads the partition", "leads"),
    _Field("stepwell_node_copy_stopped", "Whether this node's copy has stopped", "has_stopped"),
    _Field("stepwell_node_epoch", "The epoch that the copy has reached", "epoch"),
    _Field("stepwell_node_position", "Up to which position the copy goes", "position"),
    _Field("stepwell_node_lag_messages", "Messages of the stream that the copy lacks", "lag"),
    _Field("stepwell_node_publish_waiting_seconds", "How long a message has had no answer", "waiting"),
)
_NODE_COUNTERS = (
    _Field("stepwell_node_promotions", "How often this node became the leader", "promotions"),
    _Field("stepwell_node_handovers", "How often it handed the partition over in order", "handovers"),
    _Field("stepwell_node_fenced", "How often another node took over while it led", "fenced"),
)


def _of_node(cluster: ClusterState) -> Iterator[Metric]:
    """What a node knows of its cluster and of its copies."""
    alive = sum(each.alive for each in cluster.nodes)
    yield GaugeMetricFamily("stepwell_cluster_nodes_alive", "The nodes that this one hears of, and itself", alive)
    for kind, fields in ((GaugeMetricFamily, _NODE_GAUGES), (CounterMetricFamily, _NODE_COUNTERS)):
        for each in fields:
            metric = kind(each.name, each.about, labels=["partition"])
            for copy in cluster.copies:
                metric.add_metric([str(copy.partition)], float(getattr(copy, each.field)))
            yield metric
    yield SummaryMetricFamily(
        "stepwell_node_publish_seconds",
        "Messages that this node has published as a leader, until the quorum had them",
        sum(copy.publishes for copy in cluster.copies),
        sum(copy.publish_micros for copy in cluster.copies) / 1_000_000,
    )


class _OfFollower(Collector):
    """How far a follower is behind."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def collect(self) -> Iterator[Metric]:
        """The lag of now. A follower that has failed has only ``stepwell_follower_up``, which is 0."""
        try:
            (records, seconds), is_alive = self._follower.lag(), self._follower.leader_alive
        except StepwellError as error:
            log.warning("the follower's metrics cannot be read: %s", error)
            yield GaugeMetricFamily("stepwell_follower_up", "Whether the follower follows", 0.0)
            return
        yield GaugeMetricFamily("stepwell_follower_up", "Whether the follower follows", 1.0)
        yield GaugeMetricFamily("stepwell_follower_behind_records", "Records of the leader that are not here", records)
        yield GaugeMetricFamily("stepwell_follower_behind_seconds", "How long it has had not all", seconds)
        yield GaugeMetricFamily(
            "stepwell_follower_leader_alive", "Whether the leader's folder is open", float(is_alive)
        )
