"""The place of a check: the path of the object, its query language, the whole machine, and the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from stepwell.asl.validate.diagnostic import Report
from stepwell.asl.validate.fields import JSONATA, JSONATA_ONLY, JSONPATH, JSONPATH_ONLY
from stepwell.asl.validate.json_text import RepeatedKeys

LocalResources: TypeAlias = bool | Callable[[str], bool]
"""Whether a Task may name a handler of this process as its Resource: any, none, or those that a function accepts."""


class Machine(Struct):
    """What the whole definition shares: its language, and the names that must be unique."""

    report: Report
    repeated: RepeatedKeys
    query_language: str = JSONPATH
    local_resources: LocalResources = True
    state_names: set[str] = field(default_factory=set[str])
    labels: set[str] = field(default_factory=set[str])


class Place(Struct, frozen=True):
    """One object of the definition. ``express``: its states run in an EXPRESS execution."""

    machine: Machine
    path: str
    query_language: str
    express: bool
    depth: int = 0

    @property
    def report(self) -> Report:
        """The report for problems."""
        return self.machine.report

    @property
    def is_jsonata(self) -> bool:
        """Whether fields here are written in JSONata."""
        return self.query_language == JSONATA

    def inside(self, name: str) -> Place:
        """The place of a member."""
        return replace(self, path=f"{self.path}/{name}")

    def refuse_other_language(self, value: dict[str, Any]) -> None:
        """Refuse fields that belong to the query language not in use; AWS reports them at the object (ASL A2.7)."""
        other, language = (JSONPATH, JSONATA) if self.is_jsonata else (JSONATA, JSONPATH)
        for name in JSONPATH_ONLY if self.is_jsonata else JSONATA_ONLY:
            if name in value:
                self.refuse_for_language(name, language, other)

    def refuse_for_language(self, name: str, language: str, other: str) -> None:
        """Refuse one field of the other query language."""
        message = f"The QueryLanguage is set to '{language}', but field '{name}' is only supported for the '{other}'"
        self.report.error(f"{message} QueryLanguage", self.path)
