"""Parallel: branches over one input (ASL A11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepwell.asl.flow import compile_arguments, raw_input
from stepwell.asl.states.base import WorkState

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine


class ParallelState(WorkState):
    """A Parallel state: every branch begins with ``arguments(scope)``; its result is their outputs, in order."""

    type = "Parallel"

    def __init__(
        self, name: str, definition: dict[str, Any], language: str, branches: tuple[StateMachine, ...]
    ) -> None:
        super().__init__(name, definition, language)
        arguments = compile_arguments(definition, language)
        self.arguments = arguments or raw_input
        self.arguments_identity = arguments is None
        self.branches = branches
