"""The Context Object: the value of ``$$`` and ``$states.context`` (ASL A14)."""

from __future__ import annotations

from typing import Any

from stepwell.asl.scope import Scope
from stepwell.asl.states.distributed import STATE_DATA
from stepwell.asl.timestamps import format_timestamp
from stepwell.engine.arns import execution_arn, express_arn, state_machine_arn
from stepwell.engine.limits import EXPRESS
from stepwell.engine.state.execution import Activity, Iteration, Level, LiveExecution, is_map
from stepwell.engine.state.turn import Turn


def context_object(activity: Activity, token: str | None = None) -> dict[str, Any]:
    """The Context Object of a running state, with ``token`` if the state waits for one."""
    execution = activity.execution
    state: dict[str, Any] = {"EnteredTime": format_timestamp(activity.entered_at), "Name": activity.state.name}
    if activity.state.type in ("Task", "Map", "Parallel"):
        state["RetryCount"] = activity.attempt
    context: dict[str, Any] = {
        "Execution": _execution(execution),
        "StateMachine": {"Id": state_machine_arn(execution.workflow.name), "Name": execution.workflow.name},
        "State": state,
    }
    if token is not None:
        context["Task"] = {"Token": token}
    item = _map_item(activity.level)
    if item is not None:
        context["Map"] = {"Item": item}
    return context


def map_item(activity: Activity, index: int) -> dict[str, Any]:
    """``Map.Item`` of one iteration, or of one item of a map run (ASL A12.57)."""
    run = activity.map_run
    if run is not None:
        assert run.items is not None
        value, part = run.items.value(index), run.items.part(index)
        source = part.source if part is not None else run.context.source
        is_member = part is not None and part.are_members
    else:
        assert activity.items is not None and is_map(activity)
        value, source, is_member = activity.items.value[index], STATE_DATA, activity.state.iterates_object
    if is_member:
        return {"Index": index, "Key": value["Key"], "Value": value["Value"], "Source": source}
    return {"Index": index, "Value": value, "Source": source}


def map_scope(activity: Activity, index: int) -> Scope:
    """What a Map state's ItemSelector may read for one item."""

    def context() -> dict[str, Any]:
        return {**context_object(activity), "Map": {"Item": map_item(activity, index)}}

    return Scope(activity.input.value, activity.level.visible_variables(), context)


def _execution(execution: LiveExecution) -> dict[str, Any]:
    context = execution.context
    document: dict[str, Any] = {
        "Id": execution_arn(execution.workflow.name, context.name),
        "Input": execution.input.value,
        "StartTime": format_timestamp(context.start_at or context.started_at),
        "Name": context.name,
        "RoleArn": execution.workflow.role,
    }
    if context.type == EXPRESS:
        document["Id"] = express_arn(execution.workflow.name, context.name, context.id)
    if not context.synchronous:
        document["RedriveCount"] = context.redrive_count
    if context.redriven_at:
        document["RedriveTime"] = format_timestamp(context.redriven_at)
    return document


def _map_item(level: Level) -> dict[str, Any] | None:
    while True:
        activity = level.parent
        if activity is None:
            return None
        if isinstance(level, Iteration):
            return map_item(activity, level.index)
        level = activity.level


def expression_scope(turn: Turn, activity: Activity, token: str | None = None) -> Scope:
    """What the state's expressions may read."""
    return Scope(
        activity.input.value,
        activity.level.visible_variables(),
        lambda: context_object(activity, token),
    )
