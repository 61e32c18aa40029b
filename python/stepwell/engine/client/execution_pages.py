"""A page of a list of executions, found with a bounded amount of reading.

A filter by name may fit nothing among a million executions. So a page looks at a limited number of rows, and says how
far it has come: whoever asked may go on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from stepwell.engine.storage.contexts import VisibilityContext
from stepwell.engine.storage.storage import Storage

from . import execution_lists
from .execution_lists import Filter, Position
from .statuses import StatusFilter

LOOKED_AT = 5000
"""So many rows are looked at for one page."""
_WHOLE_LISTS = frozenset({"RUNNING", "SUCCEEDED", "FAILED"})
"""Statuses of AWS that all executions have in the lists where they stand."""


class Page(NamedTuple):
    """Rows, and where the list goes on; None: it does not."""

    rows: list[VisibilityContext]
    position: Position | None


def page(
    storage: Storage,
    names: Sequence[str],
    wanted: Filter,
    is_pending: Callable[[VisibilityContext], bool],
    limit: int,
) -> Page:
    """The next ``limit`` executions at most in the lists of these names, the newest first."""
    whole = Filter(StatusFilter(wanted.statuses.lists, frozenset()), "", wanted.after, wanted.before)
    is_sparse = bool(wanted.name_prefix or wanted.version or wanted.qualifier or wanted.statuses.aws - _WHOLE_LISTS)
    most = LOOKED_AT if is_sparse else limit + 1
    found: list[VisibilityContext] = []
    count, last = 0, wanted.behind
    for row in execution_lists.rows(storage, names, whole._replace(behind=last), is_pending, most):
        if len(found) == limit:
            return Page(found, last)
        count += 1
        last = execution_lists.position(row)
        if wanted.has(row, is_pending):
            found.append(row)
    return Page(found, last if count == most else None)
