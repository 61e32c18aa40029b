"""Wait: a state that ends at a time (ASL A10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl import jsonata_flow, jsonpath_flow
from stepwell.asl.errors import AslError, runtime_error
from stepwell.asl.flow import (
    JSONATA,
    Read,
    compile_effective_input,
    within,
)
from stepwell.asl.jsonata_template import query_error
from stepwell.asl.numbers import text_of, whole_number
from stepwell.asl.path_errors import no_input_value
from stepwell.asl.scope import Scope
from stepwell.asl.states.base import InputState
from stepwell.asl.timestamps import MICROS_PER_SECOND, parse_timestamp

# AWS refuses what does not fit into its 32-bit count of seconds.
LONGEST_DELAY_MICROS = (2**31 - 1) * MICROS_PER_SECOND

Due = Callable[[Scope, int], int]


class WaitState(InputState):
    """A Wait state. Its output is its input once the time has come."""

    type = "Wait"

    def __init__(self, name: str, definition: dict[str, Any], language: str) -> None:
        effective = compile_effective_input(definition, language)
        super().__init__(name, definition, language, effective)
        self._due = _compile_due(definition, language, effective)

    def due(self, scope: Scope, now_micros: int) -> int:
        """When the wait ends, in microseconds since the epoch and not before ``now_micros``."""
        due = max(self._due(scope, now_micros), now_micros)
        if due - now_micros > LONGEST_DELAY_MICROS:
            raise runtime_error("Wait state delay is too long.")
        return due


def _compile_due(definition: dict[str, Any], language: str, effective: Read | None) -> Due:
    if language == JSONATA:
        if "Seconds" in definition:
            return _after(jsonata_flow.compile_typed_field(definition, "Seconds", "number"), _jsonata_seconds)
        return _at(jsonata_flow.compile_typed_field(definition, "Timestamp", "string"), _jsonata_timestamp)
    if (path := definition.get("SecondsPath")) is not None:
        read = within(effective, jsonpath_flow.compile_path(path, no_input_value("SecondsPath")))
        return _after(read, lambda value: _path_seconds(path, value))
    if (path := definition.get("TimestampPath")) is not None:
        read = within(effective, jsonpath_flow.compile_path(path, no_input_value("TimestampPath")))
        return _at(read, lambda value: _bad_timestamp("TimestampPath", f"{path} == {text_of(value)}"))
    if "Seconds" in definition:
        delay = int(definition["Seconds"] * MICROS_PER_SECOND)
        return lambda scope, now: now + delay
    literal: str = definition["Timestamp"]
    return _at(lambda scope: literal, lambda value: _bad_timestamp("Timestamp", literal))


def _after(read: Read | None, seconds_of: Callable[[Any], int]) -> Due:
    assert read is not None
    return lambda scope, now: now + seconds_of(read(scope)) * MICROS_PER_SECOND


def _at(read: Read | None, problem: Callable[[Any], AslError]) -> Due:
    assert read is not None

    def due(scope: Scope, now: int) -> int:
        value = read(scope)
        at = parse_timestamp(value) if isinstance(value, str) else None
        if at is None:
            raise problem(value)
        return at

    return due


def _path_seconds(path: str, value: Any) -> int:
    seconds = whole_number(value)
    if seconds is None:
        raise runtime_error(f"The SecondsPath parameter cannot be parsed as a long value: {path} == {text_of(value)}")
    if seconds < 0:
        raise runtime_error(f"The SecondsPath parameter references a negative value: {path} == {seconds}")
    return seconds


def _jsonata_seconds(value: Any) -> int:
    seconds = whole_number(value)
    if seconds is None or isinstance(value, str):
        raise query_error(f"The Seconds field cannot be parsed as a long value: {text_of(value)}", "Seconds")
    if seconds < 0:
        raise query_error(f"The Seconds field references a negative value: {seconds}", "Seconds")
    return seconds


def _jsonata_timestamp(value: Any) -> AslError:
    problem = "cannot be parsed as an ISO-8601 extended offset date-time format string"
    return query_error(f"The Timestamp field {problem}: {value}", "Timestamp")


def _bad_timestamp(field: str, found: str) -> AslError:
    return runtime_error(
        f"The {field} parameter does not reference a valid ISO-8601 extended offset date-time format string: {found}"
    )
