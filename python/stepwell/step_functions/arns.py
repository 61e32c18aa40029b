"""The ARNs of requests, taken apart, or refused in AWS's words (API semantics, chapter 2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from stepwell.engine.arns import PLACE

from .errors import Fault, invalid_arn

MACHINE, EXECUTION, EXPRESS, ACTIVITY, MAP_RUN = "stateMachine", "execution", "express", "activity", "mapRun"
_PARTS = {MACHINE: (1, 2), EXECUTION: (2, 2), EXPRESS: (3, 3), ACTIVITY: (1, 1), MAP_RUN: (2, 2)}
"""How many parts an ARN of each kind has after its kind, at least and at most."""


class Arn(NamedTuple):
    """An ARN of the service: its region and account, what it is of, and the parts after that."""

    text: str
    region: str
    account: str
    kind: str
    parts: tuple[str, ...]

    @property
    def is_ours(self) -> bool:
        """Whether it is of this process's partition, region and account."""
        return self.text.startswith(f"{PLACE.prefix}:")

    @property
    def name(self) -> str:
        """The first part, without a label: the name of a state machine or an activity."""
        return self.parts[0].partition("/")[0]

    @property
    def label(self) -> str | None:
        """The label of a Distributed Map state, if the first part has one."""
        return self.parts[0].partition("/")[2] or None

    @property
    def qualifier(self) -> str | None:
        """The version or the alias of a state machine's ARN."""
        return self.parts[1] if self.kind == MACHINE and len(self.parts) > 1 else None

    @property
    def version(self) -> int | None:
        """The version of a version's ARN."""
        text = self.qualifier
        return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < _DIGITS else None


_DIGITS = 16


@lru_cache(maxsize=1024)  # most requests name one of few state machines
def parse(text: str, *kinds: str) -> Arn:
    """The ARN of one of these kinds. Raises ``Fault`` for any other text."""
    if not text.startswith("arn:"):
        raise invalid_arn(f"Invalid ARN prefix: {text}")
    head = text.split(":", 6)
    if len(head) != 7 or not head[1] or head[2] != "states":
        raise invalid_arn(text)
    _, _, _, region, account, kind, rest = head
    if kind not in kinds:
        raise invalid_arn(f"Resource type not valid in this context: {kind}" if kind in _PARTS else text)
    parts = tuple(rest.split(":"))
    least, most = _PARTS[kind]
    if not least <= len(parts) <= most or not all(parts):
        raise invalid_arn(text)
    labelled = parts[0].split("/")
    if not all(labelled) or len(labelled) > (1 if kind == ACTIVITY else 2):
        raise invalid_arn(text)
    return Arn(text, region, account, kind, parts)


def own(text: str, missing: Callable[[str], Fault], *kinds: str) -> Arn:
    """The same; of another account or region nothing exists: raises what ``missing`` makes of the text."""
    arn = parse(text, *kinds)
    if not arn.is_ours:
        raise missing(text)
    return arn
