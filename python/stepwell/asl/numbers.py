"""Numbers from values, and values as AWS's messages print them."""

from __future__ import annotations

import re
from typing import Any

from stepwell.asl.json import dumps

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?")


def whole_number(value: Any) -> int | None:
    """The integer of a value or, as AWS reads values of paths, of a string; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def decimal_number(value: Any) -> float | None:
    """The number of a value or of a string, read as ``whole_number`` reads integers."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return float(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


def text_of(value: Any) -> str:
    """A string unchanged, anything else as compact JSON."""
    return value if isinstance(value, str) else dumps(value).decode()
