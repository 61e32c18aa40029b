"""The error of a path that finds nothing: States.Runtime, with the text of the path's field (ASL A3.11, A6.35).

If AWS's text is not known, the field has the text of the most similar field; ``docs/asl-parity.md`` lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from stepwell.asl.errors import AslError, runtime_error
from stepwell.asl.json import rendered
from stepwell.asl.jsonpath import MISSING, Query
from stepwell.asl.scope import Scope


class Path(Protocol):
    """A compiled path (``paths.Path``), as far as errors tell of one."""

    text: str
    reference: str
    query: Query

    def root(self, scope: Scope) -> Any:
        """The value that the path starts from, or MISSING."""
        ...


NotFound = Callable[[Path, Scope], AslError]
"""(path, scope) → the error."""


def invalid_path(path: Path, scope: Scope) -> AslError:
    """InputPath, OutputPath, ItemsPath, MaxConcurrencyPath and similar fields: with the path library's reason."""
    root = path.root(scope)
    problem = "No results for path: $" if root is MISSING else path.query.problem(root)
    return runtime_error(f"Invalid path '{path.reference}' : {problem}")


def not_in_input(field: str) -> NotFound:
    """A field of a payload template (``name.$``), ErrorPath, CausePath: the text shows the value that was searched.

    If the path reads the Context Object or a variable, AWS nevertheless shows the input of the state.
    """

    def error(path: Path, scope: Scope) -> AslError:
        return runtime_error(
            f"The JSONPath '{path.text}' specified for the field '{field}' could not be found in the input "
            f"'{rendered(scope.input)}'"
        )

    return error


def no_input_value(field: str) -> NotFound:
    """SecondsPath, TimestampPath, TimeoutSecondsPath, HeartbeatSecondsPath."""

    def error(path: Path, scope: Scope) -> AslError:
        return runtime_error(f"The {field} parameter does not reference an input value: {path.text}")

    return error


def invalid_condition(path: Path, scope: Scope) -> AslError:
    """The Variable of a choice rule, and the path of its operand."""
    return runtime_error(
        f"Invalid path '{path.reference}': The choice state's condition path references an invalid value."
    )


def null_input() -> AslError:
    """A path over an input that is null: AWS's path reader refuses a null document, even for ``$``."""
    return runtime_error("Unable to apply Path transformation to null or empty input.")
