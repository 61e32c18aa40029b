"""Distributed Map states in a replay: their children have histories of their own, so their outputs are taken over.

In the replayed definition such a state is a Task state, whose result is the output that the history has, and what was
assigned. Retry, Catch and transitions stay.
"""

from __future__ import annotations

from typing import Any

from stepwell.asl.flow import JSONATA, JSONPATH

_KEPT = ("Next", "End", "Retry", "Catch", "QueryLanguage", "Comment")
RESOURCE = "the recorded map run"


def without_distributed_maps(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition with Task states in place of Distributed Map states."""
    return _level(definition, definition.get("QueryLanguage", JSONPATH))


def _level(level: dict[str, Any], language: str) -> dict[str, Any]:
    return {**level, "States": {name: _state(state, language) for name, state in level["States"].items()}}


def _state(state: dict[str, Any], language: str) -> dict[str, Any]:
    if state["Type"] == "Parallel":
        return {**state, "Branches": [_level(branch, language) for branch in state["Branches"]]}
    if state["Type"] != "Map":
        return state
    field = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
    processor: dict[str, Any] = state[field]
    config: dict[str, Any] = processor.get("ProcessorConfig") or {}
    if config.get("Mode") != "DISTRIBUTED":
        return {**state, field: _level(processor, language)}
    names = list(state.get("Assign") or {})
    kept = {key: state[key] for key in _KEPT if key in state}
    if state.get("QueryLanguage", language) == JSONATA:
        assign = {name: f"{{% $states.result.assigned.{name} %}}" for name in names}
        output = {"Output": "{% $states.result.output %}"}
    else:
        names = [name.removesuffix(".$") for name in names]
        assign = {f"{name}.$": f"$.assigned.{name}" for name in names}
        output = {"OutputPath": "$.output"}
    return {"Type": "Task", "Resource": RESOURCE, **kept, **output, **({"Assign": assign} if assign else {})}
