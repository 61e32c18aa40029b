"""JSONata in the form of Step Functions (ASL A4): expressions compiled once, over ``$states`` and workflow variables.

The language, AWS's additions and its limits are native (``rust/query/src/jsonata``). Values are bound, never inserted
into a text, and no expression can block or exhaust the engine.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Any, Final

from stepwell._core import Jsonata, JsonataError, JsonataSyntaxError
from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.errors import StepwellError

UNSUPPORTED: Final = "unsupported"
"""The error code for a result that is not JSON, such as a function."""


class _Undefined(Enum):
    UNDEFINED = "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = _Undefined.UNDEFINED
"""The result of an expression that finds nothing; JSON's null is a value."""


class ExpressionError(StepwellError):
    """A failed evaluation.

    ``message`` is AWS's text without the code; ``code`` is JSONata's (``T0412``), None if a limit was exceeded
    (depth, time, size), ``unsupported`` if the result is not JSON.
    """

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.message, self.code = message, code


class Expression:
    """A compiled expression, and the names that it reads."""

    __slots__ = ("_native", "context_fields", "reads_root", "states_fields", "text", "variables")

    text: str
    """The text between ``{%`` and ``%}``."""
    variables: frozenset[str]
    """Variables that it does not bind itself, without their ``$``; functions included, ``states`` not."""
    states_fields: frozenset[str] | None
    """The fields of ``$states`` that it reads; None if it reads ``$states`` whole."""
    context_fields: tuple[str, ...]
    """Names at the top level, in order; Step Functions has no context item for them. ``$`` is the item itself."""
    reads_root: bool
    """Whether it contains ``$$``."""

    def __init__(self, text: str) -> None:
        try:
            self._native = Jsonata(text)
        except JsonataSyntaxError as error:
            raise ExpressionSyntaxError(error.args[0]) from None
        self.text = text
        self.variables = self._native.variables
        self.states_fields = self._native.states_fields
        self.context_fields = self._native.context_fields
        self.reads_root = self._native.reads_root

    def evaluate(self, states: dict[str, Any], variables: dict[str, Any]) -> Any:
        """Evaluate with ``states`` as ``$states`` and each variable under its name.

        Returns JSON, or ``UNDEFINED`` if it finds nothing. Numbers that JSON cannot express are strings ("NaN").
        Raises ``ExpressionError``.
        """
        try:
            return self._native.evaluate(states, variables, UNDEFINED)
        except JsonataError as error:
            raise ExpressionError(*error.args) from None

    @property
    def needs_context(self) -> bool:
        """Whether it may read ``$states.context``."""
        return self.states_fields is None or "context" in self.states_fields

    def unsupported_references(self) -> list[str]:
        """AWS's text for each reference that Step Functions refuses (``UNSUPPORTED_JSONATA_EXPRESSION``, A4.18)."""
        found = [f"Reference to '{name}' at the top level is not supported." for name in self.context_fields]
        return [*found, "Reference to '$$' is not supported."] if self.reads_root else found

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Compile the text between ``{%`` and ``%}``; ``ExpressionSyntaxError`` carries AWS's text if it does not parse."""
    return Expression(text)
