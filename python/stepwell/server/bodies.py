"""Bodies of requests: received, with limits for one and for all of them together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from stepwell.step_functions.errors import Fault

from .limits import BODY_BYTES

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class Gone(Exception):
    """The client has closed its connection."""


class Bodies:
    """Receives bodies, of ``most`` bytes together."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0

    async def receive(self, headers: Mapping[bytes, bytes], receive: Receive, most: int = BODY_BYTES) -> bytes:
        """The body of a request. Raises ``Fault`` for one that is too large, ``Gone`` for one that is cut short."""
        if int(headers.get(b"content-length", b"0")) > most:  # the parser has refused what is no number
            raise too_large(most)
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body: bytes = message.get("body", b"")
            if len(body) <= most:
                return body
        return await self._in_parts(message, receive, most)

    async def _in_parts(self, message: Message, receive: Receive, most: int) -> bytes:
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
                if size > most:
                    raise too_large(most)
                if self._held > self._most:
                    raise Fault("ThrottlingException", "The server receives too many large bodies.", namespace="")
                if not message.get("more_body"):
                    return b"".join(parts)
                message = await receive()
        finally:
            self._held -= size


def too_large(most: int) -> Fault:
    """A body that no request has."""
    return Fault("RequestEntityTooLarge", f"A body has {most} bytes at most.", status=413, namespace="")


async def until_gone(receive: Receive) -> None:
    """Return when the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
