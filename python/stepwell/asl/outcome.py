"""The outcome of a state."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Outcome(Struct, frozen=True):
    """A state's output and the variables that it sets (None: it has no Assign)."""

    output: Any
    assigned: dict[str, Any] | None = None
