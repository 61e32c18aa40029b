"""What workers ask: their polls, and the results of their handlers, which are durable when they are acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from stepwell.engine.host.local import command_of
from stepwell.engine.log import records as r
from stepwell.engine.log.document import NONE
from stepwell.engine.partition.inbox import Rejected
from stepwell.errors import Busy, Closed, StorageError
from stepwell.tasks.dispatch import Result

from . import messages as m

if TYPE_CHECKING:
    from stepwell.engine.host.host import Host

Done = Callable[[Any, BaseException | None], None]


class Recorded(NamedTuple):
    """What became of results that are not recorded: to be sent again, or never to be recorded, with the reason."""

    again: list[str]
    refused: list[tuple[str, str]]


def record(host: Host, ask: m.Results, done: Done) -> None:
    """Record results of a worker; ``done`` gets a ``Recorded`` once all that can be recorded is durable."""
    for task_id in ask.alive:
        host.submit(r.HeartbeatTaskCommand(task_id, 0), NONE, _ignore)
    if not ask.results:
        done(Recorded([], []), None)
        return
    recording = _Recording(host, ask, done)
    for result in ask.results:
        recording.submit(result)


class _Recording:
    """Some results, of which some are durable."""

    def __init__(self, host: Host, ask: m.Results, done: Done) -> None:
        self._host, self._worker, self._done = host, ask.worker, done
        self._lock = threading.Lock()
        self._left = len(ask.results)
        self._settled: list[str] = []
        self._again: list[str] = []
        self._refused: list[tuple[str, str]] = []

    def submit(self, result: m.TaskResult) -> None:
        try:
            command, document = command_of(Result(*result))
            if result.output is not None:
                _ = document.value  # raises unless it is JSON: nothing behind the inbox looks again
            self._host.submit(command, document, partial(self._ended, result.id))
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker is to know
            self._ended(result.id, None, error)

    def _ended(self, id: str, reply: Any, error: BaseException | None) -> None:
        with self._lock:
            if error is None or isinstance(error, Rejected):  # its task has ended already
                self._settled.append(id)
            elif isinstance(error, Busy | Closed | StorageError):
                self._again.append(id)
            else:
                self._refused.append((id, f"{type(error).__name__}: {error}"))
            self._left -= 1
            if self._left:
                return
        not_begun = self._host.remote_handlers().settle(self._worker, self._settled)
        if not_begun:
            self._host.pool.ended(not_begun)
        self._done(Recorded(self._again, self._refused), None)


def _ignore(result: Any, error: BaseException | None) -> None:
    """A task that has ended needs no heartbeat."""
