"""The stages of a state's data flow that TestState shows (ASL A16.79)."""

from __future__ import annotations

from typing import Any

from stepwell.asl import json


class Inspection:
    """The stages that were reached, also by a state that failed."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def show(self, stage: str, value: Any) -> Any:
        """Record the document of a stage, such as ``afterInputPath``; returns it."""
        self._found[stage] = json.dumps(value).decode()
        return value

    def note(self, name: str, value: Any) -> Any:
        """Record a number, or the details of an error; returns it."""
        self._found[name] = value
        return value

    def data(self) -> dict[str, Any]:
        """The answer's ``inspectionData``."""
        return self._found
