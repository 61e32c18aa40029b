"""An ``AsyncExecutor`` over an engine that another executor has open."""

from __future__ import annotations

import asyncio

from stepwell.engine.client.client import Client

from .async_executor import AsyncExecutor
from .event_loop import EventLoopBridge


class BorrowedExecutor(AsyncExecutor):
    """Uses the engine of another executor on the running loop. It is neither opened nor closed."""

    def __init__(self, client: Client) -> None:
        self._client, self._bridge = client, EventLoopBridge(asyncio.get_running_loop())
