"""Threads for sync handlers, started when they are needed.

A quick handler does not get a thread of its own: one thread runs such tasks one after the other, because waking
threads costs more than the work. ``wake_worker`` wakes another one when that thread makes no progress. Results of quick
handlers are returned together.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic, sleep

from .calls import Result
from .work import Work

RESULT_BATCH_SECONDS = 0.0003
"""How long results of quick handlers may wait for one another, to be returned together."""
IDLE_SECONDS = 30.0
"""How long a thread waits for work before it ends."""
POLL_SECONDS = 0.002


class HandlerThreads:
    """Threads with one queue. ``run`` calls the handler of a task; None: there is no result to return."""

    def __init__(
        self, run: Callable[[Work], Result | None], answer: Callable[[Iterable[Result]], None], max_threads: int
    ) -> None:
        self._run, self._answer, self._max_threads = run, answer, max_threads
        self._queue: OrderedDict[str, Work] = OrderedDict()  # each of its methods is atomic
        self._results: deque[Result] = deque()
        self._ready = threading.Condition()
        self._idle = self._threads = self._replaced = 0
        self._taken = self._taken_before = 0
        self._closed = False

    def start(self, works: list[Work]) -> None:
        """Call these handlers, as soon as there are threads for them."""
        slow = sum(not work.registration.is_quick for work in works)
        self._queue.update({work.id: work for work in works})
        self._wake(slow if slow or self._threads > self._idle else 1)

    def discard(self, work: Work) -> bool:
        """Remove work from the queue; whether it was there."""
        return self._queue.pop(work.id, None) is not None

    @property
    def count(self) -> int:
        """How many threads there are, without those that were replaced."""
        return self._threads - self._replaced

    @property
    def has_backlog(self) -> bool:
        """Whether tasks wait for a thread, or results for a busy one."""
        return bool(self._queue or self._results)

    def wake_worker(self) -> None:
        """Wake one more thread if waiting tasks made no progress since the last call."""
        if self._results:  # their thread is busy with another task
            self.return_results()
        if self._queue:
            if self._taken == self._taken_before:
                self._wake(1)
            self._taken_before = self._taken

    def replace_one(self) -> None:
        """Allow another thread in place of one whose work ``is_replaced``; that one ends after its work."""
        with self._ready:
            self._replaced += 1
        self._wake(len(self._queue))

    def stop(self) -> None:
        """Start no more tasks."""
        with self._ready:
            self._closed = True
            self._queue.clear()
            self._ready.notify_all()

    def join(self, deadline: float, left_out: Callable[[], int]) -> None:
        """Wait until the threads have ended, except ``left_out`` of them, or until ``deadline``."""
        while self._threads > left_out() and monotonic() < deadline:
            sleep(POLL_SECONDS)

    def return_results(self) -> None:
        """Return the results of all threads; the first thread that comes does it."""
        results: list[Result] = []
        with suppress(IndexError):
            while True:
                results.append(self._results.popleft())
        if results:
            self._answer(results)

    def _wake(self, wanted: int) -> None:
        """Let ``wanted`` more threads take tasks, up to the limit of threads."""
        with self._ready:
            woken = min(wanted, self._idle)
            self._idle -= woken
            self._ready.notify(woken)
            started = max(0, min(wanted - woken, self._max_threads - self.count))
            self._threads += started
        for _ in range(started):
            threading.Thread(target=self._work, name="stepwell-handler", daemon=True).start()

    def _work(self) -> None:
        is_replaced = False
        try:
            while not is_replaced and self._wait_for_work():
                is_replaced = self._run_tasks()
        finally:
            with self._ready:
                self._threads -= 1
                self._replaced -= is_replaced

    def _wait_for_work(self) -> bool:
        """Wait until there is something to do; False when the pool is closed."""
        with self._ready:
            while not self._queue and not self._closed:
                self._idle += 1
                if not self._ready.wait(IDLE_SECONDS):
                    self._idle -= 1
                    if not self._queue:
                        return False
            return not self._closed

    def _run_tasks(self) -> bool:
        """Run tasks until the queue is empty; whether this thread was replaced, and must end."""
        since = monotonic()
        is_replaced = False
        while not is_replaced:
            try:
                _, work = self._queue.popitem(last=False)
            except KeyError:
                break
            self._taken += 1
            if not work.registration.is_quick:
                self.return_results()
            result = self._run(work)
            if result is not None and work.ends_at_once:
                self._answer(work.results(result))
            elif result is not None:
                self._results.append(result)
            is_replaced = work.is_replaced
            now = monotonic()
            if work.began:
                work.registration.record_duration(now - work.began)
            if now - since > RESULT_BATCH_SECONDS:
                self.return_results()
                since = now
        self.return_results()
        return is_replaced
