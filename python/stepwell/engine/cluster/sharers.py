"""The nodes that take tasks of the partitions that this node leads, and which of them takes the next one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable

from .offers import Given, Offer, OfferedHandlers

LOST_SECONDS = 1.0
"""After so long a message that has not arrived is lost."""


class Sharer:
    """A node, as its last offer says. Not for several threads."""

    def __init__(self, boot: str) -> None:
        self.boot, self.node = boot, ""
        self.heard = 0.0
        """When it was heard of last (``time.monotonic``)."""
        self.handlers = OfferedHandlers([])
        self.given: dict[str, Given] = {}
        """The tasks that this node has given to it, or an earlier leader."""
        self.turn = 0
        """When it was given a task last, among all."""
        self._ours: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._missed: dict[str, float] = {}
        """Since when its offers lack tasks that it was given: these, or their results, may be on their way."""
        self.holds: dict[str, str] = {}
        """The tasks that it said it has, with their handlers."""

    def trust(self, now: float) -> None:
        """It could not be heard meanwhile: its silence counts from now on."""
        self.heard = now

    def take_offer(self, offer: Offer) -> None:
        """It has told what it may be given, and what it has."""
        self.node, self.heard = offer.node, time.monotonic()
        if list(self.handlers.most.items()) != offer.handlers:
            self.handlers = OfferedHandlers(offer.handlers)
        self.holds = {id: handler for handler, ids in offer.holds.items() for id in ids}
        self._count_others()

    def _count_others(self) -> None:
        self._others = Counter(handler for id, handler in self.holds.items() if id not in self.given)

    @property
    def load(self) -> int:
        """How many tasks it has."""
        return len(self.given) + self._others.total()

    def has_room(self, handler: str) -> bool:
        """Whether it may be given one more task for one of its handlers."""
        most = self.handlers.most.get(handler)
        return most is not None and (most == 0 or self._ours[handler] + self._others[handler] < most)

    def give_in_turn(self, task: Given, turn: int) -> None:
        """It gets a task, the ``turn``-th of all."""
        self.turn = turn
        self.give(task)

    def give(self, task: Given) -> None:
        """It has a task."""
        self.given[task.call.id] = task
        self._ours[task.handler] += 1
        if task.call.id in self.holds:
            self._count_others()

    def take(self, id: str) -> Given | None:
        """It has a task no longer, if it had it."""
        found = self.given.pop(id, None)
        if found is None:
            return None
        self._ours[found.handler] -= 1
        self.holds.pop(id, None)
        return found

    def lost(self) -> list[str]:
        """The tasks that its offers have lacked for a while: these, or their results, were lost on the way."""
        now = time.monotonic()
        self._missed = {id: self._missed.get(id, now) for id in self.given if id not in self.holds}
        found = [id for id, since in self._missed.items() if now - since >= LOST_SECONDS]
        for id in found:
            del self._missed[id]
        return found


def choose(sharers: Iterable[Sharer], wanted: tuple[str, ...]) -> tuple[Sharer, str] | None:
    """Who takes the next task that wants one of these handlers, and with which one: the one with the fewest tasks."""
    able = [
        (each, name) for each in sharers if (name := each.handlers.find(wanted)) is not None and each.has_room(name)
    ]
    return min(able, key=lambda found: (found[0].load, found[0].turn), default=None)


def holder_of(sharers: Iterable[Sharer], id: str) -> Sharer | None:
    """Who was given a task."""
    return next((each for each in sharers if id in each.given), None)


def can_do(sharers: Iterable[Sharer], wanted: tuple[str, ...]) -> bool:
    """Whether anybody has a handler for tasks that want one of these."""
    return any(each.handlers.find(wanted) is not None for each in sharers)
