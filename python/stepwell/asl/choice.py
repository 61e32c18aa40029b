"""The rules of a Choice state: 39 operators, And, Or, Not (ASL A9).

A rule becomes one function of the scope. If a value does not have the operator's type, the rule is false; a path that
finds nothing is an error for every operator but IsPresent.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, cast

from stepwell.asl.path_errors import invalid_condition
from stepwell.asl.paths import MISSING, compile_path
from stepwell.asl.scope import Scope
from stepwell.asl.timestamps import parse_instant

Read = Callable[[Scope], Any]
Test = Callable[[Scope], bool]
Normalize = Callable[[Any], Any]
"""Converts a value to the form that its operator compares; None if it has another type."""

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}


def compile_rule(rule: dict[str, Any]) -> Test:
    """The test of a rule, or of a rule within And, Or or Not. ``$`` in it is the scope's input."""
    if "And" in rule:
        return _all([compile_rule(part) for part in rule["And"]])
    if "Or" in rule:
        return _any([compile_rule(part) for part in rule["Or"]])
    if "Not" in rule:
        return _not(compile_rule(rule["Not"]))
    name = next(key for key in rule if key in OPERATORS)
    return OPERATORS[name](rule["Variable"], rule[name])


def _all(tests: list[Test]) -> Test:
    def test(scope: Scope) -> bool:
        for part in tests:  # noqa: SIM110 - a generator costs more than the tests
            if not part(scope):
                return False
        return True

    return test


def _any(tests: list[Test]) -> Test:
    def test(scope: Scope) -> bool:
        for part in tests:  # noqa: SIM110 - a generator costs more than the tests
            if part(scope):
                return True
        return False

    return test


def _not(inner: Test) -> Test:
    return lambda scope: not inner(scope)


def compile_read(text: str) -> Read:
    """Reads the value of a rule's path; if there is none, States.Runtime with AWS's text."""
    return compile_path(text).reader(invalid_condition)


def as_string(value: Any) -> str | None:
    """A string."""
    return value if isinstance(value, str) else None


def as_number(value: Any) -> float | None:
    """A number; booleans are not numbers."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_boolean(value: Any) -> bool | None:
    """A boolean."""
    return value if isinstance(value, bool) else None


def as_instant(value: Any) -> int | None:
    """The instant of an RFC 3339 timestamp."""
    return parse_instant(value) if isinstance(value, str) else None


def compare_strings(compare: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    """``compare`` by UTF-16 code units.

    The order by code points differs only if one string holds a character beyond U+FFFF where the other has one from
    U+E000 to U+FFFF: then both are encoded in UTF-16.
    """

    def by_code_units(left: str, right: str) -> bool:
        if left.isascii() or right.isascii():
            return compare(left, right)
        return compare(left.encode("utf-16-be", "surrogatepass"), right.encode("utf-16-be", "surrogatepass"))

    return by_code_units


def _literal(normalize: Normalize, compare: Callable[[Any, Any], bool]) -> Callable[[str, Any], Test]:
    def compile_operator(variable: str, expected: Any) -> Test:
        read, right = compile_read(variable), normalize(expected)
        if right is None:
            return lambda scope: (read(scope), False)[1]

        def test(scope: Scope) -> bool:
            left = normalize(read(scope))
            return left is not None and compare(left, right)

        return test

    return compile_operator


def _path(normalize: Normalize, compare: Callable[[Any, Any], bool]) -> Callable[[str, Any], Test]:
    def compile_operator(variable: str, path: Any) -> Test:
        read, read_right = compile_read(variable), compile_read(path)

        def test(scope: Scope) -> bool:
            left, right = normalize(read(scope)), normalize(read_right(scope))
            return left is not None and right is not None and compare(left, right)

        return test

    return compile_operator


def _is(has_type: Callable[[Any], bool]) -> Callable[[str, Any], Test]:
    def compile_operator(variable: str, wanted: Any) -> Test:
        read = compile_read(variable)
        return lambda scope: has_type(read(scope)) is wanted

    return compile_operator


def _is_present(variable: str, wanted: Any) -> Test:
    path = compile_path(variable)
    find = path.find

    def test(scope: Scope) -> bool:
        value = find(scope)
        present = value is not MISSING and not (value is None and path.finds_past_end(scope))
        return present is wanted

    return test


def _string_matches(variable: str, pattern: Any) -> Test:
    read = compile_read(variable)
    matches = wildcard(cast("str", pattern)).fullmatch

    def test(scope: Scope) -> bool:
        value = read(scope)
        return isinstance(value, str) and matches(value) is not None

    return test


def wildcard(pattern: str) -> re.Pattern[str]:
    r"""The regular expression of a StringMatches pattern: ``*`` matches anything, ``\*`` a star, ``\\`` a backslash."""
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", pattern)
    return re.compile(
        "".join(
            ".*" if part == "*" else re.escape(part[1:] if len(part) == 2 and part[0] == "\\" else part)
            for part in parts
        ),
        re.DOTALL,
    )


def _operators() -> dict[str, Callable[[str, Any], Test]]:
    found: dict[str, Callable[[str, Any], Test]] = {
        "BooleanEquals": _literal(as_boolean, operator.eq),
        "BooleanEqualsPath": _path(as_boolean, operator.eq),
        "StringMatches": _string_matches,
        "IsPresent": _is_present,
        "IsNull": _is(lambda value: value is None),
        "IsNumeric": _is(lambda value: as_number(value) is not None),
        "IsString": _is(lambda value: isinstance(value, str)),
        "IsBoolean": _is(lambda value: isinstance(value, bool)),
        "IsTimestamp": _is(lambda value: as_instant(value) is not None),
    }
    for name, compare in _COMPARISONS.items():
        by_units = compare if compare is operator.eq else compare_strings(compare)
        kinds: tuple[tuple[str, Normalize, Callable[[Any, Any], bool]], ...] = (
            ("String", as_string, by_units),
            ("Numeric", as_number, compare),
            ("Timestamp", as_instant, compare),
        )
        for kind, normalize, compare_kind in kinds:
            found[kind + name] = _literal(normalize, compare_kind)
            found[f"{kind}{name}Path"] = _path(normalize, compare_kind)
    return found


OPERATORS = _operators()
"""Makes the test of each of the 39 operators from (Variable, its value)."""
