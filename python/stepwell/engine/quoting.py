"""Values in the texts of errors."""

from __future__ import annotations

import reprlib

_shortened = reprlib.repr


def shown(value: object) -> str:
    """A value in the text of an error: one that is not what it should be may be nested, or large, without end."""
    return repr(value) if isinstance(value, str) else _shortened(value)
