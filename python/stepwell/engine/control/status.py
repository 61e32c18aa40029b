"""The state of a process that has a folder open, as it says itself: measured when somebody asks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct

from stepwell.engine.host.cluster_state import ClusterState
from stepwell.engine.host.measures import PartitionMeasures
from stepwell.errors import StepwellError
from stepwell.version import VERSION

if TYPE_CHECKING:
    from stepwell.engine.host.host import Host


class Following(Struct):
    """How far a follower is: see ``Follower.lag``."""

    source: str
    records: int
    seconds: float
    leader_alive: bool
    last_heard: float | None


class Live(Struct):
    """Who has the folder open, since when (seconds since the epoch), and what it is at.

    ``health`` is ``ok``, or why it does not work. ``requests`` wait in inboxes, ``tasks`` are handed out. ``handlers``
    of them run, ``overdue`` of these longer than their tasks, and ``unhandled`` tasks wait for a handler. Of a follower
    ``follows`` says how far it is, of a cluster's node ``cluster`` what it sees of the cluster.
    """

    role: str
    pid: int
    since: float
    version: str
    health: str
    tenant: str
    namespace: str
    profile: str
    partitions: list[PartitionMeasures]
    requests: int = 0
    tasks: int = 0
    handlers: int = 0
    overdue: int = 0
    unhandled: int = 0
    follows: Following | None = None
    cluster: ClusterState | None = None


def of_host(host: Host, since: float) -> Live:
    """The state of an executor."""
    partitions = _measured(host)
    return Live(
        "executor",
        os.getpid(),
        since,
        VERSION,
        _health(host, partitions),
        host.tenant,
        host.namespace,
        host.limits.profile,
        partitions,
        sum(each.requests for each in partitions),
        sum(each.tasks for each in partitions),
        host.pool.running,
        host.pool.overdue,
        host.pool.unhandled,
        cluster=host.cluster_state(),
    )


def of_follower(following: Following, since: float, health: str, stats: dict[str, int]) -> Live:
    """The state of a follower, which has one partition."""
    pid = os.getpid()
    measures = PartitionMeasures(0, pid, stats["log_start"], stats["log_tail"], stats["applied"], stats["flushed"])
    return Live("follower", pid, since, VERSION, health, "", "", "", [measures], follows=following)


def _measured(host: Host) -> list[PartitionMeasures]:
    try:
        return host.measure()
    except StepwellError as error:
        return [PartitionMeasures(0, os.getpid(), problem=str(error))]


def _health(host: Host, partitions: list[PartitionMeasures]) -> str:
    try:
        host.check()
    except StepwellError as error:
        return str(error)
    broken = [f"partition {each.index}: {each.problem}" for each in partitions if each.problem]
    return "; ".join(broken) or "ok"
