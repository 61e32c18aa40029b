"""How many calls of mocked states were answered: read after a restart, from an execution and its map runs' children."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from stepwell.asl.states import MapState
from stepwell.engine.client.client import Client
from stepwell.engine.ids import activity_of
from stepwell.engine.state.map_run import READ_ITEMS
from stepwell.engine.storage.contexts import ActivityContext, MapRunContext, TaskContext
from stepwell.testing.mocks import MockedCase

_SCHEDULED = frozenset({"TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled"})


def calls_before(client: Client, execution_id: str, case: MockedCase) -> Counter[str]:
    """The calls in an execution's history that are not open, and those of its map runs and their children."""
    queries = client.queries
    calls = Counter({state: n for state, n in _calls_in(queries.history(execution_id)).items() if state in case})
    for state in calls:
        calls[state] -= min(calls[state], len(queries.open_tasks(execution_id, state, None, None)))
    for run in queries.map_runs(execution_id):
        if run.state_name in case:
            calls[run.state_name] += _has_read(client, execution_id, run) + run.results_written
        for row in queries.executions(map_run=run.id):
            calls.update(calls_before(client, row.execution_id, case))
    return calls


def _has_read(client: Client, execution_id: str, run: MapRunContext) -> bool:
    """Whether a call has read the items of a map run."""
    workflow = client.queries.workflow_of(client.queries.context(execution_id).workflow_id)
    state = workflow.machine.by_name[run.state_name]
    if not isinstance(state, MapState) or state.reader is None:
        return False
    storage = client.host.storage
    activity = storage.get(ActivityContext, activity_of(run.id))
    task = None if activity is None or activity.task_id is None else storage.get(TaskContext, activity.task_id)
    return task is None or task.resource != READ_ITEMS


def _calls_in(events: Iterable[dict[str, Any]]) -> Counter[str]:
    """How many tasks of each state a history has."""
    states: dict[int, str] = {}
    calls: Counter[str] = Counter()
    for event in events:
        entered = event.get("stateEnteredEventDetails")
        state = states.get(event["previousEventId"], "") if entered is None else entered["name"]
        states[event["id"]] = state
        calls[state] += event["type"] in _SCHEDULED
    return calls
