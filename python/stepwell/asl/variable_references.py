"""The workflow variables that each state reads, in the form of DescribeStateMachine's ``variableReferences``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from stepwell.asl.jsonata import compile_expression
from stepwell.asl.validate.fields import JSONATA, JSONPATH
from stepwell.asl.validate.values import is_expression
from stepwell.asl.validate.variables import inner_levels, states_of

# Inner states are separate states; error names, constants and comments have no expressions.
_NOT_READ = frozenset(
    {
        "Comment",
        "Next",
        "Default",
        "Resource",
        "ErrorEquals",
        "Retry",
        "Result",
        "ItemProcessor",
        "Iterator",
        "Branches",
    }
)
# Within these every key is the user's own.
_PAYLOADS = frozenset(
    {"Parameters", "Arguments", "ResultSelector", "ItemSelector", "BatchInput", "Assign", "Output", "Items"}
)
_FUNCTION_NAMES = """
    abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl
    decodeUrlComponent distinct each encodeUrl encodeUrlComponent error eval exists filter floor formatBase
    formatInteger formatNumber fromMillis hash join keys length lookup lowercase map match max merge millis min not
    now number pad parse parseInteger partition power random range reduce replace reverse round shuffle sift single
    sort split spread sqrt string substring substringAfter substringBefore sum toMillis trim type uppercase uuid zip
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'")
_VARIABLE = re.compile(r"(?<!\$)\$([^\W\d]\w*)")


def variable_references(definition: dict[str, Any]) -> dict[str, list[str]]:
    """The names of the variables that each state reads, sorted; states that read none are left out."""
    found: dict[str, list[str]] = {}
    for name, state, language in all_states(definition):
        if names := variables_read(state, language):
            found[name] = sorted(names)
    return found


def all_states(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every state at every level, with its name and query language."""
    machine_language: str = definition.get("QueryLanguage", JSONPATH)

    def within(level: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
        for name, state in states_of(level):
            yield name, state, state.get("QueryLanguage", machine_language)
            for inner in inner_levels(state, ""):
                yield from within(inner.value)

    return within(definition)


def variables_read(state: dict[str, Any], language: str) -> set[str]:
    """The variables that one state reads, in its choice rules and catchers too."""
    if language == JSONATA:
        return set(_in_expressions(state, payload=False))
    return set(_in_paths(state, payload=False))


def _in_expressions(value: Any, *, payload: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            if payload or key not in _NOT_READ:
                yield from _in_expressions(item, payload=payload or key in _PAYLOADS)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _in_expressions(item, payload=payload)
    elif is_expression(value):
        yield from compile_expression(value[2:-2].strip()).variables - _FUNCTIONS


def _in_paths(value: Any, *, payload: bool) -> Iterator[str]:
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _in_paths(item, payload=payload)
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            if isinstance(item, str):
                if key.endswith(".$") or (not payload and (key.endswith("Path") or key == "Variable")):
                    yield from _in_path(item)
            elif payload or key not in _NOT_READ:
                yield from _in_paths(item, payload=payload or key in _PAYLOADS)


def _in_path(text: str) -> Iterator[str]:
    if text.startswith("$"):
        if found := _VARIABLE.match(text):
            yield found[1]
    else:
        yield from _VARIABLE.findall(_QUOTED.sub("", text))
