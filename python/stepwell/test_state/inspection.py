"""What TestState shows of a state's data flow, stage by stage (ASL A16.79)."""

from __future__ import annotations

from typing import Any

from stepwell.asl import json


class Inspection:
    """The stages reached so far. What a failed state got to is shown as well."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def show(self, stage: str, value: Any) -> Any:
        """Note the document of a stage, such as ``afterInputPath``; gives it back."""
        self._found[stage] = json.dumps(value).decode()
        return value

    def note(self, name: str, value: Any) -> Any:
        """Note a number, or the details of an error; gives it back."""
        self._found[name] = value
        return value

    def data(self) -> dict[str, Any]:
        """The answer's ``inspectionData``."""
        return self._found
