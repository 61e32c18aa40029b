"""The error that a state raises: an ASL error by name, for Retry and Catch to match (ASL A6)."""

from __future__ import annotations

from stepwell.errors import InvalidDefinition, StepwellError

RUNTIME = "States.Runtime"


class AslError(StepwellError):
    """An error while a state ran, as the execution's history shows it.

    ``error`` is the name that retriers and catchers match, ``cause`` the text for people. ``location`` is the
    field of a JSONata expression (``Output/a/b``) and asks for an EvaluationFailed event. ``interpreter`` means that
    the cause is the interpreter's own text: the engine puts "An error occurred while executing the state …" before it,
    once (ASL A6.34). The causes of tasks are not changed.
    """

    def __init__(
        self, error: str, cause: str | None = None, *, location: str | None = None, interpreter: bool = False
    ) -> None:
        super().__init__(error if cause is None else f"{error}: {cause}")
        self.error, self.cause, self.location, self.interpreter = error, cause, location, interpreter

    @property
    def catchable(self) -> bool:
        """Whether a retrier or catcher may match it: States.Runtime always ends the execution."""
        return self.error != RUNTIME


def runtime_error(cause: str) -> AslError:
    """The States.Runtime error with the interpreter's text ``cause``."""
    return AslError(RUNTIME, cause, interpreter=True)


class ExpressionSyntaxError(InvalidDefinition):
    """A path, an intrinsic call or a JSONata expression that does not parse; found when a machine is compiled."""
