"""Pass and Succeed: states that return their input, shaped (ASL A2, A3)."""

from __future__ import annotations

from typing import Any

from stepwell.asl.flow import (
    JSONATA,
    Read,
    compile_arguments,
    compile_effective_input,
    compile_input_finish,
    pass_on,
    raw_input,
)
from stepwell.asl.outcome import Outcome
from stepwell.asl.scope import Scope
from stepwell.asl.states.base import State


class PassState(State):
    """A Pass state. ``identity``: its output is the raw input and it sets no variables."""

    type = "Pass"

    def __init__(self, name: str, definition: dict[str, Any], language: str) -> None:
        super().__init__(name, definition, language)
        arguments = _compile_result(definition, language)
        finish = compile_input_finish(definition, language)
        self.identity = arguments is None and finish is None
        self.arguments = arguments or raw_input
        self.finish = finish or pass_on

    def run(self, scope: Scope) -> Outcome:
        """The outcome, made of the input by Result, Parameters or Output."""
        return self.finish(scope, self.arguments(scope))


class SucceedState(State):
    """A Succeed state. ``identity``: its output is the raw input."""

    type = "Succeed"

    def __init__(self, name: str, definition: dict[str, Any], language: str) -> None:
        super().__init__(name, definition, language)
        effective = compile_effective_input(definition, language)
        finish = compile_input_finish(definition, language)
        self.identity = effective is None and finish is None
        self.effective_input = effective or raw_input
        self.finish = finish or pass_on

    def run(self, scope: Scope) -> Outcome:
        """The outcome: the output of its level."""
        return self.finish(scope, self.effective_input(scope))


def _compile_result(definition: dict[str, Any], language: str) -> Read | None:
    if "Result" in definition:
        result = definition["Result"]
        return lambda scope: result
    return None if language == JSONATA else compile_arguments(definition, language)
