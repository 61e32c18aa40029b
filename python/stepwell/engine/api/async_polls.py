"""A poll for a task of an activity on an event loop, which may be canceled at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from stepwell.engine.client import commands
from stepwell.engine.client.client import Client
from stepwell.engine.partition.inbox import Rejected
from stepwell.engine.status import ACTIVE
from stepwell.engine.storage.contexts import TaskContext
from stepwell.errors import TaskDoesNotExist

from .event_loop import EventLoopBridge

LOOK_SECONDS = 10.0
"""How often a waiting poll reads the queue though nobody has told it of a task: a thousand may wait."""


class AsyncPoll:
    """One poll of a queue by a worker."""

    def __init__(self, client: Client, bridge: EventLoopBridge, queue: str, worker: str | None) -> None:
        self._client, self._bridge = client, bridge
        self._queue, self._worker = queue, worker
        self._is_given_up = False
        self._waiting: asyncio.Future[None] | None = None

    def give_up(self) -> None:
        """Wait no longer. A task that is being handed out already is still the result of the poll."""
        self._is_given_up = True
        if self._waiting is not None:
            _end(self._waiting)

    async def task(self, timeout: float) -> TaskContext | None:
        """The next task, handed out; None: none came within ``timeout`` seconds, or the poll was given up."""
        polls = self._client.polls
        polls.begin(self._queue)
        try:
            loop = asyncio.get_running_loop()
            deadline = loop.time() + timeout
            while not self._is_given_up:
                task = polls.claim(self._queue)
                if task is None:
                    left = deadline - loop.time()
                    if left <= 0:
                        return None
                    await self._wait(left)
                elif await self._is_handed_out(task):
                    return task
            return None
        finally:
            polls.end(self._queue)

    async def _is_handed_out(self, task: TaskContext) -> bool:
        """Hand a claimed task out; False: it was canceled, or timed out.

        If the poll is canceled meanwhile, the task is given back.
        """
        polls, host = self._client.polls, self._client.host
        if task.status == ACTIVE:
            polls.release(task)
            return True
        handing = _HandingOut(asyncio.get_running_loop().create_future(), partial(polls.give_back, self._queue, task))
        request = commands.activate(task, self._worker)
        try:
            host.submit(request.command, request.document, self._bridge.deliver_to(handing))
            await handing.future
        except (TaskDoesNotExist, Rejected):
            return False
        except asyncio.CancelledError:
            handing.cancel()
            raise
        finally:
            polls.release(task)
        return True

    async def _wait(self, seconds: float) -> None:
        """Wait until there may be a task, at most ``seconds``."""
        future, deliver = self._bridge.expect()
        waiting = self._client.host.queues
        answer = waiting.add(self._queue, deliver)
        self._waiting = future
        timer = asyncio.get_running_loop().call_later(min(seconds, LOOK_SECONDS), _end, future)
        goes_on = False
        try:
            if not self._client.polls.has_tasks(self._queue):
                await future
            goes_on = not self._is_given_up
        finally:
            self._waiting = None
            timer.cancel()
            if not waiting.remove(self._queue, answer) and not goes_on:  # it was told of a task that it does not take
                self._client.host.queued(self._queue)


class _HandingOut:
    """Gets the reply that a task is handed out. If nobody waits for it any longer, the task is given back."""

    __slots__ = ("_give_back", "future")

    def __init__(self, future: asyncio.Future[None], give_back: Callable[[], None]) -> None:
        self.future, self._give_back = future, give_back

    def cancel(self) -> None:
        """The poll was canceled, perhaps when the reply had come already."""
        if not self.future.cancel() and not self.future.cancelled() and self.future.exception() is None:
            self._give_back()

    def done(self) -> bool:
        return False

    def set_result(self, result: object, /) -> None:
        if self.future.cancelled():
            self._give_back()
        else:
            self.future.set_result(None)

    def set_exception(self, exception: BaseException, /) -> None:
        if not self.future.cancelled():
            self.future.set_exception(exception)


def _end(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
