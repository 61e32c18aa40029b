"""Pass and Succeed: states that return their input, shaped (ASL A2, A3)."""

from __future__ import annotations

from typing import Any

from stepwell.asl.flow import JSONATA, Read, compile_arguments, compile_effective_input
from stepwell.asl.states.base import InputState


class PassState(InputState):
    """A Pass state. Its output is made of Result, or of its input by Parameters or Output."""

    type = "Pass"

    def __init__(self, name: str, definition: dict[str, Any], language: str) -> None:
        super().__init__(name, definition, language, _compile_result(definition, language))


class SucceedState(InputState):
    """A Succeed state. Its output is the output of its level."""

    type = "Succeed"

    def __init__(self, name: str, definition: dict[str, Any], language: str) -> None:
        super().__init__(name, definition, language, compile_effective_input(definition, language))


def _compile_result(definition: dict[str, Any], language: str) -> Read | None:
    if "Result" in definition:
        result = definition["Result"]
        return lambda scope: result
    return None if language == JSONATA else compile_arguments(definition, language)
