"""The common parts of all states."""

from __future__ import annotations

from typing import Any, ClassVar

from stepwell.asl.flow import (
    Read,
    compile_catchers,
    compile_input_finish,
    compile_result_finish,
    pass_on,
    raw_input,
)
from stepwell.asl.outcome import Outcome
from stepwell.asl.retry import Catcher, Retrier, compile_retriers
from stepwell.asl.scope import Scope


class State:
    """A state of a machine. ``next`` is None if the state ends its level."""

    type: ClassVar[str]
    retriers: tuple[Retrier, ...] = ()
    catchers: tuple[Catcher, ...] = ()
    distributed: bool = False
    """Whether it is a Map state whose iterations are child executions."""

    def __init__(self, name: str, definition: dict[str, Any], language: str) -> None:
        self.name = name
        self.definition = definition
        self.query_language = language
        self.next: str | None = definition.get("Next")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class InputState(State):
    """A state that makes its output from its input: Pass, Succeed, Wait.

    ``arguments(scope)`` is what its output is made of. ``identity``: its output is the raw input and it sets no
    variables.
    """

    def __init__(self, name: str, definition: dict[str, Any], language: str, arguments: Read | None) -> None:
        super().__init__(name, definition, language)
        finish = compile_input_finish(definition, language)
        self.identity = arguments is None and finish is None
        self.arguments = arguments or raw_input
        self.finish = finish or pass_on

    def run(self, scope: Scope) -> Outcome:
        """Its output, and the variables that it sets."""
        return self.finish(scope, self.arguments(scope))


class WorkState(State):
    """A state that waits for a result: Task, Parallel, Map.

    ``finish(scope, result)`` returns the outcome; ``result_identity`` means that the output is the result and no
    variables are set.
    """

    def __init__(self, name: str, definition: dict[str, Any], language: str) -> None:
        super().__init__(name, definition, language)
        finish = compile_result_finish(definition, language)
        self.finish = finish or pass_on
        self.result_identity = finish is None
        self.retriers = compile_retriers(definition.get("Retry"))
        self.catchers = compile_catchers(definition, language)
