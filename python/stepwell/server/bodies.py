"""Bodies of requests: received, with limits for one and for all of them together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from stepwell.step_functions.errors import Fault

from .cycle import Cycle
from .limits import BODY_BYTES

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class Gone(Exception):
    """The client has closed its connection."""


class Bodies:
    """Receives bodies that have ``max_bytes`` together."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self._held = max_bytes, 0

    def whole(self, headers: Mapping[bytes, bytes], max_bytes: int, cycle: Cycle | None) -> bytes | None:
        """The body of a request if it has arrived whole, as most have. Raises ``Fault`` for one that is too large.

        ``cycle`` is the request's own, where that is known.
        """
        if int(headers.get(b"content-length", b"0")) > max_bytes:  # the parser has refused what is no number
            raise too_large(max_bytes)
        whole = None if cycle is None else cycle.whole_body()
        if whole is not None and len(whole) > max_bytes:  # its head did not say so: it came in chunks
            raise too_large(max_bytes)
        return whole

    async def receive(self, receive: Receive, max_bytes: int = BODY_BYTES) -> bytes:
        """The body of a request that has not arrived whole.

        Raises ``Fault`` for one that is too large, ``Gone`` for one that is cut short.
        """
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body: bytes = message.get("body", b"")
            if len(body) <= max_bytes:
                return body
        return await self._in_parts(message, receive, max_bytes)

    async def _in_parts(self, message: Message, receive: Receive, max_bytes: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            while True:
                if message["type"] == "http.disconnect":
                    raise Gone
                part: bytes = message.get("body", b"")
                parts.append(part)
                size += len(part)
                self._held += len(part)
                if size > max_bytes:
                    raise too_large(max_bytes)
                if self._held > self._max_bytes:
                    raise Fault("ThrottlingException", "The server receives too many large bodies.", namespace="")
                if not message.get("more_body"):
                    return b"".join(parts)
                message = await receive()
        finally:
            self._held -= size


def too_large(max_bytes: int) -> Fault:
    """A body that no request has."""
    return Fault("RequestEntityTooLarge", f"A body has {max_bytes} bytes at most.", status=413, namespace="")
