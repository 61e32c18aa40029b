"""The numbers of a partition: timestamps of its clock, and ids of tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stepwell import _core
from stepwell.engine.ids import NUMBERS, later_task

ANY_DRIFT = 0xFFFF_FFFF
"""The clock accepts any distance between its last timestamp and the machine's time, in seconds.

A machine's clock that was a year ahead may be set right: the engine must continue. The counter keeps the order."""
_OWN_PART = len("/e0123456/0123456789abcdef")
"""The part of an execution's id after tenant and namespace."""
_DIGITS = 16
"""The timestamp at the end of an execution's id."""
_MICROSECONDS = 1_000_000


class Numbering:
    """Gives numbers to tasks, and ids and timestamps to executions, of one partition.

    ``share`` is (remainder, count of partitions): the partition uses the task numbers with that remainder.
    """

    def __init__(self, share: tuple[int, int], clock_high_water: int, is_open: Callable[[str], bool]) -> None:
        self._share, self._step = share
        self._is_open = is_open
        self.last_task = self._share
        """The number of the last task; before the first one, the remainder."""
        self._prefixes: dict[tuple[str, str], str] = {}
        self.hlc = _core.Clock(clock_high_water, ANY_DRIFT)
        """The hybrid logical clock."""

    def begin(self, clock_high_water: int, last_task: int, given: Iterable[int]) -> None:
        """Begin with what the replay found. ``given`` are the numbers of tasks that do not exist yet."""
        self.hlc = _core.Clock(clock_high_water, ANY_DRIFT)
        self.last_task = last_task or self._share
        for number in given:
            self.last_task = later_task(self.last_task, number)

    def tick(self, now: int) -> int:
        """The next timestamp."""
        return self.hlc.tick(now // _MICROSECONDS)

    def reserve(self, now: int, count: int, execution_id: str) -> int:
        """The first of ``count`` timestamps that are used for nothing else, all later than that of an execution's id.

        That id comes from the clock of a program or of another node, which may be ahead.
        """
        seconds, begun = now // _MICROSECONDS, int(execution_id[-_DIGITS:], 16)
        if begun > self.hlc.last:
            self.hlc.update(begun, seconds)
        return self.hlc.reserve(seconds, max(1, count))

    def task_id(self, execution_id: str, task_type: str) -> str:
        """The next task's id, in the tenant and namespace of its execution."""
        key = (execution_id[:-_OWN_PART], task_type)
        prefix = self._prefixes.get(key)
        if prefix is None:
            _, tenant, namespace, _ = execution_id.split("/", 3)
            prefix = self._prefixes[key] = _core.task_id(tenant, namespace, task_type, 0)[:-8]
        while True:
            number = self.last_task + self._step
            if number & NUMBERS < self._step:  # they have wrapped around: each share begins again
                number = (number & ~NUMBERS) | self._share
            self.last_task = number
            id = f"{prefix}{number & NUMBERS:08x}"
            if number <= NUMBERS or not self._is_open(id):
                return id
