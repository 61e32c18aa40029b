"""uvicorn's HTTP protocol, with one write for each answer: uvicorn writes the head and the body one after the other.

A write is a call of the system that wakes the client. With small answers it takes more time than all else of a request.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD = b"HTTP/1.1 "
_CONTINUE = b"HTTP/1.1 100"


class JoiningTransport:
    """A transport that holds back the head of an answer until more is written."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write what was held back, and ``data``."""
        if data.startswith(_HEAD) and not self._head and not data.startswith(_CONTINUE):
            self._head = data
            return
        self._transport.write(self._head + data if self._head else data)
        self._head = b""

    def flush(self) -> None:
        """Write what was held back."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""

    def close(self) -> None:
        """Close the connection, once everything is written."""
        self.flush()
        self._transport.close()


class Protocol(HttpToolsProtocol):
    """One connection."""

    def connection_made(self, transport: Any) -> None:
        self._joining = JoiningTransport(transport)
        super().connection_made(self._joining)  # type: ignore[arg-type] - it has what a transport has

    def on_response_complete(self) -> None:
        self._joining.flush()  # an answer to HEAD has no body
        super().on_response_complete()
