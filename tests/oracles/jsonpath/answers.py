"""Our answers to the oracle's questions, and their comparison."""

from __future__ import annotations

import json
from typing import Any

from stepwell.asl.errors import AslError, ExpressionSyntaxError
from stepwell.asl.jsonpath import MISSING, compile_query

_WRAPPING = "com.jayway.jsonpath.InvalidPathException: "


def without_wrapping(message: str) -> str:
    """The text without the names of wrapping exceptions, one for each filter within a filter."""
    while message.startswith(_WRAPPING):
        message = message.removeprefix(_WRAPPING)
    return message


def our_answer(question: dict[str, Any]) -> dict[str, Any]:
    """Our result: ``value``, or ``error`` with ``stage`` and ``message``."""
    try:
        query = compile_query(question["path"])
    except ExpressionSyntaxError as error:
        return {"error": "syntax", "stage": "compile", "message": str(error)}
    try:
        value = query.find(question["doc"])
    except AslError as error:
        return {"error": error.error, "stage": "evaluate", "message": error.cause}
    if value is MISSING:
        return {"error": "missing", "stage": "evaluate", "message": query.problem(question["doc"])}
    return {"value": value}


def agree(oracle: dict[str, Any], ours: dict[str, Any]) -> bool:
    """Whether both find the same JSON, with fields in the same order, or both nothing."""
    if "value" in oracle and "value" in ours:
        return json.dumps(oracle["value"]) == json.dumps(ours["value"])
    return "error" in oracle and "error" in ours
