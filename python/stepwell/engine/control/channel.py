"""What a connected host needs of its connection: the socket of a folder, or a server's HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from stepwell.engine.host.promises import Callback
from stepwell.errors import StorageError

from . import messages as m

ANSWER_SECONDS = 120.0
"""How long the other process may take to answer what it need not wait for."""


class Channel(Protocol):
    """Requests to a process that has a folder open. Any thread may ask."""

    @property
    def server(self) -> m.Welcome:
        """Who answers."""
        ...

    def ask(self, make: Callable[[int], m.Request], timeout: float | None = ANSWER_SECONDS) -> Any:
        """Ask for something, and wait for the reply. Raises what the other process raised."""
        ...

    def begin(self, make: Callable[[int], m.Request], deliver: Callback) -> int:
        """Ask for something; ``deliver`` gets the reply, in another thread. The number of the request."""
        ...

    def forget(self, number: int) -> bool:
        """Wait no longer for the reply to a request; whether it is still to come."""
        ...

    def tell(self, message: m.Unwatch) -> None:
        """Send what has no reply."""
        ...

    def on_end(self, function: Callable[[StorageError], None]) -> None:
        """Let ``function`` be called once, when the other process can be asked nothing more."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...
