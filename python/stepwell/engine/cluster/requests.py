"""Requests to a partition that have no reply yet, whoever leads it: each is asked again until somebody answers."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from msgspec.structs import replace

from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.processes.pending_requests import check_room
from stepwell.engine.host.processes.wire import encoded
from stepwell.engine.host.promises import Promise
from stepwell.engine.limits import Limits
from stepwell.errors import StorageError

from .messages import Request

GIVE_UP_SECONDS = 30.0
"""How long a request waits for a leader that answers it."""
AGAIN_SECONDS = 2.0
"""A request that a leader elsewhere has not answered for so long is sent once more: it, or its reply, may be lost."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
"""The seconds before a request is sent once more that came to a node which does not lead, or to nobody."""


@dataclass(eq=False)
class Pending:
    """A request without a reply."""

    message: Request
    size: int
    promise: Promise
    asked: float
    """When the program asked (``time.monotonic``)."""
    due: float = math.inf
    """When it is to be sent once more (``time.monotonic``); never, before it was sent."""
    pause: float = SHORTEST_PAUSE
    is_repeated: bool = False
    """Whether a leader may have done it already."""
    is_unconfirmed: bool = False
    """Whether this node refused it, and is not sure that it led."""

    def take(self, now: float) -> Request:
        """The message to send, at ``now``."""
        message = self.message
        if isinstance(message, m.Submit) and self.is_repeated:
            message = replace(message, again=True)
        self.due, self.is_repeated, self.is_unconfirmed = now + AGAIN_SECONDS, True, False
        return message

    def came_to_nobody(self, now: float, *, is_unconfirmed: bool = False) -> None:
        """It is due soon, and later each time: who should lead may have just begun to, or be dead."""
        self.is_unconfirmed = is_unconfirmed
        self.due = min(self.due, now + self.pause)
        self.pause = min(2 * self.pause, LONGEST_PAUSE)

    def is_asked_again(self, now: float) -> None:
        """It is due later, whether or not it could be sent."""
        self.due = now + AGAIN_SECONDS

    def leader_changed(self) -> None:
        """It goes to another node now."""
        self.pause = SHORTEST_PAUSE


class Requests:
    """The requests of one partition, by their numbers. Any thread may call it."""

    def __init__(self, index: int, limits: Limits) -> None:
        self._index, self._limits = index, limits
        self._numbers = count(1)
        self._pending: dict[int, Pending] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._pending)

    def add(self, make: Callable[[int], Request], promise: Promise) -> Pending:
        """A new request. Raises ``Busy`` if the limits are reached; one request is always accepted."""
        message = make(next(self._numbers))
        pending = Pending(message, len(encoded(message)), promise, time.monotonic())
        with self._lock:
            check_room(self._index, self._limits, len(self._pending), self._bytes, pending.size)
            self._pending[message.number] = pending
            self._bytes += pending.size
        return pending

    def settle(self, number: int) -> Pending | None:
        """Remove and return a request that has its reply."""
        with self._lock:
            pending = self._pending.pop(number, None)
            if pending is not None:
                self._bytes -= pending.size
            return pending

    def all(self) -> list[Pending]:
        """All of them."""
        with self._lock:
            return list(self._pending.values())

    def unanswered(self, number: int, *, is_unconfirmed: bool = False) -> None:
        """Who got a request does not lead: it is due again soon. ``is_unconfirmed``: it is this node, and may lead."""
        pending = self._pending.get(number)
        if pending is not None:
            pending.came_to_nobody(time.monotonic(), is_unconfirmed=is_unconfirmed)

    def unheard(self) -> None:
        """What was sent came to nobody: it is due again soon."""
        now = time.monotonic()
        for pending in self.all():
            pending.came_to_nobody(now, is_unconfirmed=pending.is_unconfirmed)

    def take_due(self, now: float) -> list[Pending]:
        """Those that are to be sent once more now."""
        found = [pending for pending in self.all() if pending.due <= now]
        for pending in found:
            pending.is_asked_again(now)
        return found

    def next_due(self) -> float | None:
        """When the next one is to be sent once more; None: there are none."""
        return min([pending.due for pending in self.all()], default=None)

    def leader_changed(self) -> None:
        """They go to another node now."""
        for pending in self.all():
            pending.leader_changed()

    def give_up(self, now: float) -> None:
        """Refuse those that have waited too long."""
        for pending in self.all():
            if now - pending.asked > GIVE_UP_SECONDS and self.settle(pending.message.number) is not None:
                done = "; what was asked may have been done" if pending.is_repeated else ""
                text = f"no leader of partition {self._index} has answered for {GIVE_UP_SECONDS:.0f} s{done}"
                pending.promise.reply(None, StorageError(text))
