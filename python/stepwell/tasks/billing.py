"""What AWS would bill for an EXPRESS execution: its answers say so (ASL A16.81)."""

from __future__ import annotations

from typing import Final

BILLED_MEMORY_MB: Final = 64
_STEP_MS = 100


def billed_milliseconds(microseconds: int) -> int:
    """The billed duration of so long an execution: in steps of a hundred milliseconds, one at least."""
    return max(1, -(-microseconds // (_STEP_MS * 1000))) * _STEP_MS
