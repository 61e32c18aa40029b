"""The data-flow steps of a state that ran, as TestState's inspection data shows them (ASL A16.79)."""

from __future__ import annotations

from typing import Any

from stepwell.asl.errors import AslError
from stepwell.asl.flow import JSONPATH
from stepwell.asl.json import loads
from stepwell.asl.scope import Scope
from stepwell.asl.states import MapState, ParallelState, TaskState
from stepwell.engine.client.run_scopes import context_of
from stepwell.engine.client.state_runs import StateRun
from stepwell.test_state.inspection import Inspection
from stepwell.test_state.stages import finish, run_state


def data_flow(run: StateRun) -> dict[str, Any]:
    """The steps that the last attempt of a state reached, in order: ``afterInputPath``, ``afterParameters`` …

    They are evaluated again, from what the state could read and what its task, branches or iterations gave. What a
    task was called with is what the history has.
    """
    seen = Inspection()
    try:
        if isinstance(run.state, MapState):
            _map(run, run.state, _scope(run), seen)
        else:
            run_state(run.state, _scope(run), lambda arguments: _result(run), 0, None, seen)
    except AslError:  # the state failed there; its error is that of the run
        pass
    found = {step: _value(value) for step, value in seen.data().items()}
    if isinstance(run.state, TaskState):
        for step in ("afterParameters", "afterArguments"):
            if step in found and run.attempts[-1].arguments_text:
                found[step] = run.attempts[-1].arguments
    return found


def _scope(run: StateRun) -> Scope:
    """What the state could read. Its task's token is gone: what the task was called with has it."""
    token = {"Task": {"Token": "<task token>"}} if isinstance(run.state, TaskState) else {}
    return Scope(run.input, run.variables, lambda: {**context_of(run), **token})


def _value(text: Any) -> Any:
    return loads(text) if isinstance(text, str) else text


def _result(run: StateRun) -> Any:
    """What the state waited for. Raises AslError where that failed."""
    if run.status in ("Failed", "Caught", "Canceled", "Running"):
        raise AslError(run.error or "", run.cause)
    if isinstance(run.state, ParallelState | MapState):
        return [level.output for level in run.levels]
    return run.attempts[-1].result


def _map(run: StateRun, state: MapState, scope: Scope, seen: Inspection) -> None:
    """The steps of a Map state: its items and the inputs of its iterations are those that it had."""
    attempt = run.attempts[-1]
    if state.query_language == JSONPATH:
        seen.show("afterInputPath", state.effective_input(scope))
    if state.reader is not None and state.item_identity and state.batcher is None and run.levels:
        seen.show("afterItemReader", [level.input for level in run.levels])
    elif attempt.items_text and ("ItemsPath" in state.definition or "Items" in state.definition):
        seen.show("afterItemsPath", attempt.items)
    if not state.item_identity or state.batcher is not None:
        step = "afterItemSelector" if state.batcher is None else "afterItemBatcher"
        seen.show(step, [level.input for level in run.levels])
    result = _result(run)
    if state.writer is None:
        seen.show("result", result)
        finish(state, scope, result, seen)
