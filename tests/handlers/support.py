"""What the tests of handlers share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from engine.support import catch, machine, map_over, parallel, task

__all__ = ["GUARD_SECONDS", "catch", "machine", "map_over", "one", "parallel", "task", "until"]

GUARD_SECONDS = 60.0
"""How long a test waits before it says that something hangs."""


def until(condition: Callable[[], Any]) -> Any:
    """Wait until a condition holds; what it gave."""
    deadline = time.monotonic() + GUARD_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it hangs"
        time.sleep(0.005)
    return found


def one(resource: str, **fields: Any) -> dict[str, Any]:
    """A machine of one Task."""
    return machine({"Work": task(resource=resource, **fields)})
