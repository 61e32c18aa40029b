"""What the operations of the API work with: an open engine, its clients' page tokens, and whether the server stops."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from stepwell import _core
from stepwell.engine.api.async_execution import AsyncExecution
from stepwell.engine.api.async_executor import AsyncExecutor
from stepwell.engine.api.async_polls import AsyncPoll
from stepwell.engine.client.commands import ClientCommand
from stepwell.engine.storage.contexts import TaskContext
from stepwell.errors import StepwellError

from .callers import caller
from .errors import Fault, unavailable
from .tokens import PageTokens

Found = TypeVar("Found")
KEY_FILE = "page-key"
"""The file of a data folder that signs page tokens, so that a list goes on after a restart."""
KEY_BYTES = 32


class Service:
    """One engine that is served."""

    def __init__(self, executor: AsyncExecutor) -> None:
        self.executor, self.client = executor, executor.client
        self._bridge = executor.bridge
        self.pages = PageTokens(executor.client.host.shared_key or page_key(executor.client.host.folder))
        self.stopping = asyncio.Event()
        """Set when the server begins to stop: what waits for long answers with what there is."""
        self._waiting: set[AsyncPoll] = set()

    def ask(self, command: ClientCommand) -> Awaitable[str]:
        """Give a command to the engine; the id of the execution that it was processed in, once that is durable."""
        return self._bridge.ask(self.client.host, command)

    async def read(self, read: Callable[..., Found], *arguments: Any) -> Found:
        """What ``read`` returns, which reads storage. It is called in a thread if that waits for another process."""
        if self.client.host.reads_wait:
            return await asyncio.to_thread(read, *arguments)
        return read(*arguments)

    def execution(self, id: str) -> AsyncExecution:
        """A handle on an execution."""
        return self.executor.handle(id)

    def stop(self) -> None:
        """Answer what waits for long, and take no further requests."""
        self.stopping.set()
        for poll in self._waiting:
            poll.give_up()

    async def polled(self, queue: str, worker: str | None, seconds: float) -> TaskContext | None:
        """The next task of an activity, handed out; None if none comes while its caller and the server are there."""
        poll = AsyncPoll(self.client, self._bridge, queue, worker)
        client = caller.get()
        if client is not None:
            client.when_left(poll.give_up)
        self._waiting.add(poll)
        try:
            return await poll.task(0 if self.stopping.is_set() else seconds)
        finally:
            self._waiting.discard(poll)

    async def while_wanted(self, work: Coroutine[Any, Any, Found]) -> Found | None:
        """The result of what may take long, and may be lost; None if the server begins to stop or the caller leaves."""
        leaving = asyncio.get_running_loop().create_future()
        client = caller.get()
        stays = _nothing if client is None else client.when_left(partial(_end, leaving))
        working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait((working, leaving, stopping), return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            stays()
            for each in (working, leaving, stopping):
                each.cancel()

    def problem(self) -> Fault | None:
        """Why it takes no requests now; None: it does."""
        if self.stopping.is_set():
            return unavailable("the server is stopping")
        try:
            self.client.host.check()
        except StepwellError as error:
            return unavailable(str(error))
        return None


def _nothing() -> None:
    """Revokes nothing."""


def _end(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


Operation = Callable[[Service, Any], Awaitable[dict[str, Any]]]
"""An operation: the service and the request in, the members of the answer out. Raises ``Fault``."""


def page_key(folder: _core.Folder | None) -> bytes:
    """The key of a data folder, made when it is first served; of an engine in memory a new one."""
    key = None if folder is None else folder.read(KEY_FILE)
    if key is None or len(key) != KEY_BYTES:
        key = secrets.token_bytes(KEY_BYTES)
        if folder is not None:
            folder.write(KEY_FILE, key)
    return key


PAGE = 100
"""The size of a page whose request names none, or 0."""


def page_size(asked: int | None) -> int:
    """How many items a page has at most."""
    return asked or PAGE
