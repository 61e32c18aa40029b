"""What a path that finds nothing says: States.Runtime, in the words of the field that it stands in (ASL A3.11, A6.35).

Where AWS's text is not known, the field has the words of its nearest relative; ``docs/asl-parity.md`` lists which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stepwell.asl.errors import AslError, runtime_error
from stepwell.asl.json import rendered
from stepwell.asl.jsonpath import MISSING

if TYPE_CHECKING:
    from stepwell.asl.paths import Path
    from stepwell.asl.scope import Scope

NotFound = Callable[["Path", "Scope"], AslError]
"""(path, scope) → the error."""


def invalid_path(path: Path, scope: Scope) -> AslError:
    """InputPath, OutputPath, ItemsPath, MaxConcurrencyPath and their like: with the path library's own reason."""
    root = path.root(scope)
    problem = "No results for path: $" if root is MISSING else path.query.problem(root)
    return runtime_error(f"Invalid path '{path.reference}' : {problem}")


def not_in_input(field: str) -> NotFound:
    """A field of a payload template (``name.$``), ErrorPath, CausePath: the text shows what was searched.

    Where the path reads the Context Object or a variable, AWS shows the input of the state all the same.
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
    """The Variable of a choice rule, and the path that it is compared with."""
    return runtime_error(
        f"Invalid path '{path.reference}': The choice state's condition path references an invalid value."
    )


def null_input() -> AslError:
    """A path over an input that is null: AWS's reader of paths takes no null document, not even for ``$``."""
    return runtime_error("Unable to apply Path transformation to null or empty input.")
