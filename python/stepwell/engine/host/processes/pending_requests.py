"""Requests to a partition's process that have no reply yet. If it dies, they are sent to the next one."""

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
"""How many processes a request may be sent to. It may be the reason why they die."""
_SMALL_BYTES = 4096
"""So many bytes of each request are not counted: the number of requests limits them."""


def check_room(index: int, limits: Limits, waiting: int, waiting_bytes: int, size: int) -> None:
    """Raise ``Busy`` unless a partition may have one more request, of ``size`` bytes; one is always accepted."""
    where = f"in partition {index}; try again later"
    if waiting >= limits.inbox:
        raise Busy(f"{waiting} requests wait {where}")
    if waiting and waiting_bytes + size > limits.inbox_bytes + _SMALL_BYTES * waiting:
        raise Busy(f"requests of {waiting_bytes} bytes wait {where}")


class Pending(NamedTuple):
    """A request without a reply."""

    message: m.Submit | m.Read
    size: int
    promise: Promise
    tries: int


class PendingRequests:
    """The requests of one partition, by their numbers. Callers hold the partition's lock, except for ``new``."""

    def __init__(self, index: int, limits: Limits) -> None:
        self._index, self._limits = index, limits
        self._numbers = count(1)
        self._pending: dict[int, Pending] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """How many there are."""
        return len(self._pending)

    def new(self, make: Callable[[int], m.Submit | m.Read], promise: Promise) -> tuple[Pending, bytes]:
        """A new request with its own number, and its encoded form."""
        message = make(next(self._numbers))
        piece = encoded(message)
        return Pending(message, len(piece), promise, 1), piece

    def add(self, pending: Pending) -> None:
        """Keep a request. Raises ``Busy`` if the limits are reached; one request is always accepted."""
        check_room(self._index, self._limits, len(self._pending), self._bytes, pending.size)
        self._pending[pending.message.number] = pending
        self._bytes += pending.size

    def settle(self, number: int) -> Pending | None:
        """Remove and return a request that has its reply."""
        pending = self._pending.pop(number, None)
        if pending is not None:
            self._bytes -= pending.size
        return pending

    def settle_all(self) -> list[Pending]:
        """Remove and return all."""
        pending = list(self._pending.values())
        self._pending.clear()
        self._bytes = 0
        return pending

    def settle_repeated(self) -> list[Pending]:
        """Remove and return those that were sent to too many processes."""
        return [self.settle(each.message.number) or each for each in self._all() if each.tries > TRIES]

    def again(self, *, was_sent: bool) -> Iterator[m.Submit | m.Read]:
        """All requests, for the next process. ``was_sent``: a process that died may have done what a command asks."""
        for pending in self._all():
            message = pending.message
            if isinstance(message, m.Submit):
                message = replace(message, again=was_sent)
            self._pending[message.number] = pending._replace(message=message, tries=pending.tries + 1)
            yield message

    def _all(self) -> list[Pending]:
        return list(self._pending.values())
