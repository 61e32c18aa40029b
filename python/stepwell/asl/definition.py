"""Definitions, each compiled once: the levels of its machine, their states, their transitions."""

from __future__ import annotations

from typing import Any

from stepwell.asl.flow import JSONPATH
from stepwell.asl.json import loads
from stepwell.asl.machine import StateMachine
from stepwell.asl.outcome import Outcome
from stepwell.asl.states import (
    ChoiceState,
    FailState,
    MapState,
    ParallelState,
    PassState,
    State,
    SucceedState,
    TaskState,
    WaitState,
)
from stepwell.asl.validate import check_definition
from stepwell.asl.validate.scope import LocalResources

__all__ = ["Outcome", "StateMachine", "compile_definition"]

_SIMPLE_STATES: dict[str, type[State]] = {
    state.type: state for state in (PassState, SucceedState, FailState, ChoiceState, WaitState, TaskState)
}


def compile_definition(
    definition: dict[str, Any] | str | bytes,
    *,
    type: str = "STANDARD",
    local_resources: LocalResources = True,
    max_characters: int | None = None,
) -> StateMachine:
    """Compile a definition, as a value or as JSON text, for executions of ``type`` STANDARD or EXPRESS.

    Raises InvalidDefinition with AWS's text if AWS would refuse it. ``local_resources`` (names of handlers) is an
    addition to AWS; AWS has the limit MAX_CHARACTERS.
    """
    checked = check_definition(definition, type, local_resources=local_resources, max_characters=max_characters)
    return compile_machine(checked, checked.get("QueryLanguage", JSONPATH), {})


def compile_stored(definition: bytes) -> StateMachine:
    """Compile a definition that was accepted when it was deployed.

    It is not validated again: if a later version would refuse it, the executions that run it must still continue.
    """
    stored: dict[str, Any] = loads(definition)
    return compile_machine(stored, stored.get("QueryLanguage", JSONPATH), {})


def compile_machine(definition: dict[str, Any], language: str, by_name: dict[str, State]) -> StateMachine:
    """Compile one level of a machine, and what is within it; its states are put into ``by_name``."""
    states = {name: _compile_state(name, state, language, by_name) for name, state in definition["States"].items()}
    by_name.update(states)
    return StateMachine(definition, language, states, by_name)


def compile_state(name: str, definition: dict[str, Any], *, language: str = JSONPATH) -> State:
    """Compile one checked state alone, as TestState runs it. ``language`` is its machine's."""
    return _compile_state(name, definition, language, {})


def _compile_state(name: str, definition: dict[str, Any], machine_language: str, by_name: dict[str, State]) -> State:
    # An inner level has the machine's language, not that of the state that contains it.
    language: str = definition.get("QueryLanguage", machine_language)
    match definition["Type"]:
        case "Parallel":
            branches = tuple(compile_machine(branch, machine_language, by_name) for branch in definition["Branches"])
            return ParallelState(name, definition, language, branches)
        case "Map":
            processor = definition.get("ItemProcessor") or definition["Iterator"]
            return MapState(name, definition, language, compile_machine(processor, machine_language, by_name))
        case simple:
            return _SIMPLE_STATES[simple](name, definition, language)
