"""The data flow of a JSONPath state (ASL A3).

InputPath → Parameters → the work → Assign; ResultSelector → ResultPath, onto the raw input → OutputPath.
``$`` is the result of the previous stage; variables and the Context Object are those of the state's entry in all stages
(ASL A5.27).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl.errors import runtime_error
from stepwell.asl.numbers import text_of
from stepwell.asl.outcome import Outcome
from stepwell.asl.path_errors import NotFound
from stepwell.asl.paths import compile_path as parse_path
from stepwell.asl.paths import compile_reference_path
from stepwell.asl.scope import Scope
from stepwell.asl.template import compile_template, compile_value_expression

Read = Callable[[Scope], Any]
Finish = Callable[[Scope, Any], Outcome]
Place = Callable[[Any, Any], Any]
"""(raw input, result) → their combination."""


def compile_path(text: str, not_found: NotFound | None = None) -> Read:
    """A path field. ``not_found`` makes the error if there is no value; without it the text is the path library's."""
    path = parse_path(text)
    if not_found is not None:
        return path.reader(not_found)
    return (lambda scope: scope.input) if path.is_input else path.evaluate


def compile_text(text: str, field: str) -> Callable[[Scope], str]:
    """ErrorPath or CausePath: a path or an intrinsic call that returns a string."""
    read = compile_value_expression(text, field)

    def string(scope: Scope) -> str:
        value = read(scope)
        if not isinstance(value, str):
            raise runtime_error(f"The {field} parameter does not reference a string: {text} == {text_of(value)}")
        return value

    return string


def compile_payload(template: Any) -> Read:
    """A payload template: Parameters, ResultSelector, ItemSelector, Assign, Credentials."""
    return compile_template(template)


def compile_input_path(definition: dict[str, Any]) -> Read | None:
    """InputPath; None if the state takes its input unchanged."""
    return _compile_filter(definition.get("InputPath", "$"))


def compile_finish(definition: dict[str, Any]) -> Finish | None:
    """ResultSelector, Assign, ResultPath and OutputPath of a state or a catcher; None if it has none of them.

    The function takes the scope of the state, with its raw input, and the result.
    """
    select = compile_payload(definition["ResultSelector"]) if "ResultSelector" in definition else None
    assign = compile_payload(definition["Assign"]) if definition.get("Assign") else None
    place = compile_result_path(definition.get("ResultPath", "$"))
    output_path = _compile_filter(definition.get("OutputPath", "$"))
    if select is None and assign is None and place is None and output_path is None:
        return None

    def finish(scope: Scope, result: Any) -> Outcome:
        stage = scope.with_input(result)  # one scope for all stages; its input is that of the current stage
        assigned = None if assign is None else assign(stage)  # from the raw result (AWS's guide, workflow variables)
        if select is not None:
            stage.input = select(stage)
        if place is not None:
            stage.input = place(scope.input, stage.input)
        return Outcome(stage.input if output_path is None else output_path(stage), assigned)

    return finish


def compile_result_path(path: str | None) -> Place | None:
    """ResultPath: null drops the result. None if the result replaces the input."""
    if path is None:
        return lambda raw, result: raw
    reference = compile_reference_path(path)
    return None if reference.is_root else reference.set


def _compile_filter(path: str | None) -> Read | None:
    """InputPath or OutputPath: null gives an empty object (ASL A3.10). None if the path is ``$``."""
    if path is None:
        return lambda scope: {}
    parsed = parse_path(path)
    return None if parsed.is_input else parsed.evaluate
