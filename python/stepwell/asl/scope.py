"""The values that an expression may read: the state's input, the workflow variables and the Context Object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Scope:
    """The values that a state can read while it runs.

    ``variables`` are merged already, inner over outer (ASL A5.29). The Context Object is made on first use, because
    most states never read it.
    """

    __slots__ = ("_context", "_context_factory", "input", "variables")

    def __init__(self, input: Any, variables: dict[str, Any], context_factory: Callable[[], dict[str, Any]]) -> None:
        self.input = input
        self.variables = variables
        self._context_factory = context_factory
        self._context: dict[str, Any] | None = None

    @property
    def context(self) -> dict[str, Any]:
        """The Context Object (ASL A14); it must not be changed."""
        if self._context is None:
            self._context = self._context_factory()
        return self._context

    def with_input(self, input: Any) -> Scope:
        """The same variables and Context Object with another input, for example that of InputPath or ItemsPath."""
        scope = Scope(input, self.variables, self._context_factory)
        scope._context = self._context
        return scope
