"""What was asked of a partition's process and has no answer yet: asked again of the next one, if it dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple

from msgspec.structs import replace

from stepwell.engine.host.promises import Promise
from stepwell.engine.limits import Limits
from stepwell.errors import Busy

from . import messages as m
from .wire import encoded

TRIES = 3
"""How many processes a request may be sent to; it may be what they die of."""
SMALL_BYTES = 4096
"""So much of a request is bounded by their number."""


class Pending(NamedTuple):
    """A request without an answer."""

    message: m.Submit | m.Read
    size: int
    promise: Promise
    tries: int


class PendingRequests:
    """The requests of one partition, by their numbers. Whoever calls it holds the partition's lock, but for ``new``."""

    def __init__(self, index: int, limits: Limits) -> None:
        self._index, self._limits = index, limits
        self._numbers = count(1)
        self._pending: dict[int, Pending] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """How many there are."""
        return len(self._pending)

    def new(self, make: Callable[[int], m.Submit | m.Read], promise: Promise) -> tuple[Pending, bytes]:
        """A request with a number of its own, and as it is sent."""
        message = make(next(self._numbers))
        piece = encoded(message)
        return Pending(message, len(piece), promise, 1), piece

    def add(self, pending: Pending) -> None:
        """Keep a request. Raises ``Busy`` where as much is asked already as may be; one request always has room."""
        where = f"in partition {self._index}; try again later"
        if len(self._pending) >= self._limits.inbox:
            raise Busy(f"{len(self._pending)} requests wait {where}")
        most = self._limits.inbox_bytes + SMALL_BYTES * len(self._pending)
        if self._pending and self._bytes + pending.size > most:
            raise Busy(f"requests of {self._bytes} bytes wait {where}")
        self._pending[pending.message.number] = pending
        self._bytes += pending.size

    def settle(self, number: int) -> Pending | None:
        """Take out what has its answer."""
        pending = self._pending.pop(number, None)
        if pending is not None:
            self._bytes -= pending.size
        return pending

    def settle_all(self) -> list[Pending]:
        """Take out all."""
        pending = list(self._pending.values())
        self._pending.clear()
        self._bytes = 0
        return pending

    def settle_tired(self) -> list[Pending]:
        """Take out those that too many processes have died with."""
        return [self.settle(each.message.number) or each for each in self._all() if each.tries > TRIES]

    def again(self, *, was_sent: bool) -> Iterator[m.Submit | m.Read]:
        """All requests for another process; ``was_sent``: one that died may have done what a command asks."""
        for pending in self._all():
            message = pending.message
            if isinstance(message, m.Submit):
                message = replace(message, again=was_sent)
            self._pending[message.number] = pending._replace(message=message, tries=pending.tries + 1)
            yield message

    def _all(self) -> list[Pending]:
        return list(self._pending.values())
