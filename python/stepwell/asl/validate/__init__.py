"""Validation: whether AWS would accept a state machine's definition, with AWS's codes, texts and places.

``validate`` returns all problems at once, as ValidateStateMachineDefinition does; ``check_definition`` raises the error
of CreateStateMachine. Warnings never refuse a definition.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from stepwell.asl.json import dumps
from stepwell.asl.validate import diagnostic as codes
from stepwell.asl.validate.diagnostic import ERROR, WARNING, Diagnostic, Report
from stepwell.asl.validate.graph import check_graph
from stepwell.asl.validate.json_text import JsonSyntaxError, RepeatedKeys, parse
from stepwell.asl.validate.scope import LocalResources, Machine
from stepwell.asl.validate.states import check_machine
from stepwell.asl.validate.variables import check_scopes, inner_levels, states_of
from stepwell.asl.validate.warnings import warn
from stepwell.errors import InvalidDefinition, InvalidInput

__all__ = ["ERROR", "WARNING", "Diagnostic", "check_definition", "check_state", "validate"]

MAX_CHARACTERS = 1_048_576

Definition = dict[str, Any] | str | bytes


class _Examined(NamedTuple):
    text: str
    value: dict[str, Any]
    report: Report


def check_definition(
    definition: Definition,
    type: str = "STANDARD",
    *,
    local_resources: LocalResources = True,
    max_characters: int | None = MAX_CHARACTERS,
) -> dict[str, Any]:
    """The definition as a value, with numbers as AWS reads them.

    Raises InvalidDefinition with the text of CreateStateMachine's refusal; its ``diagnostics`` hold every problem.
    ``local_resources`` allows a Task to name a handler of this process, any or those that a function accepts;
    ``max_characters`` is None for no limit.
    """
    return _raise_errors(_examine(definition, type, local_resources, max_characters))


def validate(
    definition: Definition,
    type: str = "STANDARD",
    *,
    local_resources: LocalResources = True,
    max_characters: int | None = MAX_CHARACTERS,
) -> list[Diagnostic]:
    """Every problem of a definition with its place; see ``check_definition`` for the options."""
    return _examine(definition, type, local_resources, max_characters).report.diagnostics


def check_state(state: Definition, name: str, *, local_resources: LocalResources = True) -> dict[str, Any]:
    """The definition of one state alone, whose next states need not exist: what TestState accepts.

    Raises InvalidDefinition, whose places begin with ``/States/<name>``.
    """

    def check(value: dict[str, Any], repeated: RepeatedKeys, report: Report) -> None:
        machine = {"StartAt": name, "States": {name: value}}
        _check_levels(machine, Machine(report, repeated, local_resources=local_resources), "STANDARD", alone=True)

    return _raise_errors(_read(state, MAX_CHARACTERS, check))


def _examine(
    definition: Definition, type: str, local_resources: LocalResources, max_characters: int | None
) -> _Examined:
    def check(value: dict[str, Any], repeated: RepeatedKeys, report: Report) -> None:
        _check_levels(value, Machine(report, repeated, local_resources=local_resources), type)

    return _read(definition, max_characters, check)


def _read(
    definition: Definition,
    max_characters: int | None,
    check: Callable[[dict[str, Any], RepeatedKeys, Report], None],
) -> _Examined:
    """Parse the text; ``check`` adds its problems to the report."""
    report = Report()
    text, value = "", None
    try:
        text = _text_of(definition)
        value, repeated = _parse(text, max_characters, report)
        if isinstance(value, dict):
            check(cast("dict[str, Any]", value), repeated, report)
    except (InvalidInput, UnicodeDecodeError):
        report.error("Definition must be a valid JSON object", None)
    except RecursionError:
        report.error("The states are too deeply nested.", None, codes.TOO_DEEPLY_NESTED)
    return _Examined(text, cast("dict[str, Any]", value) if isinstance(value, dict) else {}, report)


def _text_of(definition: Definition) -> str:
    if isinstance(definition, dict):
        return dumps(definition).decode()
    return definition.decode() if isinstance(definition, bytes) else definition


def _parse(text: str, max_characters: int | None, report: Report) -> tuple[Any, RepeatedKeys]:
    value: Any = None
    repeated = RepeatedKeys()
    if max_characters is not None and len(text) > max_characters:
        report.error(f"Definition must have length less than or equal to {max_characters}", None)
        return value, repeated
    try:
        if text.strip():
            value, repeated = parse(text)
    except JsonSyntaxError as error:
        report.error(f"{error.message}\n at {error.place}", error.place, codes.INVALID_JSON_DESCRIPTION)
        return value, repeated
    if not isinstance(value, dict):
        report.error("Definition must be a valid JSON object", None)
    return cast("Any", value), repeated


def _check_levels(definition: dict[str, Any], machine: Machine, type: str, *, alone: bool = False) -> None:
    check_machine(definition, machine, express=type == "EXPRESS")
    if not alone and {"States", "StartAt"} & definition.keys() and definition.get("States") != {}:
        check_graph(definition, "", machine.report, top=True)
    _check_inner_graphs(definition, "", machine.report)
    check_scopes(definition, "", machine.report, frozenset(), machine.query_language)
    warn(definition, "", machine.query_language, machine.report)


def _check_inner_graphs(level: dict[str, Any], path: str, report: Report) -> None:
    for name, state in states_of(level):
        for inner in inner_levels(state, f"{path}/States/{name}"):
            check_graph(inner.value, inner.path, report, top=False)
            _check_inner_graphs(inner.value, inner.path, report)


def _raise_errors(examined: _Examined) -> dict[str, Any]:
    errors = [found for found in examined.report.diagnostics if found.severity == ERROR]
    if errors:
        raise InvalidDefinition(_refusal(errors, examined.text), tuple(examined.report.diagnostics))
    return examined.value


def _refusal(errors: list[Diagnostic], text: str) -> str:
    """The error text of CreateStateMachine."""
    first = errors[0]
    if first.code == codes.INVALID_LABEL_NAME:
        # Recorded refusals of a Label have this form only.
        return f"Error=ValueError Args={[first.message]!r} in definition '{text}'."
    if first.code == codes.INVALID_JSON_DESCRIPTION:
        return f"Invalid State Machine Definition: '{first.code}: {first.message}'"
    return f"Invalid State Machine Definition: '{', '.join(str(error) for error in errors)}'"
