"""The results of validation: problems with code, text and place, in the form of ValidateStateMachineDefinition."""

from __future__ import annotations

from msgspec import Struct

ERROR, WARNING = "ERROR", "WARNING"

SCHEMA_VALIDATION_FAILED = "SCHEMA_VALIDATION_FAILED"
INVALID_JSON_DESCRIPTION = "INVALID_JSON_DESCRIPTION"
MISSING_TRANSITION_TARGET = "MISSING_TRANSITION_TARGET"
MISSING_END_STATE = "MISSING_END_STATE"
DUPLICATE_STATE_NAME = "DUPLICATE_STATE_NAME"
INVALID_STATE_NAME = "INVALID_STATE_NAME"
DUPLICATE_LABEL_NAME = "DUPLICATE_LABEL_NAME"
INVALID_LABEL_NAME = "INVALID_LABEL_NAME"
TOO_DEEPLY_NESTED = "TOO_DEEPLY_NESTED"
INVALID_JSONATA_EXPRESSION = "INVALID_JSONATA_EXPRESSION"
UNSUPPORTED_JSONATA_EXPRESSION = "UNSUPPORTED_JSONATA_EXPRESSION"
INVALID_VARIABLE_NAME = "INVALID_VARIABLE_NAME"
RESERVED_VARIABLE_NAME = "RESERVED_VARIABLE_NAME"


class Diagnostic(Struct, frozen=True):
    """One problem. ``location`` is a path like ``/States/Pay/Retry[0]/ErrorEquals``, None for the whole definition."""

    severity: str
    code: str
    message: str
    location: str | None = None

    def __str__(self) -> str:
        # CreateStateMachine writes "at null" if there is no place.
        return f"{self.code}: {self.message} at {'null' if self.location is None else self.location}"

    def as_dict(self) -> dict[str, str]:
        """The member of ValidateStateMachineDefinition's ``diagnostics``."""
        answer = {"severity": self.severity, "code": self.code, "message": self.message}
        return answer if self.location is None else {**answer, "location": self.location}


class Report:
    """Collects the problems of one definition, in the order found."""

    __slots__ = ("diagnostics",)

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def error(self, message: str, location: str | None, code: str = SCHEMA_VALIDATION_FAILED) -> None:
        """Record that AWS refuses the definition for this."""
        self.diagnostics.append(Diagnostic(ERROR, code, message, location))

    def warning(self, message: str, location: str | None, code: str) -> None:
        """Record something that AWS accepts but that is probably a mistake."""
        self.diagnostics.append(Diagnostic(WARNING, code, message, location))

    @property
    def refused(self) -> bool:
        """Whether any problem is an error."""
        return any(diagnostic.severity == ERROR for diagnostic in self.diagnostics)
