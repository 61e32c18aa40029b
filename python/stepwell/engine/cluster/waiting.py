"""Tasks that no node has: those that wait for room at one, and those of an earlier leader, which somebody may have.

Not for several threads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

from stepwell.tasks.dispatch import Call

from .offers import Given, wanted_by
from .sharers import Sharer, choose


class Waiting:
    """The tasks of the partitions that this node leads."""

    def __init__(self) -> None:
        self._by_wanted: dict[tuple[str, ...], OrderedDict[str, Call]] = {}
        """By the handlers that they want, the oldest first."""
        self._resumed: dict[str, tuple[float, Call]] = {}
        """Tasks of an earlier leader, and until when it is waited for somebody who has them."""
        self._turns = 0

    def add(self, wanted: tuple[str, ...], call: Call) -> None:
        """A task waits for room."""
        self._by_wanted.setdefault(wanted, OrderedDict())[call.id] = call

    def resume(self, calls: list[Call], until: float) -> None:
        """Somebody may have these tasks, and is given time to say so."""
        self._resumed |= {call.id: (until, call) for call in calls}

    def unclaimed(self, now: float) -> list[Call]:
        """Remove and return the resumed tasks that nobody has."""
        found = [call for until, call in self._resumed.values() if until <= now]
        for call in found:
            del self._resumed[call.id]
        return found

    def claim(self, sharer: Sharer) -> list[str]:
        """Let a node keep what an earlier leader gave to it; returns what else it has that it was not given here."""
        strange: list[str] = []
        for id, handler in sharer.holds.items():
            resumed = self._resumed.pop(id, None)
            if resumed is not None:
                sharer.give(Given(handler, resumed[1]))
            elif id not in sharer.given:
                strange.append(id)
        return strange

    def give(self, sharers: dict[str, Sharer]) -> dict[str, list[Given]]:
        """Give tasks to nodes that have room, as long as any has; returns what each gets."""
        given: dict[str, list[Given]] = {}
        for wanted, calls in list(self._by_wanted.items()):
            while calls and (chosen := choose(sharers.values(), wanted)) is not None:
                sharer, handler = chosen
                task = Given(handler, calls.popitem(last=False)[1])
                self._turns += 1
                sharer.give_in_turn(task, self._turns)
                given.setdefault(sharer.boot, []).append(task)
            if not calls:
                del self._by_wanted[wanted]
        return given

    def take(self, id: str) -> Call | None:
        """Remove and return a task, if it waits."""
        resumed = self._resumed.pop(id, None)
        if resumed is not None:
            return resumed[1]
        return next((call for calls in self._by_wanted.values() if (call := calls.pop(id, None)) is not None), None)

    def forget(self, which: Callable[[str], bool]) -> None:
        """Remove tasks."""
        for id in [id for id in self if which(id)]:
            self.take(id)

    def __iter__(self) -> Iterator[str]:
        """Their ids."""
        yield from [*self._resumed, *(id for calls in self._by_wanted.values() for id in calls)]


def wanted(call: Call) -> tuple[str, ...]:
    """The handlers that a task wants; one whose input cannot be read has none, and its leader says so."""
    try:
        return wanted_by(call)
    except Exception:  # noqa: BLE001 - the pool refuses it, and names the error
        return (call.resource,)
