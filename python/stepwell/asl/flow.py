"""A state's data flow, from its raw input to its output, in either query language.

The functions are chosen once, when a machine is compiled. A stage that changes nothing is None; states turn that into
their identity flags, which let the engine pass documents on without parsing them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl import jsonata_flow, jsonpath_flow
from stepwell.asl.outcome import Outcome
from stepwell.asl.retry import Catcher, error_output
from stepwell.asl.scope import Scope

JSONATA = "JSONata"
JSONPATH = "JSONPath"

Read = Callable[[Scope], Any]
Finish = Callable[[Scope, Any], Outcome]


def raw_input(scope: Scope) -> Any:
    """The input unchanged: the stage of a state that does not shape it."""
    return scope.input


def pass_on(scope: Scope, value: Any) -> Outcome:
    """The value unchanged, and no variables."""
    return Outcome(value, None)


def compile_effective_input(definition: dict[str, Any], language: str) -> Read | None:
    """What ``$`` means in a state's fields: its input after InputPath. None: the raw input."""
    return None if language == JSONATA else jsonpath_flow.compile_input_path(definition)


def compile_arguments(definition: dict[str, Any], language: str) -> Read | None:
    """What a Task, Parallel or Pass state works on: Arguments, or InputPath and Parameters. None: the raw input."""
    if language == JSONATA:
        return jsonata_flow.compile_field(definition, "Arguments")
    effective = jsonpath_flow.compile_input_path(definition)
    if "Parameters" not in definition:
        return effective
    return within(effective, jsonpath_flow.compile_payload(definition["Parameters"]))


def compile_result_finish(definition: dict[str, Any], language: str) -> Finish | None:
    """From a state's result to its outcome. None: the result is the output, and no variables are set."""
    if language == JSONATA:
        return jsonata_flow.compile_finish(definition, reads="result")
    return jsonpath_flow.compile_finish(definition)


def compile_input_finish(definition: dict[str, Any], language: str, *, rule: str | None = None) -> Finish | None:
    """From the effective input to the outcome, in a state that has no result: Wait, Choice, Succeed.

    ``rule`` is the field of a choice rule (``Choices[0]``), whose own Assign and Output ``definition`` then holds;
    a JSONPath rule needs the OutputPath of its state beside them.
    """
    if language == JSONATA:
        return jsonata_flow.compile_finish(definition, prefix=f"{rule}/" if rule else "")
    return jsonpath_flow.compile_finish(definition)


def within(effective: Read | None, field: Read) -> Read:
    """``field``, read with the effective input as its ``$``."""
    if effective is None:
        return field
    return lambda scope: field(scope.with_input(effective(scope)))


def compile_catchers(definition: dict[str, Any], language: str) -> tuple[Catcher, ...]:
    """The catchers of a state's Catch field."""
    return tuple(
        Catcher(frozenset(entry["ErrorEquals"]), entry["Next"], _compile_catch(entry, language, index))
        for index, entry in enumerate(definition.get("Catch") or ())
    )


def _compile_catch(
    entry: dict[str, Any], language: str, index: int
) -> Callable[[Scope, str | None, str | None], Outcome]:
    # ResultPath applies to the raw input; the state's own OutputPath and Assign do not apply (ASL A5.30, A7.41).
    finish = (
        jsonata_flow.compile_finish(entry, reads="errorOutput", prefix=f"Catch[{index}]/")
        if language == JSONATA
        else jsonpath_flow.compile_finish({key: entry[key] for key in ("Assign", "ResultPath") if key in entry})
    ) or pass_on
    return lambda scope, error, cause: finish(scope, error_output(error, cause))
