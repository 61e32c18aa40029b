"""Our answers to the oracle's questions, and their comparison."""

from __future__ import annotations

from typing import Any

from stepwell._core import Jsonata, JsonataError, JsonataSyntaxError

NOTHING = object()


def our_answer(question: dict[str, Any]) -> dict[str, Any]:
    """``value``, ``nothing``, ``function``, or ``error`` (the code or None) with ``stage`` and ``message``."""
    try:
        expression = Jsonata(question["expr"])
    except JsonataSyntaxError as error:
        return {"error": error.args[1], "stage": "parse", "message": error.args[0]}
    try:
        if "bindings" in question:
            value = expression.evaluate(question["bindings"]["states"], question["bindings"], NOTHING)
        else:
            value = expression.evaluate_over(question["data"], {}, NOTHING)
    except JsonataError as error:
        if error.args[1] == "unsupported":
            return {"function": True}
        return {"error": error.args[1], "stage": "evaluate", "message": error.args[0]}
    return {"nothing": True} if value is NOTHING else {"value": value}


def plain(value: Any) -> Any:
    """JSON for comparison: numbers as doubles, objects with the order of their fields."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return [(name, plain(item)) for name, item in value.items()]


def agree(oracle: dict[str, Any], ours: dict[str, Any]) -> bool:
    """Whether both give the same JSON, both nothing, both a function, or both the same error."""
    if "value" in oracle or "value" in ours:
        return "value" in oracle and "value" in ours and repr(plain(oracle["value"])) == repr(plain(ours["value"]))
    return all(oracle.get(name) == ours.get(name) for name in ("nothing", "function", "error", "stage"))
