"""The connection to NATS: a thread with an event loop of its own, which other threads ask and post to.

The connection is made again whenever it is lost. What was posted meanwhile may be lost: whoever needs an answer asks
again (``requests``), and whoever needs the truth reads it (``registry``).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from stepwell.errors import StorageError
from stepwell.logs import logger

from .options import Cluster

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription as _Subscribed
    from nats.js import JetStreamContext

    Receive = Callable[[Msg], Awaitable[None]]

Found = TypeVar("Found")

log = logger("stepwell.cluster")

CONNECT_SECONDS = 10.0
ASK_SECONDS = 5.0
"""How long JetStream may take to answer."""
_PING_SECONDS = 1
"""How often the server is asked whether it is there; without three answers another one is taken."""


class NotReached(StorageError):
    """No NATS server answers."""


class Subscription:
    """A subject whose messages are received, over whichever connection there is."""

    def __init__(self, subject: str, receive: Receive) -> None:
        self._subject, self._receive = subject, receive
        self._current: _Subscribed | None = None

    async def begin(self, client: Client) -> None:
        """Receive over this connection."""
        self._current = await client.subscribe(self._subject, cb=self._receive)  # pyright: ignore[reportUnknownMemberType]

    async def end(self) -> None:
        """Receive nothing more."""
        if self._current is not None:
            await self._current.unsubscribe()


class Link:
    """One connection for all of a node. Any thread may call it, unless a method says otherwise."""

    def __init__(self, options: Cluster) -> None:
        self.options = options
        self.loop = asyncio.new_event_loop()
        self._client: Client | None = None
        self._subscriptions: list[Subscription] = []
        self._outgoing: deque[tuple[str, bytes, str]] = deque()
        self._posted = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="stepwell-nats", daemon=True)
        self._thread.start()
        try:
            self.ask(self._replace(options.urls), CONNECT_SECONDS)
        except BaseException:
            self._stop()
            raise

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        posting = self.loop.create_task(self._post())
        self.loop.run_forever()
        posting.cancel()
        self.loop.run_until_complete(asyncio.gather(posting, return_exceptions=True))
        self.loop.close()

    async def _replace(self, urls: list[str]) -> None:
        """Connect to one of these servers, and receive everything from there."""
        client, before = await _connect(self.options, urls), self._client
        self._client = client
        for each in self._subscriptions:
            await each.begin(client)
        if before is not None:
            await before.close()

    @property
    def client(self) -> Client:
        """The connection, for coroutines of its loop."""
        assert self._client is not None
        return self._client

    @property
    def jetstream(self) -> JetStreamContext:
        """JetStream's API, for coroutines of the loop."""
        return self.client.jetstream(timeout=ASK_SECONDS)  # pyright: ignore[reportUnknownMemberType]

    @property
    def max_payload(self) -> int:
        """How many bytes a message may have."""
        return self.client.max_payload

    def ask(self, question: Coroutine[Any, Any, Found], seconds: float | None = None) -> Found:
        """Run a coroutine in the loop, and wait for what it returns. Raises ``NotReached`` after ``seconds``."""
        future = asyncio.run_coroutine_threadsafe(question, self.loop)
        try:
            return future.result(seconds)
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError) as error:
            future.cancel()
            raise NotReached(f"NATS at {self.options.where} has not answered in time") from error

    def change_server(self) -> None:
        """Connect to another server, because the one that is connected cannot reach the others.

        A connection lives on at a server that was cut off from its cluster, and nothing that needs the others works.
        """
        now = self.client.connected_url
        others = [url for url in self.options.urls if now is None or now.netloc.rpartition("@")[2] not in url]
        if others:
            self.ask(self._replace(others), CONNECT_SECONDS)

    def soon(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function in the loop, unless the connection was closed."""
        try:
            self.loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop has ended
            log.debug("the connection to NATS is closed: %s is not called", function)

    def subscribe(self, subject: str, receive: Receive) -> Subscription:
        """Call ``receive`` in the loop with each message of a subject."""
        found = Subscription(subject, receive)
        self.ask(self._subscribe(found), ASK_SECONDS)
        return found

    async def _subscribe(self, subscription: Subscription) -> None:
        self._subscriptions.append(subscription)
        await subscription.begin(self.client)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Receive no more of a subscription."""
        try:
            self.ask(self._unsubscribe(subscription), ASK_SECONDS)
        except Exception as error:  # noqa: BLE001 - the connection may be gone, and the subscription with it
            log.debug("a subscription is not ended: %s", error)

    async def _unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.remove(subscription)
        await subscription.end()

    def post(self, subject: str, payload: bytes, reply: str = "") -> None:
        """Post a message. It may be lost."""
        self._outgoing.append((subject, payload, reply))
        self.soon(self._posted.set)

    async def _post(self) -> None:
        """Post what was given, in its order."""
        while True:
            await self._posted.wait()
            self._posted.clear()
            while self._outgoing:
                try:
                    await self.client.publish(*self._outgoing.popleft())
                except Exception as error:  # noqa: BLE001 - closed, or too much waits for a new connection
                    log.debug("a message is not posted: %s", error)

    def close(self) -> None:
        """End the connection."""
        try:
            self.ask(self.client.close(), ASK_SECONDS)
        except Exception as error:  # noqa: BLE001 - it ends in any case
            log.debug("the connection to NATS is not closed properly: %s", error)
        self._stop()

    def _stop(self) -> None:
        self.soon(self.loop.stop)
        self._thread.join(ASK_SECONDS)


async def _connect(options: Cluster, urls: list[str]) -> Client:
    try:
        from nats.aio.client import Client
        from nats.errors import Error
    except ImportError as error:
        raise StorageError("a cluster needs what `pip install stepwell[nats]` installs") from error
    client = Client()

    async def heard_end() -> None:
        if not client.is_closed:  # else this node has closed it
            log.warning("the connection to NATS is lost, and is made again")

    try:
        await client.connect(  # pyright: ignore[reportUnknownMemberType]
            urls,
            name=f"stepwell {options.name} {options.node}",
            connect_timeout=2,
            reconnect_time_wait=0,
            max_reconnect_attempts=-1,
            ping_interval=_PING_SECONDS,
            max_outstanding_pings=3,
            user_credentials=options.credentials,
            error_cb=_heard_error,
            disconnected_cb=heard_end,
            reconnected_cb=_heard_beginning,
        )
        return client
    except (OSError, Error) as error:
        raise NotReached(f"no NATS server answers at {options.where}: {error}") from error


async def _heard_error(error: Exception) -> None:
    log.debug("NATS: %s", error)


async def _heard_beginning() -> None:
    log.warning("there is a connection to NATS again")
