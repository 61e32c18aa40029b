"""What a state leaves behind."""

from __future__ import annotations

from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """A state's output and the variables that it sets (None: it has no Assign)."""

    output: Any
    assigned: dict[str, Any] | None = None
