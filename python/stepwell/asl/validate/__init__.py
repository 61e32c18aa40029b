"""Whether AWS would take a state machine's definition, with AWS's codes, texts and places.

``validate`` gives every problem at once, as ValidateStateMachineDefinition does; ``check_definition``
raises what CreateStateMachine would answer. Warnings never refuse a definition.
"""

from __future__ import annotations

from typing import Any, cast

from stepwell.asl.json import dumps
from stepwell.asl.validate import diagnostic as codes
from stepwell.asl.validate.diagnostic import ERROR, WARNING, Diagnostic, Report
from stepwell.asl.validate.graph import check_graph
from stepwell.asl.validate.json_text import JsonSyntaxError, RepeatedKeys, parse
from stepwell.asl.validate.scope import Machine
from stepwell.asl.validate.states import check_machine
from stepwell.asl.validate.variables import check_scopes, inner_levels, states_of
from stepwell.errors import InvalidDefinition, InvalidInput

__all__ = ["ERROR", "WARNING", "Diagnostic", "check_definition", "validate"]

MAX_CHARACTERS = 1_048_576

Definition = dict[str, Any] | str | bytes


def check_definition(
    definition: Definition,
    type: str = "STANDARD",
    *,
    local_resources: bool = True,
    max_characters: int | None = MAX_CHARACTERS,
) -> dict[str, Any]:
    """The definition as a value, its numbers as AWS reads them.

    Raises InvalidDefinition with the text of CreateStateMachine's refusal; its ``diagnostics`` hold every problem.
    ``local_resources`` lets a Task name a handler of this process; ``max_characters`` is None for no limit.
    """
    text, value, report = _examine(definition, type, local_resources, max_characters)
    errors = [found for found in report.diagnostics if found.severity == ERROR]
    if errors:
        raise InvalidDefinition(_refusal(errors, text), tuple(report.diagnostics))
    return cast("dict[str, Any]", value)


def validate(
    definition: Definition,
    type: str = "STANDARD",
    *,
    local_resources: bool = True,
    max_characters: int | None = MAX_CHARACTERS,
) -> list[Diagnostic]:
    """Every problem of a definition with its place; see ``check_definition`` for the options."""
    return _examine(definition, type, local_resources, max_characters)[2].diagnostics


def _examine(
    definition: Definition, type: str, local_resources: bool, max_characters: int | None
) -> tuple[str, Any, Report]:
    report = Report()
    try:
        text = _text_of(definition)
    except (InvalidInput, UnicodeDecodeError):
        report.error("Definition must be a valid JSON object", None)
        return "", None, report
    if not text.strip():
        report.error("Definition must be a valid JSON object", None)
        return text, None, report
    if max_characters is not None and len(text) > max_characters:
        report.error(f"Definition must have length less than or equal to {max_characters}", None)
        return text, None, report
    try:
        value, repeated = parse(text)
    except JsonSyntaxError as error:
        report.error(f"{error.message}\n at {error.place}", error.place, codes.INVALID_JSON_DESCRIPTION)
        return text, None, report
    if not isinstance(value, dict):
        report.error("Definition must be a valid JSON object", None)
        return text, None, report
    try:
        _check(cast("dict[str, Any]", value), repeated, report, type, local_resources)
    except RecursionError:
        report.error("The states are too deeply nested.", None, codes.TOO_DEEPLY_NESTED)
    return text, value, report


def _text_of(definition: Definition) -> str:
    if isinstance(definition, dict):
        return dumps(definition).decode()
    return definition.decode() if isinstance(definition, bytes) else definition


def _check(
    definition: dict[str, Any], repeated: RepeatedKeys, report: Report, type: str, local_resources: bool
) -> None:
    machine = Machine(report, repeated, local_resources=local_resources)
    check_machine(definition, machine, express=type == "EXPRESS")
    _check_graphs(definition, "", report, top=True)
    check_scopes(definition, "", report, frozenset(), machine.query_language)


def _check_graphs(level: dict[str, Any], path: str, report: Report, *, top: bool) -> None:
    if top and not {"States", "StartAt"} & level.keys():
        return
    if not (top and level.get("States") == {}):
        check_graph(level, path, report, top=top)
    for name, state in states_of(level):
        for inner in inner_levels(state, f"{path}/States/{name}"):
            _check_graphs(inner.value, inner.path, report, top=False)


def _refusal(errors: list[Diagnostic], text: str) -> str:
    """What CreateStateMachine answers."""
    first = errors[0]
    if first.code == codes.INVALID_LABEL_NAME:
        # The recorded refusals of a Label have this form and no other.
        return f"Error=ValueError Args={[first.message]!r} in definition '{text}'."
    if first.code == codes.INVALID_JSON_DESCRIPTION:
        return f"Invalid State Machine Definition: '{first.code}: {first.message}'"
    return f"Invalid State Machine Definition: '{', '.join(str(error) for error in errors)}'"
