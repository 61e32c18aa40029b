"""JSONata in a state's fields: ``{% … %}`` strings at any depth, and AWS's texts for failures (ASL A4).

A template is compiled to one function of ``(states, variables)``; a template without expressions is a constant. Fields
are named as AWS names them: ``Output/a/b[0][1]``, ``Choices[1]/Condition``.
"""

from __future__ import annotations

from typing import Any, cast

from msgspec import Struct

from stepwell.asl.errors import AslError
from stepwell.asl.json import dumps
from stepwell.asl.jsonata import UNDEFINED, UNSUPPORTED, ExpressionError, compile_expression
from stepwell.asl.jsonata_paths import Evaluate, plain_path
from stepwell.asl.sizes import check_size

QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"


class Template(Struct, frozen=True):
    """A compiled field. ``evaluate`` is None if the field is a constant, ``constant`` its value."""

    evaluate: Evaluate | None
    constant: Any
    needs_context: bool


def is_expression(value: Any) -> bool:
    """Whether a value of the definition is a JSONata expression: a string from ``{%`` to ``%}`` exactly."""
    return isinstance(value, str) and len(value) >= 4 and value.startswith("{%") and value.endswith("%}")


def compile_template(value: Any, field: str) -> Template:
    """Compile the JSON value of ``field``, with the expressions in it at any depth."""
    if is_expression(value):
        return _compile_leaf(value, field)
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return _compile_object({key: compile_template(item, f"{field}/{key}") for key, item in members.items()}, value)
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return _compile_array([compile_template(item, f"{field}[{i}]") for i, item in enumerate(items)], value)
    return Template(None, value, False)


def _compile_leaf(text: str, field: str) -> Template:
    source = text[2:-2].strip()
    expression = compile_expression(source)
    run = plain_path(source, expression.evaluate)

    def evaluate(states: dict[str, Any], variables: dict[str, Any]) -> Any:
        try:
            value = run(states, variables)
        except ExpressionError as error:
            raise _evaluation_error(error, source, field) from error
        if value is UNDEFINED:
            raise query_error(_about(source, field) + " returned nothing (undefined).", field)
        return value

    return Template(evaluate, None, expression.needs_context)


def _compile_object(members: dict[str, Template], value: Any) -> Template:
    if all(member.evaluate is None for member in members.values()):
        return Template(None, value, False)
    parts = [(key, member.evaluate, member.constant) for key, member in members.items()]

    def evaluate(states: dict[str, Any], variables: dict[str, Any]) -> Any:
        size = 0
        result: dict[str, Any] = {}
        for key, run, constant in parts:
            result[key] = value = constant if run is None else run(states, variables)
            if run is not None:
                size = check_size(value, size)
        return result

    return Template(evaluate, None, any(member.needs_context for member in members.values()))


def _compile_array(items: list[Template], value: Any) -> Template:
    if all(item.evaluate is None for item in items):
        return Template(None, value, False)
    parts = [(item.evaluate, item.constant) for item in items]

    def evaluate(states: dict[str, Any], variables: dict[str, Any]) -> Any:
        size = 0
        result: list[Any] = []
        for run, constant in parts:
            value = constant if run is None else run(states, variables)
            if run is not None:
                size = check_size(value, size)
            result.append(value)
        return result

    return Template(evaluate, None, any(item.needs_context for item in items))


def compile_typed(value: Any, field: str, expected: str) -> Template:
    """Compile a field whose expression must return a value of JSON type ``expected``.

    ``expected`` is array, object, string, number, integer or boolean; ``array|object`` accepts either and names the
    first in its error.
    """
    template = compile_template(value, field)
    run = template.evaluate
    if run is None or not is_expression(value):
        return template
    source = cast("str", value)[2:-2].strip()
    accepted = expected.split("|")

    def evaluate(states: dict[str, Any], variables: dict[str, Any]) -> Any:
        result = run(states, variables)
        found = json_type(result)
        if found in accepted or (type(result) is int and "integer" in accepted):
            return result
        raise query_error(
            f"{_about(source, field)} returned an unexpected result type. "
            f"Expected '{accepted[0]}', but was '{found}' for value: {dumps(result).decode()}",
            field,
        )

    return Template(evaluate, None, template.needs_context)


def json_type(value: Any) -> str:
    """JSON's name of a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def query_error(cause: str, location: str) -> AslError:
    """A States.QueryEvaluationError with the interpreter's text, for the field ``location``; "" for no field."""
    return AslError(QUERY_EVALUATION_ERROR, cause, location=location, interpreter=True)


def _about(source: str, field: str) -> str:
    return f"The JSONata expression '{source}' specified for the field '{field}'"


def _evaluation_error(error: ExpressionError, source: str, field: str) -> AslError:
    if error.code == UNSUPPORTED:
        return query_error(_about(source, field) + " returned an unsupported result type.", field)
    # AWS begins a new sentence for a message with a code, and continues after a colon without one (ASL A4.23).
    detail = f". {error.code}: {error.message}" if error.code else f": {error.message}"
    return query_error(f"{_about(source, field)} threw an error during evaluation{detail}", field)
