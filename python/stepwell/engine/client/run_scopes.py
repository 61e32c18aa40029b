"""What the expressions of a state could read when it ran, and with it which rule of a Choice state held."""

from __future__ import annotations

from typing import Any

from stepwell.asl.errors import AslError
from stepwell.asl.retry import match_catcher
from stepwell.asl.scope import Scope
from stepwell.asl.states import ChoiceState, MapState
from stepwell.asl.states.base import WorkState
from stepwell.asl.states.distributed import STATE_DATA
from stepwell.asl.timestamps import format_timestamp
from stepwell.engine.arns import arn_of, state_machine_arn
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.storage.contexts import ExecutionContext

from .state_runs import LevelRun, StateRun


def about_execution(workflow: Workflow, context: ExecutionContext) -> dict[str, Any]:
    """The Context Object's ``Execution`` and ``StateMachine``, without the input."""
    execution: dict[str, Any] = {
        "Id": arn_of(workflow.name, context.type, context.name, context.id),
        "StartTime": format_timestamp(context.start_at or context.started_at),
        "Name": context.name,
        "RoleArn": workflow.role,
    }
    if not context.synchronous:
        execution["RedriveCount"] = context.redrive_count
    if context.redriven_at:
        execution["RedriveTime"] = format_timestamp(context.redriven_at)
    return {
        "Execution": execution,
        "StateMachine": {"Id": state_machine_arn(workflow.name), "Name": workflow.name},
    }


def scope_of(run: StateRun) -> Scope:
    """What the expressions of a state's last attempt could read. A task's token is not known any more."""
    return Scope(run.input, run.variables, lambda: context_of(run))


def context_of(run: StateRun) -> dict[str, Any]:
    """The Context Object of a state's last attempt."""
    level = run.level
    while level.parent is not None and level.kind != "child":
        level = level.parent.level
    state: dict[str, Any] = {"EnteredTime": format_timestamp(run.started_micros), "Name": run.name}
    if isinstance(run.state, WorkState):
        state["RetryCount"] = run.attempts[-1].number
    about = level.about
    execution = {**about.get("Execution", {}), "Input": level.input}
    context: dict[str, Any] = {**about, "Execution": execution, "State": state}
    item = _map_item(run.level)
    return context if item is None else {**context, "Map": {"Item": item}}


def map_item(run: StateRun, index: int) -> dict[str, Any]:
    """``Map.Item`` of one iteration of a Map state (ASL A12.57)."""
    attempt = run.attempts[-1]
    value = attempt.items[index]
    is_member = isinstance(run.state, MapState) and run.state.iterates_object
    shown = {"Key": value["Key"], "Value": value["Value"]} if is_member else {"Value": value}
    return {"Index": index, **shown, "Source": attempt.source or STATE_DATA}


def _map_item(level: LevelRun) -> dict[str, Any] | None:
    while level.parent is not None and level.kind != "child":
        if level.kind == "iteration":
            return map_item(level.parent, level.index)
        level = level.parent.level
    return None


def rule_of(run: StateRun) -> int | None:
    """The rule of a Choice state that held; None: ``Default``, or the run is of another state, or chose nothing.

    The history has only the state that was chosen. Where several rules lead there, they are evaluated again; should
    they then choose otherwise ($random, $now), it is the first of them.
    """
    state = run.state
    if not isinstance(state, ChoiceState) or run.next is None:
        return None
    leading = [index for index, rule in enumerate(state.rules) if rule.next == run.next]
    if not leading or (len(leading) == 1 and state.default != run.next):
        return leading[0] if leading else None
    try:
        chosen = state.choose_rule(scope_of(run))
    except AslError:
        return leading[0]
    return chosen if chosen in leading or (chosen is None and state.default == run.next) else leading[0]


def catcher_of(run: StateRun) -> int | None:
    """The catcher that caught the error of a state."""
    if run.status != "Caught" or not isinstance(run.state, WorkState):
        return None
    return match_catcher(run.state, run.error, heartbeat=any(attempt.heartbeat for attempt in run.attempts[-1:]))
