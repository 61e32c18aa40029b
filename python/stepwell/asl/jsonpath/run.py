"""One evaluation of a path: its results, and the budget that bounds it."""

from __future__ import annotations

from typing import Any

from stepwell.asl.errors import runtime_error

# What an evaluation may touch before it is stopped: a few times what the largest payload holds, so that only paths
# that multiply (``$..*..*..*``, ``[-2147483648:1]``) ever meet it.
STEP_BUDGET = 1_000_000
PATTERN_STEP_BUDGET = 20_000_000
"""The steps that all matches of one evaluation may take together; a single match has a bound of its own."""


class _Missing:
    """The type of MISSING."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""What a path gives that finds nothing."""


class Run:
    """The document that ``$`` stands for inside filters, what was found, and what may still be touched.

    ``explains``: the text of what goes wrong is wanted, not only that it does; then scans keep account of places.
    """

    __slots__ = ("budget", "explains", "pattern_steps", "results", "root")

    def __init__(self, root: Any, *, explains: bool = False) -> None:
        self.root, self.explains = root, explains
        self.budget = STEP_BUDGET
        self.pattern_steps = PATTERN_STEP_BUDGET
        self.results: list[Any] = []

    def spend(self, values: int) -> None:
        """Account for ``values`` touched values; raises States.Runtime when the evaluation has no more left."""
        self.budget -= values
        if self.budget < 0:
            raise runtime_error("The JSONPath touches too many values of the input.")
