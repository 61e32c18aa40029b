"""Promises of replies: every request gets one reply, also when the engine stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from stepwell.errors import StepwellError, WaitTimeout

Callback = Callable[[Any, BaseException | None], None]
"""Gets a result, or the error. It is called from the engine's thread, and must return at once: calls that wait for an
executor raise ``StepwellError`` there.
"""

_answering: set[int] = set()
"""The threads that are giving replies."""


@contextmanager
def answering() -> Generator[None]:
    """Marks this thread as one that gives replies: a callback that waited for a reply here would wait for ever."""
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
    """Raise ``StepwellError`` in a thread that is giving replies."""
    if threading.get_ident() in _answering:
        raise StepwellError(
            "this call waits for an executor, and was made in a callback, in an executor's own thread "
            f"({threading.current_thread().name}): make it in another thread"
        )


class Promise:
    """A promised reply. Several threads may call ``reply``; the first one counts."""

    __slots__ = ("_deliver", "_owed")

    def __init__(self, owed: set[Promise], deliver: Callback) -> None:
        self._owed, self._deliver = owed, deliver
        owed.add(self)

    def reply(self, result: Any, error: BaseException | None) -> None:
        """Give the reply."""
        try:
            self._owed.remove(self)  # as in ``is_first``
        except KeyError:
            return
        self._deliver(result, error)

    def is_first(self, result: Any, error: BaseException | None) -> bool:
        """Give the reply; returns whether it was the first one."""
        try:
            self._owed.remove(self)  # atomic: the thread that removes it delivers it
        except KeyError:
            return False
        self._deliver(result, error)
        return True

    def forget(self) -> bool:
        """Drop the promise: nobody waits for the reply. Returns whether there was none yet."""
        try:
            self._owed.remove(self)  # atomic, as in ``is_first``
        except KeyError:
            return False
        return True


class PendingPromises:
    """The promises that have no reply yet."""

    def __init__(self) -> None:
        self._owed: set[Promise] = set()

    def __len__(self) -> int:
        return len(self._owed)

    def owe(self, deliver: Callback) -> Promise:
        """Promise a reply."""
        return Promise(self._owed, deliver)

    def refuse(self, error: Callable[[], BaseException]) -> None:
        """Reply to all of them with an error, a new one for each."""
        for answer in list(self._owed):
            answer.reply(None, error())


class Waiters:
    """The callers that wait for something, by a key: an execution's end, a task in a queue."""

    def __init__(self, promises: PendingPromises) -> None:
        self._promises = promises
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Promise]] = {}

    def add(self, key: str, deliver: Callback) -> Promise:
        """Wait for a key: ``deliver`` is called once, when it is released."""
        answer = self._promises.owe(deliver)
        with self._lock:
            self._waiting.setdefault(key, []).append(answer)
        return answer

    def remove(self, key: str, answer: Promise) -> bool:
        """Stop waiting. Returns whether it was not released yet."""
        is_waiting = answer.forget()
        with self._lock:
            waiting = self._waiting.get(key, [])
            if answer in waiting:
                waiting.remove(answer)
            if not waiting:
                self._waiting.pop(key, None)
        return is_waiting

    def release_one(self, key: str) -> None:
        """Release one of the callers that wait for a key."""
        while waiting := self._waiting.get(key):
            with self._lock:
                answer = waiting.pop(0) if waiting else None
            if answer is not None and answer.is_first(None, None):
                return

    def release(self, key: str, result: Any = None, error: BaseException | None = None) -> None:
        """Release all callers that wait for a key, with a result or an error."""
        if not self._waiting:
            return
        with self._lock:
            waiting: Iterable[Promise] = self._waiting.pop(key, ())
        for answer in waiting:
            answer.reply(result, error)

    def waited_for(self) -> list[str]:
        """The keys that callers wait for."""
        with self._lock:
            return list(self._waiting)


class Signals:
    """Who is to hear, again and again, that something has gone on, by a key: an execution."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.heard: dict[str, list[Callable[[], object]]] = {}
        """Nobody else writes it; whether somebody listens to a key may be seen from any thread."""

    def add(self, key: str, tell: Callable[[], object]) -> None:
        """Call ``tell`` whenever something has gone on, from the engine's thread: it must return at once."""
        with self._lock:
            self.heard.setdefault(key, []).append(tell)

    def remove(self, key: str, tell: Callable[[], object]) -> None:
        """Call ``tell`` no more."""
        with self._lock:
            listening = self.heard[key]
            listening.remove(tell)
            if not listening:
                del self.heard[key]

    def fire(self, key: str) -> None:
        """Something has gone on."""
        with self._lock:
            listening = list(self.heard.get(key, ()))
        for tell in listening:
            tell()

    def fire_all(self) -> None:
        """Nothing will go on any more: whoever listens is to look, and to find that."""
        for key in list(self.heard):
            self.fire(key)


class Latch:
    """Lets one thread wait for one reply. It is created before the request, and refuses threads that must not wait."""

    __slots__ = ("_error", "_lock", "_result")

    def __init__(self) -> None:
        check_may_wait()
        self._lock = threading.Lock()
        self._lock.acquire()
        self._result: Any = None
        self._error: BaseException | None = None

    def deliver(self, result: Any, error: BaseException | None) -> None:
        """Give the reply and wake the thread; called once."""
        self._result, self._error = result, error
        self._lock.release()

    def wait(self, timeout: float | None = None) -> Any:
        """Wait for the reply. Raises its error, and ``WaitTimeout``."""
        if not self._lock.acquire(timeout=-1 if timeout is None else min(max(0.0, timeout), threading.TIMEOUT_MAX)):
            raise WaitTimeout(f"no answer within {timeout} s")
        if self._error is not None:
            raise self._error
        return self._result
