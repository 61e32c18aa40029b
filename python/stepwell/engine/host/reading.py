"""How something is read that is shown to somebody: at the leaders of its partitions, or from this node's copies.

Only a node of a cluster has both. What is read to decide something, and not to be shown, is always read at the leader.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Literal, TypeVar

Consistency = Literal["leader", "local"]
CONSISTENCIES: tuple[Consistency, ...] = ("leader", "local")

Row = TypeVar("Row")


class Reading:
    """What is read in a block: from where, and how old it is at most.

    ``age`` is in seconds: 0.0 where leaders answered, infinite where a copy has not caught up since it was opened.
    """

    __slots__ = ("_waits_until", "age", "consistency")

    def __init__(self, consistency: Consistency) -> None:
        self.consistency: Consistency = consistency
        self.age = 0.0
        self._waits_until: float | None = None

    def answered(self, age: float) -> None:
        """A copy answered that is so old at most."""
        self.age = max(self.age, age)

    def may_wait(self, now: float, seconds: float) -> bool:
        """Whether the block may wait for copies: for so long in all, from when it had to wait first."""
        if self._waits_until is None:
            self._waits_until = now + seconds
        return now < self._waits_until

    def __repr__(self) -> str:
        return f"<Reading {self.consistency}, {self.age:.3f} s old at most>"


_current: ContextVar[Reading | None] = ContextVar("stepwell_reading", default=None)


def current() -> Reading | None:
    """The block that reads now, of this thread or coroutine; None: something is read to decide about it."""
    return _current.get()


def reads_copies() -> bool:
    """Whether copies answer what is read now."""
    reading = _current.get()
    return reading is not None and reading.consistency == "local"


@contextmanager
def reading(consistency: Consistency) -> Generator[Reading]:
    """Read in this way meanwhile."""
    found = Reading(consistency)
    token = _current.set(found)
    try:
        yield found
    finally:
        _current.reset(token)


@contextmanager
def joined(consistency: Consistency) -> Generator[Reading]:
    """The same, unless a block around it says how."""
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    with reading(consistency) as found:
        yield found


NOT_SHOWN: AbstractContextManager[None] = nullcontext()
"""The block of a host that has nothing to choose from."""


def each_shown(rows: Iterator[Row], shown: Callable[[], AbstractContextManager[object]]) -> Iterator[Row]:
    """Rows that are read as the iteration goes on, each in a block: never while the caller has the row."""
    while True:
        with shown():
            try:
                row = next(rows)
            except StopIteration:
                return
        yield row
