"""How many workflows, activities and open executions there may be: AWS's quotas in its profile (``Limits``).

A count reads rows, so it is not made for each new one: a count says how many more may come, and the next one is made
when so many have come. What other clients of a folder make meanwhile is seen by the next count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from stepwell.engine.host.host import Host
from stepwell.engine.ids import CHILD_LISTS
from stepwell.engine.limits import STANDARD, Limits
from stepwell.engine.partition.counters import open_executions
from stepwell.engine.storage.contexts import ActivityQueueContext, WorkflowContext
from stepwell.errors import ApiError

PATIENCE = 10
"""A quota that is exhausted is counted again after so many times the time that the count took, if that was long."""
LONG_SECONDS = 0.2
_PAGE = 1000


class Quota:
    """How many there may be (None: any number), and the error for one more."""

    def __init__(self, most: int | None, count: Callable[[], int], code: str, message: str) -> None:
        self._most, self._count, self._code, self._message = most, count, code, message
        self._room = 0
        self._full_until = 0.0
        self._counting = threading.Lock()

    @property
    def must_count(self) -> bool:
        """Whether the next one must be counted for, which may take long."""
        return self._room <= 0 and self._most is not None

    def count(self) -> None:
        """Count, if that must be; of several threads one counts. Raises ``ApiError`` if there are too many."""
        with self._counting:
            if self._room <= 0 and self._most is not None:
                self._look(self._most)

    def take(self) -> None:
        """One more comes. Raises ``ApiError`` if there are too many."""
        if self._most is None:
            return
        if self._room <= 0:
            self.count()
        self._room -= 1

    def _look(self, most: int) -> None:
        began = monotonic()
        if began >= self._full_until:
            self._room = most - self._count()
            if self._room > 0:
                return
            now = monotonic()
            if now - began > LONG_SECONDS:
                self._full_until = now + PATIENCE * (now - began)
        raise ApiError(self._code, self._message)


class Quotas:
    """The quotas of a host."""

    def __init__(self, host: Host, limits: Limits) -> None:
        self._host = host
        self.workflows = Quota(
            limits.workflows,
            self._count_workflows,
            "StateMachineLimitExceeded",
            "The maximum number of state machines has been reached. Existing state machines must be deleted before a "
            "new state machine can be created.",
        )
        self.activities = Quota(
            limits.activities,
            self._count_activities,
            "ActivityLimitExceeded",
            "The maximum number of activities has been reached. Existing activities must be deleted before a new "
            "activity can be created.",
        )
        self.executions = Quota(
            limits.open_executions,
            self._count_executions,
            "ExecutionLimitExceeded",
            "The maximum number of running executions has been reached. Running executions must end or be stopped "
            "before a new execution can be started.",
        )

    def _count_workflows(self) -> int:
        """Those that are deployed, or wait for their deletion."""
        newest: dict[str, bool] = {}
        after: tuple[str, int] | None = None
        while rows := self._host.storage.scan(WorkflowContext, after=after, limit=_PAGE):
            newest.update((row.name, row.deleted) for row in rows)  # the newest version comes last
            after = (rows[-1].name, rows[-1].version)
        return sum(not is_deleted for is_deleted in newest.values())

    def _count_activities(self) -> int:
        count, after = 0, None
        while rows := self._host.storage.scan(ActivityQueueContext, after=after, limit=_PAGE):
            count, after = count + len(rows), (rows[-1].name,)
        return count

    def _count_executions(self) -> int:
        """STANDARD ones that have not ended, but for children of map runs, whose numbers their states limit."""
        return open_executions(self._host.storage, self._is_limited)

    def _is_limited(self, workflow: str) -> bool:
        if workflow.startswith(CHILD_LISTS):
            return False
        newest = self._host.workflows.newest(workflow)
        return newest is not None and newest.context.type == STANDARD
