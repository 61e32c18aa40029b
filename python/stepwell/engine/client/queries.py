"""Queries: executions, their histories, lists of them."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from typing import Any

from stepwell.engine.host.host import Readable
from stepwell.engine.ids import CHILD_LISTS
from stepwell.engine.quoting import shown
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.status import (
    CANCELED,
    CANCELING,
    COMPLETING,
    DELETING,
    FAILED,
    PENDING,
    RUNNING,
    STATUSES,
    SUCCEEDED,
)
from stepwell.engine.storage.contexts import ExecutionContext, VisibilityContext
from stepwell.errors import InvalidInput, WorkflowNotFound

from .arguments import whole_number
from .history import Event, HistoryReader, without_data

# The order in which groups are read. An execution that changes its status meanwhile is met at least once.
_LIFE = (PENDING, RUNNING, COMPLETING, CANCELING, SUCCEEDED, FAILED, CANCELED, DELETING)
PAGE = 256
TURNS = 8
"""How many turns of a history are read at a time. One turn may have thousands of events."""


class Queries:
    """Queries of a host's storage. They return what is durable at the moment of the call."""

    def __init__(self, host: Readable) -> None:
        self._host = host

    def workflow(self, name: str) -> Workflow:
        """The newest version under a name. Raises ``WorkflowNotFound``."""
        self._host.check()
        workflow = self._host.workflows.latest(name) if _is_text(name) else None
        if workflow is None:
            raise WorkflowNotFound(f"no workflow is deployed under the name {shown(name)}")
        return workflow

    def workflow_of(self, workflow_id: str) -> Workflow:
        """A version by its id, ``name:version``. Raises ``WorkflowNotFound``."""
        self._host.check()
        return self._host.workflows.get(workflow_id)

    def context(self, id: str) -> ExecutionContext:
        """The row of an execution. Raises ``ExecutionNotFound``."""
        self._host.check()
        return self._host.storage.execution(id)

    def history(
        self, id: str, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> list[Event]:
        """The events of an execution in AWS's shape, as ``Executor.history`` gives them."""
        limit = None if limit is None else whole_number("the limit of a history", limit, 1)
        after = whole_number("what a history comes after", after, 0)
        reader = HistoryReader(self.workflow_of(self.context(id).workflow_id).machine)
        page = TURNS if limit is None else min(limit, TURNS)
        events = (self._backwards if reverse else self._forwards)(reader, id, after, page)
        chosen = itertools.islice(events, limit)
        return list(chosen if include_data else map(without_data, chosen))

    def _forwards(self, reader: HistoryReader, id: str, after: int, page: int) -> Iterator[Event]:
        read = -1
        while read < after and (turns := self._host.storage.history(id, after + 1, page)):
            read = after
            for event in reader.events(turns):
                if event["id"] > after:
                    after = event["id"]
                    yield event

    def _backwards(self, reader: HistoryReader, id: str, before: int, page: int) -> Iterator[Event]:
        while before != 1 and (turns := self._host.storage.history(id, max(0, before - 1), page, reverse=True)):
            for turn in turns:
                for event in reversed(list(reader.events([turn]))):
                    if before == 0 or event["id"] < before:
                        before = event["id"]
                        yield event

    def executions(self, workflow: str | None, status: str | None, limit: int) -> list[VisibilityContext]:
        """Executions, the newest first, of one workflow or of all, in one status or in any."""
        self._host.check()
        if status is not None and status not in STATUSES:
            raise InvalidInput(f"there is no status {shown(status)}; give one of {', '.join(STATUSES)}")
        limit = whole_number("the limit of a list", limit, 1)
        scan = self._host.storage.scan
        prefix = () if workflow is None else (workflow,)
        if workflow is not None and status is not None:
            return scan(VisibilityContext, workflow, status, limit=limit)
        if status is None:
            rows = scan(VisibilityContext, *prefix, limit=limit + 1)
            if len(rows) <= limit:  # all of them, as of one moment
                return sorted((row for row in rows if workflow or not _is_child(row)), key=_newest)
        groups = [group for group in self._groups(prefix) if status is None or group[1] == status]
        groups.sort(key=lambda group: _LIFE.index(group[1]))
        return list(itertools.islice(each_once(heapq.merge(*map(self._pages, groups), key=_newest)), limit))

    def _groups(self, prefix: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Each workflow and status that has executions; reads one row of each."""
        after: tuple[Any, ...] | None = None
        while rows := self._host.storage.scan(VisibilityContext, *prefix, after=after, limit=1):
            if not prefix and _is_child(rows[0]):
                return
            group = (rows[0].workflow, rows[0].status)
            yield group
            after = (*group, 0, "")  # behind the group, whose times descend

    def _pages(self, group: tuple[str, str]) -> Iterator[VisibilityContext]:
        """The executions of a group, the newest first."""
        after: tuple[Any, ...] | None = None
        while rows := self._host.storage.scan(VisibilityContext, *group, after=after, limit=PAGE):
            yield from rows
            last = rows[-1]
            after = (*group, last.started_at, last.execution_id)


def _is_child(row: VisibilityContext) -> bool:
    """Whether a row is in the list of a map run. Those come after all others."""
    return row.workflow.startswith(CHILD_LISTS)


def _is_text(name: object) -> bool:
    return isinstance(name, str)


def _newest(row: VisibilityContext) -> tuple[int, str]:
    return (-row.started_at, row.execution_id)


def each_once(rows: Iterator[VisibilityContext]) -> Iterator[VisibilityContext]:
    """Without repetitions: an execution may have moved to a second group while the first was read."""
    seen: set[str] = set()
    for row in rows:
        if row.execution_id not in seen:
            seen.add(row.execution_id)
            yield row
