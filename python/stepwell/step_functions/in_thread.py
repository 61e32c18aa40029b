"""Operations that may wait for the disk, or for another process: they are carried out in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from .service import Operation, Service

Request = TypeVar("Request")


def in_thread(function: Callable[[Service, Request], dict[str, Any]]) -> Operation:
    """An operation that calls a function in a thread."""

    async def operation(service: Service, request: Request) -> dict[str, Any]:
        return await asyncio.to_thread(function, service, request)

    return operation
