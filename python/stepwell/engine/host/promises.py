"""Waiting: every question that is put to the engine gets one answer, also when the engine stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from stepwell.errors import StepwellError, WaitTimeout

Callback = Callable[[Any, BaseException | None], None]
"""Takes a result, or why there is none. It is called from the engine's thread, and must return at once:
what waits for an executor raises ``StepwellError`` there."""

_answering: set[int] = set()
"""The threads that give answers."""


@contextmanager
def answering() -> Generator[None]:
    """While this thread gives answers: a callback that waited for one here would wait for ever."""
    thread = threading.get_ident()
    if thread in _answering:
        yield
        return
    _answering.add(thread)
    try:
        yield
    finally:
        _answering.discard(thread)


def check_may_wait() -> None:
    """Raise ``StepwellError`` in a thread that gives answers."""
    if threading.get_ident() in _answering:
        raise StepwellError(
            "this call waits for an executor, and was made in a callback, in an executor's own thread "
            f"({threading.current_thread().name}): make it in another thread"
        )


class Promise:
    """One answer that is owed. ``reply`` may be called by several threads: the first one counts."""

    __slots__ = ("_deliver", "_owed")

    def __init__(self, owed: set[Promise], deliver: Callback) -> None:
        self._owed, self._deliver = owed, deliver
        owed.add(self)

    def reply(self, result: Any, error: BaseException | None) -> None:
        """Give the answer."""
        self.is_first(result, error)

    def is_first(self, result: Any, error: BaseException | None) -> bool:
        """Give the answer; whether it was the first one."""
        try:
            self._owed.remove(self)  # atomic: whoever takes it out delivers it
        except KeyError:
            return False
        self._deliver(result, error)
        return True

    def forget(self) -> None:
        """Nobody wants the answer any more."""
        self._owed.discard(self)


class PendingPromises:
    """The answers that are owed."""

    def __init__(self) -> None:
        self._owed: set[Promise] = set()

    def __len__(self) -> int:
        return len(self._owed)

    def owe(self, deliver: Callback) -> Promise:
        """Promise an answer."""
        return Promise(self._owed, deliver)

    def refuse(self, error: Callable[[], BaseException]) -> None:
        """Answer everything that is owed with an error of its own."""
        for answer in list(self._owed):
            answer.reply(None, error())


class Waiters:
    """Who waits for something to happen, by a key: an execution's end, a task in a queue."""

    def __init__(self, promises: PendingPromises) -> None:
        self._promises = promises
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Promise]] = {}

    def add(self, key: str, deliver: Callback) -> Promise:
        """Wait: ``deliver`` is called once, when it happens."""
        answer = self._promises.owe(deliver)
        with self._lock:
            self._waiting.setdefault(key, []).append(answer)
        return answer

    def remove(self, key: str, answer: Promise) -> None:
        """Wait no longer."""
        answer.forget()
        with self._lock:
            waiting = self._waiting.get(key, [])
            if answer in waiting:
                waiting.remove(answer)
            if not waiting:
                self._waiting.pop(key, None)

    def release_one(self, key: str) -> None:
        """It has happened, and one who waits is enough for it."""
        while waiting := self._waiting.get(key):
            with self._lock:
                answer = waiting.pop(0) if waiting else None
            if answer is not None and answer.is_first(None, None):
                return

    def release(self, key: str, result: Any = None, error: BaseException | None = None) -> None:
        """It has happened, with this result, or cannot happen."""
        if not self._waiting:
            return
        with self._lock:
            waiting: Iterable[Promise] = self._waiting.pop(key, ())
        for answer in waiting:
            answer.reply(result, error)

    def waited_for(self) -> list[str]:
        """The keys of what somebody waits for."""
        with self._lock:
            return list(self._waiting)


class Latch:
    """Lets one thread wait for one answer. It is made before the question: none is put where nobody may wait."""

    __slots__ = ("_error", "_lock", "_result")

    def __init__(self) -> None:
        check_may_wait()
        self._lock = threading.Lock()
        self._lock.acquire()
        self._result: Any = None
        self._error: BaseException | None = None

    def deliver(self, result: Any, error: BaseException | None) -> None:
        """Let the thread go on; called once."""
        self._result, self._error = result, error
        self._lock.release()

    def wait(self, timeout: float | None = None) -> Any:
        """The answer. Raises what it failed with, and ``WaitTimeout``."""
        if not self._lock.acquire(timeout=-1 if timeout is None else min(max(0.0, timeout), threading.TIMEOUT_MAX)):
            raise WaitTimeout(f"no answer within {timeout} s")
        if self._error is not None:
            raise self._error
        return self._result
