"""Compares the inputs that a state had on AWS and here."""

from __future__ import annotations

import re
from typing import Any

from stepwell.asl.json import dumps, is_array, is_object
from stepwell.testing.normalized import TIME, TOKEN, UUID

_VARYING = (TIME, UUID, re.compile(r"arn:[^:]+:states:.*"), TOKEN)
"""Times, UUIDs, ARNs and tokens: two of a kind are taken for the same."""
_LONGEST = 60


def json_difference(recorded: Any, found: Any, place: str = "$") -> str | None:
    """The first place where two values differ, and how; None: they are the same, but for times, UUIDs and ARNs."""
    if is_object(recorded) and is_object(found):
        for key in dict.fromkeys([*recorded, *found]):
            inner = f"{place}.{key}" if re.fullmatch(r"\w+", key) else f"{place}[{dumps(key).decode()}]"
            if key not in found or key not in recorded:
                return f"{inner} is {'missing here' if key not in found else 'only here'}"
            difference = json_difference(recorded[key], found[key], inner)
            if difference is not None:
                return difference
        return None
    if is_array(recorded) and is_array(found) and len(recorded) == len(found):
        pairs = enumerate(zip(recorded, found, strict=True))
        differences = (json_difference(one, other, f"{place}[{index}]") for index, (one, other) in pairs)
        return next((difference for difference in differences if difference is not None), None)
    if dumps(recorded) == dumps(found) or _vary(recorded, found):
        return None
    return f"{place} is {_shown(found)} here, and was {_shown(recorded)}"


def _vary(recorded: Any, found: Any) -> bool:
    if not isinstance(recorded, str) or not isinstance(found, str):
        return False
    return any(pattern.fullmatch(recorded) and pattern.fullmatch(found) for pattern in _VARYING)


def _shown(value: Any) -> str:
    text = dumps(value).decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
