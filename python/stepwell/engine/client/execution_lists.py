"""Lists of executions, the newest first, read a page at a time.

Storage has a list for each workflow and status, and one for each map run and status, in the order of their starts.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from stepwell.engine.ids import CHILD_LISTS, published_part
from stepwell.engine.status import (
    CANCELED,
    CANCELING,
    COMPLETING,
    DELETING,
    FAILED,
    PENDING,
    RUNNING,
    SUCCEEDED,
)
from stepwell.engine.storage.contexts import VisibilityContext
from stepwell.engine.storage.storage import Storage

from .statuses import StatusFilter

PAGE = 256
_LIFE = (PENDING, RUNNING, COMPLETING, CANCELING, SUCCEEDED, FAILED, CANCELED, DELETING)
"""What an execution was comes before what it becomes."""
_LAST = "\U0010ffff"
"""Behind all statuses, and behind all ids."""
Position: TypeAlias = tuple[int, str]
"""The place of a row in lists: see ``position``."""


class Filter(NamedTuple):
    """Which executions of a list are wanted. Times are in microseconds: from ``after`` on, and before ``before``."""

    statuses: StatusFilter
    name_prefix: str = ""
    after: int = 0
    before: int | None = None
    version: int | None = None
    qualifier: str = ""
    """The published version or alias that started them."""
    behind: Position | None = None
    """Where the list goes on: what ``position`` says of the last row that was given."""

    def has(self, row: VisibilityContext, is_pending: Callable[[VisibilityContext], bool]) -> bool:
        """Whether a row is wanted; ``is_pending`` says whether the execution of one is still to be redriven."""
        if not row.name.startswith(self.name_prefix) or self.version not in (None, row.version):
            return False
        if self.qualifier and self.qualifier not in published_part(row.qualifier).split(":"):
            return False
        pending = self.statuses.needs_redrives(row) and is_pending(row)
        return self.statuses.has(row, pending_redrive=pending)


def rows(
    storage: Storage,
    names: Sequence[str],
    wanted: Filter,
    is_pending: Callable[[VisibilityContext], bool],
    limit: int | None = None,
) -> Iterator[VisibilityContext]:
    """The executions in the lists of these names, ``limit`` of them at most, each once.

    One that goes on while they are read is there as it was before, or after.
    """
    page = PAGE if limit is None else min(PAGE, limit)
    lists = [_List(storage, name, wanted, page).rows() for name in names]
    found = (row for row in heapq.merge(*lists, key=position) if wanted.has(row, is_pending))
    return islice(found, limit)


def workflow_lists(storage: Storage) -> list[str]:
    """The workflows that have executions: one row is read of each."""
    names: list[str] = []
    after: tuple[Any, ...] | None = None
    while found := storage.scan(VisibilityContext, after=after, limit=1):
        name = found[0].workflow
        if name.startswith(CHILD_LISTS):  # these come behind all workflows
            break
        names.append(name)
        after = (name, _LAST, 0, _LAST)
    return names


class _Group:
    """The executions of a list in one status: what was read of them, and not given yet."""

    def __init__(self, status: str) -> None:
        self.status = status
        self.rows: deque[VisibilityContext] = deque()
        self.is_read = False

    def extend(self, rows: Sequence[VisibilityContext], *, are_last: bool) -> None:
        """Take in what was read; ``are_last``: there is nothing behind it."""
        self.rows.extend(rows)
        self.is_read = are_last

    def forget(self) -> None:
        """What was read is to be read again."""
        self.rows.clear()
        self.is_read = False


class _List:
    """The executions of one list, of all statuses that are wanted."""

    def __init__(self, storage: Storage, name: str, wanted: Filter, page: int) -> None:
        self._storage, self._name, self._page, self._wanted = storage, name, page, wanted
        self._groups = [_Group(status) for status in _LIFE if status in wanted.statuses.lists]
        begin = None if wanted.before is None else (-wanted.before, _LAST)
        self._given = max((each for each in (begin, wanted.behind) if each is not None), default=None)

    def rows(self) -> Iterator[VisibilityContext]:
        while True:
            self._fill()
            groups = [group for group in self._groups if group.rows]
            if not groups:
                return
            row = min(groups, key=lambda group: position(group.rows[0])).rows.popleft()
            if row.started_at < self._wanted.after:
                return
            if position(row) != self._given:  # else it went on, and stands in the list of what it has become, too
                self._given = position(row)
                yield row

    def _fill(self) -> None:
        """Read on in the groups that have nothing left.

        An execution may go on to a later group meanwhile, so what was read of those is read again, after this one.
        """
        for index, group in enumerate(self._groups):
            if group.rows or group.is_read:
                continue
            rows = self._read(group)
            group.extend(rows, are_last=len(rows) < self._page)
            if group.rows:
                for later in self._groups[index + 1 :]:
                    later.forget()

    def _read(self, group: _Group) -> list[VisibilityContext]:
        place = (self._name, group.status)
        after = None if self._given is None else (*place, -self._given[0], self._given[1])
        return self._storage.scan(VisibilityContext, *place, after=after, limit=self._page)


def position(row: VisibilityContext) -> Position:
    """The place of a row in lists."""
    return (-row.started_at, row.execution_id)
