"""A thread that waits for an execution to go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from stepwell.engine.client.live import look_times
from stepwell.engine.host.host import Host
from stepwell.engine.host.promises import check_may_wait


@contextmanager
def following(host: Host, id: str) -> Generator[Callable[[float], None]]:
    """While an execution is followed: what waits until it may have gone on, so many seconds at most."""
    check_may_wait()
    signal, pauses = threading.Event(), look_times(host.look_seconds)

    def wait(seconds: float) -> None:
        signal.wait(min(seconds, next(pauses)))
        signal.clear()

    host.progress.add(id, signal.set)
    try:
        yield wait
    finally:
        host.progress.remove(id, signal.set)
