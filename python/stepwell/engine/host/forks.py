"""Forked processes: they do not have storage's threads, and would wait for them for ever."""

from __future__ import annotations

import os

from stepwell.errors import StorageError

FORKS = "start processes by spawn or forkserver, or fork before the first executor is opened"
_opened_in: list[int] = []


def only_process() -> int:
    """The id of this process. Raises ``StorageError`` if it was forked after an executor was opened."""
    process = os.getpid()
    if process not in _opened_in:
        if _opened_in:
            raise StorageError(
                f"no executor can be opened here: this process was forked from process {_opened_in[0]}, "
                f"which had opened one; {FORKS}"
            )
        _opened_in.append(process)
    return process
