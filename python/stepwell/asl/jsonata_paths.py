"""Plain JSONata paths, such as ``$states.input.order.id`` or ``$total``, read without the evaluator.

Most expressions of a state machine are such paths. If every value along the path is an object, the result is simple:
the value itself (also an array), or nothing. Everything else, such as an array that maps or an unset variable, is left
to the evaluator.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Evaluate = Callable[[dict[str, Any], dict[str, Any]], Any]
"""(states, variables) → value."""

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PATH = re.compile(rf"\$({_NAME})((?:\.{_NAME})*)")
# After a dot these are not names, or not certainly: true is the literal there.
_WORDS = frozenset({"and", "or", "in", "true", "false", "null", "function"})
_MISSING = object()


def plain_path(source: str, evaluate: Evaluate) -> Evaluate:
    """A faster ``evaluate`` if ``source`` is a plain path, else ``evaluate`` itself."""
    match = _PATH.fullmatch(source)
    if match is None:
        return evaluate
    variable, names = match[1], tuple(match[2].split(".")[1:])
    if _WORDS.intersection(names):
        return evaluate
    if variable == "states":
        return _states_reader(names, evaluate) if names else evaluate
    return _variable_reader(variable, names, evaluate)


def _states_reader(names: tuple[str, ...], evaluate: Evaluate) -> Evaluate:
    def read(states: dict[str, Any], variables: dict[str, Any]) -> Any:
        value = _follow(states, names)
        return evaluate(states, variables) if value is _MISSING else value

    return read


def _variable_reader(variable: str, names: tuple[str, ...], evaluate: Evaluate) -> Evaluate:
    def read(states: dict[str, Any], variables: dict[str, Any]) -> Any:
        value = variables.get(variable, _MISSING)
        if names and value is not _MISSING:
            value = _follow(value, names)
        return evaluate(states, variables) if value is _MISSING else value

    return read


def _follow(value: Any, names: tuple[str, ...]) -> Any:
    try:
        for name in names:
            value = value[name]
    except (KeyError, TypeError):  # not an object, or without such a member
        return _MISSING
    return value
