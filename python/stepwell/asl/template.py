"""Payload templates: objects in which the value of a field ``name.$`` is an expression for ``name`` (ASL A3.12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl.errors import ExpressionSyntaxError, runtime_error
from stepwell.asl.intrinsics import compile_intrinsic
from stepwell.asl.json import is_array, is_object
from stepwell.asl.path_errors import not_in_input
from stepwell.asl.paths import compile_path
from stepwell.asl.scope import Scope
from stepwell.asl.sizes import check_size

__all__ = ["Template", "compile_template", "compile_value_expression"]

Evaluate = Callable[[Scope], Any]
INTRINSIC_PREFIX = "States."
EXPRESSION_SUFFIX = ".$"


class Template:
    """A compiled template. Calling it with a scope, whose input is the ``$`` of its paths, returns the value.

    ``constant``: it has no expression, and ``value`` is its result.
    """

    __slots__ = ("_can_grow", "_evaluate", "constant", "value")
    _evaluate: Evaluate

    def __init__(self, value: Any, evaluate: Evaluate | None) -> None:
        self.constant, self.value = evaluate is None, value
        self._evaluate = evaluate or (lambda scope: value)
        self._can_grow = evaluate is not None and _count(value) > 1

    def __call__(self, scope: Scope) -> Any:
        try:
            result = self._evaluate(scope)
        except RecursionError as error:
            raise runtime_error("The payload template is nested too deeply.") from error
        if self._can_grow:  # until here, fields that name one value share it
            check_size(result)
        return result


def compile_template(template: Any) -> Template:
    """The template of a definition's value. Raises ExpressionSyntaxError."""
    try:
        return Template(template, _compile(template))
    except RecursionError as error:
        raise ExpressionSyntaxError("The payload template is nested too deeply.") from error


def compile_value_expression(text: str, field: str) -> Evaluate:
    """The value of a ``.$`` key: a path, a Context Object path, a variable, an intrinsic call.

    ``field`` is the name in the error of a path that finds nothing (``name.$``).
    """
    if text.startswith(INTRINSIC_PREFIX):
        return compile_intrinsic(text)
    return compile_path(text).reader(not_in_input(field))


def _count(template: Any) -> int:
    """How many expressions a template holds."""
    if is_object(template):
        return sum(1 if key.endswith(EXPRESSION_SUFFIX) else _count(value) for key, value in template.items())
    return sum(map(_count, template)) if is_array(template) else 0


def _compile(template: Any) -> Evaluate | None:
    """The function of a template, or None if it is constant."""
    if is_object(template):
        return _compile_object(template)
    if is_array(template):
        return _compile_array(template)
    return None


def _compile_object(template: dict[str, Any]) -> Evaluate | None:
    fields: list[tuple[str, Evaluate]] = []
    constants: dict[str, Any] = {}
    for key, value in template.items():
        name, evaluate = _compile_field(key, value)
        if name in constants:
            raise ExpressionSyntaxError(f"The field '{name}' is given twice, as '{name}' and '{name}.$'.")
        # Constants and expressions share one dict, to keep the order of the fields.
        constants[name] = value
        if evaluate is not None:
            fields.append((name, evaluate))
    if not fields:
        return None

    def evaluate_object(scope: Scope) -> dict[str, Any]:
        result = constants.copy()
        for name, evaluate in fields:
            result[name] = evaluate(scope)
        return result

    return evaluate_object


def _compile_field(key: str, value: Any) -> tuple[str, Evaluate | None]:
    if not key.endswith(EXPRESSION_SUFFIX):
        return key, _compile(value)
    if not isinstance(value, str):
        raise ExpressionSyntaxError(
            f"The value for the field '{key}' must be a STRING that contains a JSONPath or an intrinsic function call."
        )
    return key.removesuffix(EXPRESSION_SUFFIX), compile_value_expression(value, key)


def _compile_array(template: list[Any]) -> Evaluate | None:
    items = [(position, evaluate) for position, item in enumerate(template) if (evaluate := _compile(item))]
    if not items:
        return None

    def evaluate_array(scope: Scope) -> list[Any]:
        result = template.copy()
        for position, evaluate in items:
            result[position] = evaluate(scope)
        return result

    return evaluate_array
