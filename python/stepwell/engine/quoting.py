"""Values in error messages."""

from __future__ import annotations

import reprlib

_shortened = reprlib.repr


def shown(value: object) -> str:
    """A value for an error message. A wrong value may be deeply nested or large, so it is shortened."""
    return repr(value) if isinstance(value, str) else _shortened(value)
