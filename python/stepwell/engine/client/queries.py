"""What a program may read: workflows, executions, their histories and open tasks, lists of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from stepwell.engine.arns import arn_of
from stepwell.engine.host.host import Readable
from stepwell.engine.ids import CHILD_LISTS, child_list, execution_of
from stepwell.engine.quoting import shown
from stepwell.engine.state.map_run import PENDING_REDRIVE
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.status import CANCELED, DELETING, FAILED, OVER, RUNNING, SUCCEEDED, AwsStatus, aws_status
from stepwell.engine.storage.contexts import (
    ExecutionContext,
    MapChildContext,
    MapRunContext,
    TaskContext,
    VisibilityContext,
)
from stepwell.errors import InvalidInput, TaskDoesNotExist

from . import execution_lists, execution_pages
from .arguments import MAX_ROWS, moment, whole_number
from .execution_lists import Filter, Position
from .execution_pages import Page
from .history import Event, HistoryReader, without_data
from .listings import CLOCK_MICROSECONDS
from .lookup import Lookup, split_target
from .open_tasks import activities_in, all_tasks, tasks_in
from .statuses import Statuses, StatusFilter

if TYPE_CHECKING:
    from .state_runs import LevelRun

_SHOWN = 10
"""So many open tasks are named where there should be one."""
TURNS = 8
"""How many turns of a history are read at a time. One turn may have thousands of events."""


class Queries:
    """Queries of a host's storage. They return what is durable at the moment of the call."""

    def __init__(self, host: Readable) -> None:
        self._host = host
        self.shown = host.shown
        self.lookup = Lookup(host)

    # workflows

    def workflow(self, name: str) -> Workflow:
        """The newest version under ``name``, or that of ``name:version``, or of an ARN. Raises ``WorkflowNotFound``."""
        self._host.check()
        return self.lookup.target(name)[0]

    def target(self, name: str) -> tuple[Workflow, str]:
        """The same, and by which published version and alias it was found (``ExecutionContext.qualifier``)."""
        self._host.check()
        return self.lookup.target(name)

    def workflow_of(self, workflow_id: str) -> Workflow:
        """A version by its id, ``name:version``. Raises ``WorkflowNotFound``."""
        self._host.check()
        return self._host.workflows.get(workflow_id)

    def is_deployed(self, workflow_id: str) -> bool:
        """Whether executions may run on in a version, by its id: its workflow was not deleted."""
        return self._host.workflows.has(workflow_id)

    def workflows(self, name: str | None) -> list[Workflow]:
        """The newest version of each workflow; with a name, all versions of that one, the newest first."""
        self._host.check()
        known = self._host.workflows
        if name is None:
            found = [known.latest(each) for each in known.names()]
            return [workflow for workflow in found if workflow is not None]
        newest = self.lookup.target(name)[0]
        if ":" in name:
            return [newest]
        versions = range(newest.version, newest.context.first - 1, -1)
        return [known.get(f"{name}:{version}") for version in versions]

    # one execution

    def context(self, id: str) -> ExecutionContext:
        """The row of an execution, by its id, short id or ARN. Raises ``ExecutionNotFound``."""
        self._host.check()
        return self.lookup.execution(id)

    def find(self, id: str | None, workflow: str | None, name: str | None) -> ExecutionContext:
        """The row of an execution, by its id, or by its workflow and its name. Raises ``ExecutionNotFound``."""
        if (id is None) != (workflow is not None and name is not None) or (workflow is None) != (name is None):
            raise InvalidInput("an execution is got by its id, or by its workflow and its name")
        if id is not None:
            return self.context(id)
        self._host.check()
        assert workflow is not None
        assert name is not None
        return self.lookup.named(workflow, name)

    def aws_status(self, context: ExecutionContext) -> AwsStatus:
        """AWS's name for the status of an execution; while it is being deleted, for how it ended."""
        status = context.status
        if status == DELETING:
            status = SUCCEEDED if context.output else FAILED if context.error is not None else CANCELED
            status = CANCELED if context.timed_out else status
        child_id = context.parent_iteration_id if status in (FAILED, CANCELED) else None
        return aws_status(status, timed_out=context.timed_out, pending_redrive=self._is_pending(child_id))

    def _is_pending(self, child_id: str | None) -> bool:
        """Whether a child of a map run, which ended before the run was redriven, is still to be run on."""
        if child_id is None:
            return False
        child = self._host.storage.get(MapChildContext, child_id)
        return child is not None and child.status == PENDING_REDRIVE

    def arn(self, context: ExecutionContext) -> str:
        """The ARN of an execution, in the form of its type."""
        return arn_of(self._host.workflows.get(context.workflow_id).name, context.type, context.name, context.id)

    # histories

    def run(self, id: str) -> LevelRun:
        """What an execution did, state by state."""
        from .run_trees import run_tree  # only needed by tests, drawings and the console

        return run_tree(self._host, self.context(id))

    def history(
        self, id: str, limit: int | None = None, *, reverse: bool = False, after: int = 0, include_data: bool = True
    ) -> list[Event]:
        """The events of an execution in AWS's shape, as ``Executor.history`` gives them."""
        limit = None if limit is None else whole_number("the limit of a history", limit, 1)
        after = whole_number("what a history comes after", after, 0)
        context = self.context(id)
        workflow = self.workflow_of(context.workflow_id)
        reader = HistoryReader(workflow.machine, workflow.name, workflow.role)
        page = TURNS if limit is None else min(limit, TURNS)
        if reverse:
            first = 0 if limit is None else (after or context.last_event + 1) - limit
            events = self._backwards(reader, context.id, after, page, first)
        else:
            events = self._forwards(reader, context.id, after, page, MAX_ROWS if limit is None else after + limit)
        chosen = itertools.islice(events, limit)
        return list(chosen if include_data else map(without_data, chosen))

    def _forwards(self, reader: HistoryReader, id: str, after: int, page: int, last: int) -> Iterator[Event]:
        """The events behind ``after``; those behind ``last`` need not be made."""
        read = -1
        while read < after and (turns := self._host.storage.history(id, after + 1, page)):
            read = after
            for event in reader.events(turns, after + 1, last):
                if event["id"] > after:
                    after = event["id"]
                    yield event

    def _backwards(self, reader: HistoryReader, id: str, before: int, page: int, first: int) -> Iterator[Event]:
        """The events before ``before`` (0: all), the last one first; those before ``first`` need not be made."""
        read = -1
        while before not in (1, read) and (turns := self._host.storage.history(id, max(0, before - 1), page, True)):
            read = before
            for turn in turns:
                for event in reversed(list(reader.events([turn], first, before - 1 if before else MAX_ROWS))):
                    if before == 0 or event["id"] < before:
                        before = event["id"]
                        yield event

    # lists of executions

    def executions(
        self,
        workflow: str | None = None,
        *,
        status: Statuses | None = None,
        name_prefix: object = None,
        started_after: float | datetime | None = None,
        started_before: float | datetime | None = None,
        parent: str | None = None,
        map_run: str | None = None,
        limit: int | None = None,
    ) -> Iterator[VisibilityContext]:
        """The rows of executions, as ``Executor.executions`` gives them. What is asked is checked at once."""
        self._host.check()
        limit = None if limit is None else whole_number("the limit of a list", limit, 1)
        plain, wanted = _filter(workflow, status, name_prefix, started_after, started_before)
        storage, above = self._host.storage, None if parent is None else self.context(parent)
        if map_run is not None:
            names = self._list_of_map_run(plain, above, map_run)
            return execution_lists.rows(storage, names, wanted, self._is_row_pending, limit)
        names = execution_lists.workflow_lists(storage) if plain is None else [plain]
        if above is None:
            return execution_lists.rows(storage, names, wanted, self._is_row_pending, limit)
        if plain in (None, workflow_name(above)):
            names = names + [child_list(run.id) for run in self.map_runs(above.id)]
        found = execution_lists.rows(storage, names, _while_open(wanted, above), self._is_row_pending)
        return itertools.islice((row for row in found if self._is_child(row, above.id)), limit)

    def page(
        self,
        workflow: str | None = None,
        *,
        status: Statuses | None = None,
        name_prefix: object = None,
        started_after: float | datetime | None = None,
        started_before: float | datetime | None = None,
        limit: int,
        behind: Position | None = None,
    ) -> Page:
        """A page of executions without children of map runs, which costs about the same however many there are."""
        self._host.check()
        plain, wanted = _filter(workflow, status, name_prefix, started_after, started_before)
        storage = self._host.storage
        names = execution_lists.workflow_lists(storage) if plain is None else [plain]
        return execution_pages.page(storage, names, wanted._replace(behind=behind), self._is_row_pending, limit)

    def _list_of_map_run(self, workflow: str | None, parent: ExecutionContext | None, map_run: str) -> list[str]:
        """The list of a map run's children, unless it is another workflow's or another execution's."""
        run = self.lookup.map_run(map_run)
        above = self.context(execution_of(run.id))
        is_asked = workflow in (None, workflow_name(above)) and (parent is None or parent.id == above.id)
        return [child_list(run.id)] if is_asked else []

    def _is_child(self, row: VisibilityContext, parent: str) -> bool:
        """Whether a listed execution was started by a Task state of ``parent``, or is a child of its map runs."""
        if row.workflow.startswith(CHILD_LISTS):
            return True
        context = self._host.storage.get(ExecutionContext, row.execution_id)
        return context is not None and context.started_by == parent

    def map_runs(self, execution_id: str) -> list[MapRunContext]:
        """The rows of an execution's map runs."""
        rows: list[MapRunContext] = []
        after: tuple[str] | None = None
        while page := self._host.storage.scan(MapRunContext, execution_id, after=after):
            rows += page
            after = (page[-1].id,)
        return rows

    def _is_row_pending(self, row: VisibilityContext) -> bool:
        if not row.workflow.startswith(CHILD_LISTS):
            return False
        run = self._host.storage.get(MapRunContext, row.workflow.removeprefix(CHILD_LISTS))
        if run is None or run.status != RUNNING:
            return False
        child = self._host.storage.get(ExecutionContext, row.execution_id)
        return child is not None and self._is_pending(child.parent_iteration_id)

    # open tasks

    def open_tasks(
        self, execution: str | None, state: str | None, resource: str | None, limit: int | None
    ) -> list[TaskContext]:
        """Open tasks, as ``Executor.open_tasks`` gives them."""
        self._host.check()
        limit = None if limit is None else whole_number("the limit of a list", limit, 1)
        storage = self._host.storage
        tasks = all_tasks(storage, state) if execution is None else tasks_in(storage, self.context(execution).id, state)
        return list(itertools.islice((task for task in tasks if resource in (None, task.resource)), limit))

    def open_task(self, id: str, state: str) -> TaskContext:
        """The one open task of an execution's state. Raises ``TaskDoesNotExist``; ``InvalidInput`` for several."""
        self.check_state(id, state)
        tasks = self.open_tasks(id, state, None, _SHOWN)
        if not tasks:
            raise TaskDoesNotExist(f"no task of state {state!r} is open in execution {id}")
        if len(tasks) > 1:
            ids = ", ".join(task.id for task in tasks)
            raise InvalidInput(f"several tasks of state {state!r} are open in execution {id}: {ids}")
        return tasks[0]

    def check_state(self, id: str, state: object) -> None:
        """Raise ``InvalidInput`` unless an execution's definition has a state of this name."""
        context = self.context(id)
        if not isinstance(state, str) or state not in self.workflow_of(context.workflow_id).machine.by_name:
            raise InvalidInput(f"workflow {context.workflow_id} has no state {shown(state)}")

    def is_in(self, id: str, state: str) -> bool:
        """Whether an execution is in a state; in a Task state only once its task is open, and is not to be retried."""
        context = self.context(id)
        of_tasks = self.workflow_of(context.workflow_id).machine.by_name[state].type == "Task"
        storage = self._host.storage
        if of_tasks:
            return next(tasks_in(storage, id, state), None) is not None
        return any(each.state_name == state for each in activities_in(storage, id))


