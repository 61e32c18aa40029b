"""Fail: an error of the definition's own (ASL A2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl import jsonata_flow, jsonpath_flow
from stepwell.asl.flow import JSONATA
from stepwell.asl.scope import Scope
from stepwell.asl.states.base import State


class FailState(State):
    """A Fail state; Error and Cause are both optional."""

    type = "Fail"

    def __init__(self, name: str, definition: dict[str, Any], language: str) -> None:
        super().__init__(name, definition, language)
        self._error = _compile_text(definition, "Error", language)
        self._cause = _compile_text(definition, "Cause", language)

    def failure(self, scope: Scope) -> tuple[str | None, str | None]:
        """The error's name and its cause, None if the definition has none."""
        return self._error(scope), self._cause(scope)


def _compile_text(definition: dict[str, Any], name: str, language: str) -> Callable[[Scope], str | None]:
    if language == JSONATA:
        return jsonata_flow.compile_typed_field(definition, name, "string") or _nothing
    if (path := definition.get(f"{name}Path")) is not None:
        return jsonpath_flow.compile_text(path, f"{name}Path")
    text: str | None = definition.get(name)
    return lambda scope: text


def _nothing(scope: Scope) -> None:
    return None
