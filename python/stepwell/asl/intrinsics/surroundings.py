"""What intrinsic functions take from outside: random numbers. A thread may fix them, for tests on a virtual clock."""

from __future__ import annotations

import random
import threading
import uuid


class _OfThread(threading.local):
    source: random.Random | None = None


_of_thread = _OfThread()
_shared = random.Random()


def fix(source: random.Random | None) -> None:
    """Take this thread's random numbers from ``source``; None: from the machine again."""
    _of_thread.source = source


def source() -> random.Random:
    """Where random numbers come from."""
    return _of_thread.source or _shared


def new_uuid() -> uuid.UUID:
    """A random (version 4) UUID."""
    fixed = _of_thread.source
    return uuid.uuid4() if fixed is None else uuid.UUID(int=fixed.getrandbits(128), version=4)
