"""One evaluation of a path: its results, and its budget."""

from __future__ import annotations

from typing import Any

from stepwell.asl.errors import runtime_error

# How many values an evaluation may touch: a few times as many as the largest payload has, so that only paths that
# multiply (``$..*..*..*``, ``[-2147483648:1]``) exceed it.
STEP_BUDGET = 1_000_000
PATTERN_STEP_BUDGET = 20_000_000
"""How many steps all matches of one evaluation may take together; a single match has its own limit."""


class _Missing:
    """The type of MISSING."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""The result of a path that finds nothing."""


class Run:
    """The document that ``$`` means inside filters, the results, and the rest of the budget.

    ``explains``: the caller needs the text of the failure, not only that there is one; then scans record places.
    """

    __slots__ = ("budget", "explains", "pattern_steps", "results", "root")

    def __init__(self, root: Any, *, explains: bool = False) -> None:
        self.root, self.explains = root, explains
        self.budget = STEP_BUDGET
        self.pattern_steps = PATTERN_STEP_BUDGET
        self.results: list[Any] = []

    def spend(self, values: int) -> None:
        """Spend ``values`` touched values; raises States.Runtime if the budget is exceeded."""
        self.budget -= values
        if self.budget < 0:
            raise runtime_error("The JSONPath touches too many values of the input.")
