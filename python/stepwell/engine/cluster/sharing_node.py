"""What the sharing of tasks needs of the node that shares them."""

from __future__ import annotations

from typing import Protocol

from stepwell import _core
from stepwell.engine.host.processes import messages as m
from stepwell.engine.wall_clock import Clock
from stepwell.tasks.dispatch import Call, HandlerPool
from stepwell.tasks.handlers import Handlers

from .link import Link
from .options import Cluster


class SharingNode(Protocol):
    """A node, as the sharing of its tasks sees it."""

    cluster: Cluster
    link: Link
    boot: str
    clock: Clock
    handlers: Handlers
    pool: HandlerPool

    @property
    def hlc(self) -> _core.Clock:
        """The clock that ids come from."""
        ...

    def send_results(self, results: list[m.TaskResult]) -> None:
        """Send results of handlers to the leaders of their partitions."""
        ...

    def waits_for_handler(self, task_id: str) -> bool | None:
        """Whether a task still waits for its handler; None: this node does not lead its partition."""
        ...

    def place_of(self, task_id: str) -> int:
        """The partition of a task."""
        ...

    def free(self, call: Call) -> None:
        """A task is not counted for its limit any longer."""
        ...

    def limits_changed(self) -> None:
        """The handlers of all nodes, or their limits, have changed."""
        ...
