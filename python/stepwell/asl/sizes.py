"""How large a value may become that a state's fields put together.

A field that names its input sixty times takes no memory as a value, and sixty times the input's as text. The engine
compares each document with its limit (``Limits.document_bytes``) once there is a text; this bound is for before.
"""

from __future__ import annotations

from typing import Any

from stepwell._core import json_size
from stepwell.asl.errors import AslError

MAX_VALUE_BYTES = 256 << 20
"""As many bytes as all values of a JSONata expression may hold."""


def check_size(value: Any, before: int = 0) -> int:
    """The size of a value and of what came before it. Raises States.DataLimitExceeded beyond ``MAX_VALUE_BYTES``."""
    size = before + json_size(value, MAX_VALUE_BYTES - before)
    if size > MAX_VALUE_BYTES:
        text = f"The fields of the state make a value of more than {MAX_VALUE_BYTES} bytes, which is the most."
        raise AslError("States.DataLimitExceeded", text)
    return size
