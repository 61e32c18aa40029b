"""A state machine, compiled once: its levels, its states, its transitions."""

from __future__ import annotations

from typing import Any

from stepwell.asl.flow import JSONPATH
from stepwell.asl.json import loads
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

__all__ = ["Outcome", "StateMachine", "compile_definition"]

_SIMPLE_STATES: dict[str, type[State]] = {
    state.type: state for state in (PassState, SucceedState, FailState, ChoiceState, WaitState, TaskState)
}


class StateMachine:
    """One level of a machine: the machine itself, a branch, or a Map state's processor.

    ``states`` are this level's; ``by_name`` has every state of the whole machine, because names are unique across its
    levels (ASL A1.2). ``timeout_seconds`` limits a whole execution and is None at inner levels.
    """

    __slots__ = ("by_name", "comment", "query_language", "start_at", "states", "timeout_seconds")

    def __init__(self, definition: dict[str, Any], language: str, by_name: dict[str, State]) -> None:
        self.start_at: str = definition["StartAt"]
        self.comment: str | None = definition.get("Comment")
        self.timeout_seconds: int | None = definition.get("TimeoutSeconds")
        self.query_language = language
        self.by_name = by_name
        self.states: dict[str, State] = {
            name: _compile_state(name, state, language, by_name) for name, state in definition["States"].items()
        }
        by_name.update(self.states)

    def __repr__(self) -> str:
        return f"<StateMachine of {len(self.states)} states from {self.start_at!r}>"


def compile_definition(
    definition: dict[str, Any] | str | bytes,
    *,
    type: str = "STANDARD",
    local_resources: bool = True,
    max_characters: int | None = None,
) -> StateMachine:
    """Compile a definition, as a value or as JSON text, for executions of ``type`` STANDARD or EXPRESS.

    Raises InvalidDefinition with AWS's text if AWS would refuse it. ``local_resources`` (names of handlers) is an
    addition to AWS; AWS has the limit MAX_CHARACTERS.
    """
    checked = check_definition(definition, type, local_resources=local_resources, max_characters=max_characters)
    return StateMachine(checked, checked.get("QueryLanguage", JSONPATH), {})


def compile_stored(definition: bytes) -> StateMachine:
    """Compile a definition that was accepted when it was deployed.

    It is not validated again: if a later version would refuse it, the executions that run it must still continue.
    """
    stored: dict[str, Any] = loads(definition)
    return StateMachine(stored, stored.get("QueryLanguage", JSONPATH), {})


def compile_state(name: str, definition: dict[str, Any], *, language: str = JSONPATH) -> State:
    """Compile one checked state alone, as TestState runs it. ``language`` is its machine's."""
    return _compile_state(name, definition, language, {})


def _compile_state(name: str, definition: dict[str, Any], machine_language: str, by_name: dict[str, State]) -> State:
    # An inner level has the machine's language, not that of the state that contains it.
    language: str = definition.get("QueryLanguage", machine_language)
    match definition["Type"]:
        case "Parallel":
            branches = tuple(StateMachine(branch, machine_language, by_name) for branch in definition["Branches"])
            return ParallelState(name, definition, language, branches)
        case "Map":
            processor = definition.get("ItemProcessor") or definition["Iterator"]
            return MapState(name, definition, language, StateMachine(processor, machine_language, by_name))
        case simple:
            return _SIMPLE_STATES[simple](name, definition, language)
