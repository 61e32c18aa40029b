"""What a drawing tells of each state and edge beside the definition: statuses of an execution, or coverage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

EdgeKey: TypeAlias = tuple[str, str, int]
"""An edge: the state that it leaves, ``next``, ``rule``, ``default`` or ``catch``, and the index of rule or catcher."""


class Mark(NamedTuple):
    """The status of a state or an edge (a name of ``style.json``), and a short note: ``×3``."""

    status: str
    note: str = ""


class Marks(NamedTuple):
    """The marks of a graph. What has none is drawn as not reached, unless ``states`` and ``edges`` are empty.

    ``title`` stands above the drawing.
    """

    states: dict[str, Mark]
    edges: dict[EdgeKey, Mark]
    title: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether only the definition is drawn."""
        return not self.states and not self.edges

    def is_taken(self, keys: Iterable[EdgeKey]) -> bool:
        """Whether one of the transitions was taken."""
        return any(key in self.edges and self.edges[key].status != "missed" for key in keys)


NO_MARKS = Marks({}, {})
