"""Listeners: functions of a program that hear of events, in a thread of their own or on the program's event loop.

The engine puts events into a bounded queue and never waits. An event that finds the queue full is dropped and counted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import TYPE_CHECKING, Any

from stepwell.engine.partition.events import EVENT_NAMES, Event
from stepwell.engine.quoting import shown
from stepwell.errors import InvalidInput
from stepwell.logs import about, logger
from stepwell.tasks.coroutines import is_being_canceled
from stepwell.tasks.handlers import is_coroutine_function

if TYPE_CHECKING:
    import asyncio

log = logger("stepwell.events")

Listener = Callable[[Event], object]
Observe = Callable[[frozenset[str]], None]
"""Takes the names of the events that are to be told from now on."""

WAITING_EVENTS = 10_000
"""How many events may wait for listeners."""
CLOSING_SECONDS = 1.0
"""How long listeners may take, at the end, for the events that wait."""
_WARN_SECONDS = 10.0
"""How often dropped events are logged."""
_TURN = 100
"""After so many events an event loop gets to its other tasks."""


class _Subscription:
    """A listener, and whether its calls are to be awaited."""

    __slots__ = ("call", "is_async")

    def __init__(self, call: Listener) -> None:
        self.call, self.is_async = call, is_coroutine_function(call)


def _log_failure(event: Event) -> None:
    log.exception(
        "a listener of %s has failed for execution %s",
        *(event.name, event.execution_id),
        extra=about(execution=event.execution_id, state=event.state),
    )


class Listeners:
    """The listeners of an executor, and the events that wait for them."""

    def __init__(self, *, on_loop: bool = False) -> None:
        self._on_loop = on_loop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._observe: Observe | None = None
        self._subscriptions: dict[str, tuple[_Subscription, ...]] = {}
        self._events: deque[Event] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_busy = self._is_closed = False
        self._warn_at = 0.0
        self.dropped = 0
        """How many events were not told, because the queue was full."""

    # what the program asks

    def add(self, name: str, call: Listener) -> Callable[[], None]:
        """Call ``call`` with each event of this name; what is returned ends that.

        Raises ``InvalidInput`` for an unknown event, ``TypeError`` for what cannot be called.
        """
        if name not in EVENT_NAMES:
            raise InvalidInput(f"there is no event {shown(name)}; the events are {', '.join(EVENT_NAMES)}")
        if not callable(call):
            raise TypeError(f"the listener of {name!r} cannot be called: {call!r}")
        subscription = _Subscription(call)
        if subscription.is_async and not self._on_loop:
            raise TypeError(f"the listener of {name!r} is a coroutine function, for which an AsyncExecutor is needed")
        with self._changed:
            self._subscriptions[name] = (*self._subscriptions.get(name, ()), subscription)
            self._tell_engine()
        return lambda: self._remove(name, subscription)

    def _remove(self, name: str, subscription: _Subscription) -> None:
        with self._changed:
            left = tuple(each for each in self._subscriptions.get(name, ()) if each is not subscription)
            self._subscriptions[name] = left
            if not left:
                del self._subscriptions[name]
            self._tell_engine()

    # what the engine tells

    @property
    def names(self) -> frozenset[str]:
        """The events that somebody listens to."""
        return frozenset(self._subscriptions)

    def attach(self, observe: Observe, loop: asyncio.AbstractEventLoop | None) -> None:
        """The engine is open. On ``loop`` the listeners of an AsyncExecutor are called."""
        with self._changed:
            self._observe, self._loop = observe, loop
            if self._subscriptions:
                self._tell_engine()

    def _tell_engine(self) -> None:
        if self._observe is not None and not self._is_closed:
            self._observe(self.names)

    def tell(self, event: Event) -> None:
        """Queue an event; from any thread, and without waiting for listeners."""
        with self._changed:
            is_full = len(self._events) >= WAITING_EVENTS
            if is_full:
                self.dropped += 1
            else:
                self._events.append(event)
                self._wake()
        if is_full and monotonic() >= self._warn_at:
            self._warn_at = monotonic() + _WARN_SECONDS
            log.warning("listeners are too slow: %d events were dropped by now", self.dropped)

    def _wake(self) -> None:
        if self._is_busy or not self._events:
            return
        self._is_busy = True
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._start_on_loop)
            except RuntimeError:  # the program closed its loop
                self._events.clear()
        elif self._thread is None:
            self._thread = threading.Thread(target=self._run, name="stepwell-events", daemon=True)
            self._thread.start()
        else:
            self._changed.notify_all()

    # calls

    def _next(self) -> Event | None:
        """The next event; None: there is none, and the next one wakes whoever calls listeners."""
        with self._changed:
            if self._events:
                return self._events.popleft()
            self._is_busy = False
            self._changed.notify_all()
            return None

    def _run(self) -> None:
        while True:
            while (event := self._next()) is not None:
                for subscription in self._subscriptions.get(event.name, ()):
                    self._call(subscription, event)
            with self._changed:
                while not self._events and not self._is_closed:
                    self._changed.wait()
                if not self._events:
                    return
                self._is_busy = True

    def _call(self, subscription: _Subscription, event: Event) -> object:
        try:
            return subscription.call(event)
        except BaseException:  # noqa: BLE001 - whatever it is, the other listeners are to hear of the next event
            _log_failure(event)
            return None

    def _start_on_loop(self) -> None:
        assert self._loop is not None
        self._task = self._loop.create_task(self._run_on_loop())

    async def _run_on_loop(self) -> None:
        try:
            await self._call_all()
        except BaseException:  # it was canceled: the next event begins anew
            self._is_busy = False
            raise

    async def _call_all(self) -> None:
        import asyncio

        called = 0
        while (event := self._next()) is not None:
            for subscription in self._subscriptions.get(event.name, ()):
                made = self._call(subscription, event)
                if subscription.is_async and made is not None:
                    await self._awaited(made, event)
            called += 1
            if not called % _TURN:
                await asyncio.sleep(0)

    async def _awaited(self, made: Any, event: Event) -> None:
        coroutine: Coroutine[Any, Any, object] = made
        try:
            await coroutine
        except BaseException:
            if is_being_canceled():
                raise
            _log_failure(event)

    # the end

    def close(self) -> None:
        """The engine has ended: let listeners have what waits, for a moment, and end the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(CLOSING_SECONDS)

    async def drain(self) -> None:
        """Let listeners on the event loop have what waits, for a moment."""
        import asyncio

        deadline = monotonic() + CLOSING_SECONDS
        while self._is_busy and monotonic() < deadline:
            await asyncio.sleep(0.001)
