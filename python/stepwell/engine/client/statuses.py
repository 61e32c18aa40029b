"""Statuses as a program asks for them: the engine's names and AWS's, one or several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from stepwell.engine.quoting import shown
from stepwell.engine.status import AWS_STATUSES, CANCELED, FAILED, STATUSES, AwsStatus, aws_status
from stepwell.engine.storage.contexts import VisibilityContext
from stepwell.errors import InvalidInput

Statuses: TypeAlias = str | Iterable[str]
"""``"Failed"``, ``"FAILED"``, ``["TIMED_OUT", "Running"]``: names of the engine's statuses, of AWS's, or of both."""

# What AWS alone tells apart is taken in the engine's spelling too: TimedOut, Aborted, PendingRedrive.
_OF_AWS: dict[str, AwsStatus] = {
    **{name: name for name in AWS_STATUSES},
    **{spelled: name for name in AWS_STATUSES if (spelled := name.title().replace("_", "")) not in STATUSES},
}


class StatusFilter(NamedTuple):
    """The executions in some of the engine's statuses, and those in some of AWS's."""

    ours: frozenset[str]
    aws: frozenset[AwsStatus]

    @classmethod
    def of(cls, status: Statuses | None) -> StatusFilter:
        """What a program asks for; None: all. Raises ``InvalidInput`` for what is no status."""
        if status is None:
            return cls(frozenset(STATUSES), frozenset())
        asked = [status] if isinstance(status, str) else list(_each(status))
        unknown = [name for name in asked if not isinstance(name, str) or name not in {*STATUSES, *_OF_AWS}]  # pyright: ignore[reportUnnecessaryIsInstance]
        if unknown:
            names = ", ".join([*STATUSES, *AWS_STATUSES])
            raise InvalidInput(f"there is no status {shown(unknown[0])}; give one, or a list, of {names}")
        return cls(
            frozenset(name for name in asked if name in STATUSES),
            frozenset(_OF_AWS[name] for name in asked if name in _OF_AWS),
        )

    @property
    def lists(self) -> frozenset[str]:
        """The statuses of the engine whose lists have such executions."""
        return self.ours.union(*(AWS_STATUSES[name] for name in self.aws))

    def needs_redrives(self, row: VisibilityContext) -> bool:
        """Whether it must be known if a child of a map run is still to be run on."""
        return row.status in (FAILED, CANCELED) and row.status not in self.ours

    def has(self, row: VisibilityContext, *, pending_redrive: bool) -> bool:
        """Whether an execution, by its row in a list, is one of these."""
        if row.status in self.ours:
            return True
        return aws_status(row.status, timed_out=row.timed_out, pending_redrive=pending_redrive) in self.aws


def _each(status: Iterable[str]) -> Iterable[str]:
    try:
        return iter(status)
    except TypeError:
        raise InvalidInput(f"a status is a text, or a list of texts, not {shown(status)}") from None
