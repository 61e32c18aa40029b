"""Reads what executions did from storage, the children of their Distributed Maps too."""

from __future__ import annotations

from functools import partial

from stepwell.engine.host.host import Readable
from stepwell.engine.ids import child_list
from stepwell.engine.replay.redrive import turns
from stepwell.engine.storage.contexts import ExecutionContext

from . import execution_lists
from .execution_lists import Filter
from .run_reader import RunReader
from .run_scopes import about_execution
from .state_runs import LevelRun, StateRun
from .statuses import StatusFilter

_ALL = Filter(StatusFilter.of(None), "", 0, None, None, "")


def run_tree(host: Readable, context: ExecutionContext) -> LevelRun:
    """What an execution did, up to now."""
    workflow = host.workflows.get(context.workflow_id)
    about = about_execution(workflow, context)
    reader = RunReader(context.id, workflow.machine, about, partial(_children, host))
    reader.read(turns(host.storage, context.id))
    return reader.level


def _children(host: Readable, run: StateRun, map_run: str, most: int | None) -> list[LevelRun]:
    """The child executions of a map run (``most`` of them), by the index of their first items."""
    found: list[LevelRun] = []
    rows = execution_lists.rows(host.storage, [child_list(map_run)], _ALL, lambda row: False, most)
    for row in rows:
        context = host.storage.get(ExecutionContext, row.execution_id)
        if context is None or context.parent_iteration_id is None:  # it was deleted meanwhile
            continue
        level = run_tree(host, context)
        level.kind, level.parent = "child", run
        level.index = int(context.parent_iteration_id.rpartition("/c")[2])
        found.append(level)
    return sorted(found, key=lambda level: level.index)