def _filter(
    workflow: str | None,
    status: Statuses | None,
    name_prefix: object,
    started_after: float | datetime | None,
    started_before: float | datetime | None,
) -> tuple[str | None, Filter]:
    """The workflow whose executions are wanted (None: all), and which of them. Raises ``InvalidInput``."""
    if name_prefix is not None and not isinstance(name_prefix, str):
        raise InvalidInput(f"the beginning of a name is a text, not {shown(name_prefix)}")
    plain, version, qualifier = (None, None, "") if workflow is None else split_target(workflow)
    return plain, Filter(
        StatusFilter.of(status),
        name_prefix or "",
        0 if started_after is None else moment("started_after", started_after),
        None if started_before is None else moment("started_before", started_before),
        version,
        qualifier,
    )


def _while_open(wanted: Filter, above: ExecutionContext) -> Filter:
    """Only what was started while an execution was open: no other can have been started by it."""
    after = max(wanted.after, above.started_at - CLOCK_MICROSECONDS)
    if above.status not in OVER:
        return wanted._replace(after=after)
    end = above.stopped_at + CLOCK_MICROSECONDS
    return wanted._replace(after=after, before=end if wanted.before is None else min(wanted.before, end))


def workflow_name(context: ExecutionContext) -> str:
    """The workflow of an execution; of a child of a map run, its parent's."""
    return context.workflow_id.partition(":")[0]


def workflow_version(context: ExecutionContext) -> int:
    """The version of its workflow that an execution runs."""
    return int(context.workflow_id.partition(":")[2].partition("/")[0])
