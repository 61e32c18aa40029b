"""What partitions need of the node that they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

from stepwell import _core
from stepwell.engine.host.host import Options
from stepwell.engine.host.listeners import Listeners
from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.promises import Callback
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.storage.contexts import ExecutionContext
from stepwell.engine.wall_clock import Clock
from stepwell.tasks.dispatch import HandlerPool
from stepwell.tasks.handlers import Handlers

from .link import Link
from .options import Cluster
from .spreading import Spreading


class Leader(NamedTuple):
    """A node that leads: its name, and the boot of its process."""

    node: str
    boot: str


class Node(Protocol):
    """A node, as its partitions see it."""

    cluster: Cluster
    link: Link
    boot: str
    clock: Clock
    reads: ThreadPoolExecutor
    pool: HandlerPool
    listeners: Listeners
    handlers: Handlers
    given: Options
    limits: Limits

    @property
    def nats(self) -> _core.Nats:
        """The connection of the copies."""
        ...

    @property
    def hlc(self) -> _core.Clock:
        """The clock that ids come from."""
        ...

    def is_confirmed(self, index: int) -> bool:
        """Whether the node still leads a partition, as far as it knows without asking."""
        ...

    def confirm(self, index: int) -> None:
        """Raise ``NotConfirmed`` unless the node still leads a partition."""
        ...

    def deploy_here(self, command: r.PutWorkflowCommand | r.DeleteWorkflowCommand, deliver: Callback) -> None:
        """Carry out a command for the definitions of all partitions."""
        ...

    def ended(self, id: str, row: ExecutionContext | None, error: Exception | None) -> None:
        """A watched execution has ended, or does not exist."""
        ...

    def tell_queued(self, queue: str) -> None:
        """A task waits for a worker that polls, at whichever node."""
        ...

    @property
    def spreading(self) -> Spreading | None:
        """What gives tasks to all nodes, if it does."""
        ...

    def windows(self) -> list[tuple[str, int]]:
        """The handlers that do tasks, and how many tasks of each may be handed out before they begin."""
        ...

    def abandoned(self, task: m.Abandoned) -> None:
        """A task was abandoned, and what it waits for may be in another partition."""
        ...

    def watched(self, index: int) -> Iterable[str]:
        """The executions of a partition that callers wait for."""
        ...

    def poke(self) -> None:
        """Look at once who leads what, and ask again what has no reply."""
        ...

    def has_other(self, index: int) -> bool:
        """Whether another node could lead a partition."""
        ...

    def leads(self, index: int, epoch: int) -> None:
        """The node leads a partition now."""
        ...

    def led(self, index: int, to: str) -> None:
        """The node has ended to lead a partition, so that ``to`` (empty: anyone) may."""
        ...
