"""Succeed: its level ends, with the state's output (ASL A2)."""

from __future__ import annotations

from .pass_ import PassProcessor


class SucceedProcessor(PassProcessor):
    """Completes at once, as a Pass state does; it has no next state."""
