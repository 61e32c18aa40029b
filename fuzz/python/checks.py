"""Checks of what must hold for any text that a user passes: a result or a named error, within a time limit.

Each check takes the bytes that a fuzzer made. ``fuzz/python/fuzz.py`` runs one of them for minutes,
``tests/fuzz`` runs all of them over their seeds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from stepwell.asl.definition import compile_definition
from stepwell.asl.errors import AslError, ExpressionSyntaxError
from stepwell.asl.intrinsics import compile_intrinsic
from stepwell.asl.json import dumps, loads
from stepwell.asl.jsonata import UNDEFINED, ExpressionError, compile_expression
from stepwell.asl.lints import lint
from stepwell.asl.paths import MISSING, compile_path, compile_reference_path
from stepwell.asl.scope import Scope
from stepwell.asl.validate import ERROR, check_definition, validate
from stepwell.asl.variable_references import variable_references
from stepwell.errors import InvalidDefinition

SLOW_SECONDS = 5.0
"""The most processor time that a text of a fuzzer's size may take."""
DOCUMENT = loads(
    '{"a": [1, {"b": 2, "c": [null, true]}, "x", -0.5, [3, 1, 2]], "b": {"c": {"d": "text"}}, "s": "a,b;c",'
    ' "n": 7, "big": 9007199254740993, "e": {}, "l": [], "j": "{\\"k\\": [1]}", "t": "2024-01-01T00:00:00Z"}'
)
CONTEXT = {"Execution": {"Name": "e", "Input": DOCUMENT}, "State": {"Name": "S"}, "StateMachine": {"Id": "m"}}


def definition(data: bytes) -> None:
    """Validation gives the same diagnostics twice, and a definition without errors compiles."""
    text = data.decode("utf-8", "replace")
    found = validate(text)
    assert all(str(problem) for problem in found)
    assert validate(text) == found, "one text, one result"
    if any(problem.severity == ERROR for problem in found):
        try:
            check_definition(text)
        except InvalidDefinition:
            return
        raise AssertionError("a definition with errors was accepted")
    checked = check_definition(text)
    lint(checked)
    variable_references(checked)
    assert compile_definition(text).start_at == json.loads(text)["StartAt"]


def jsonpath(data: bytes) -> None:
    """A path gives JSON, nothing, or a named error; what a reference path sets, it finds again."""
    text = data.decode("utf-8", "replace")
    try:
        path = compile_path(text)
        value = path.evaluate(_scope())
        assert value is MISSING or loads(dumps(value)) == value
        path.finds_past_end(_scope())
    except (ExpressionSyntaxError, AslError):
        pass
    try:
        reference = compile_reference_path(text)
        placed = reference.set(loads(dumps(DOCUMENT)), "placed")
        assert reference.get(placed) == "placed"
    except (ExpressionSyntaxError, AslError):
        pass


def intrinsic(data: bytes) -> None:
    """A call gives JSON or a named error."""
    try:
        value = compile_intrinsic(data.decode("utf-8", "replace"))(_scope())
    except (ExpressionSyntaxError, AslError):
        return
    assert loads(dumps(value)) == value


def jsonata(data: bytes) -> None:
    """An expression gives JSON, nothing, or a named error."""
    try:
        expression = compile_expression(data.decode("utf-8", "replace"))
        expression.unsupported_references()
        value = expression.evaluate({"input": DOCUMENT, "context": CONTEXT}, {"v": DOCUMENT})
    except (ExpressionError, ExpressionSyntaxError):
        return
    assert value is UNDEFINED or loads(dumps(value)) == value


def _scope() -> Scope:
    return Scope(DOCUMENT, {"v": DOCUMENT, "x": 1}, lambda: CONTEXT)


def timed(check: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The check with a limit of processor time."""

    def run(data: bytes) -> None:
        before, began = loads(dumps(DOCUMENT)), time.process_time()
        check(data)
        seconds = time.process_time() - began
        assert seconds < SLOW_SECONDS, f"{seconds:.1f} s for {data!r}"
        assert before == DOCUMENT, "an expression changed its input"

    return run


CHECKS: dict[str, Callable[[bytes], Any]] = {
    check.__name__: timed(check) for check in (definition, jsonpath, intrinsic, jsonata)
}
