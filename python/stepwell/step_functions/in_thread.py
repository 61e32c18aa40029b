"""Operations that are functions: those that may wait for the disk are carried out in a thread, others only read."""

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


def reading(function: Callable[[Service, Request], dict[str, Any]]) -> Operation:
    """An operation that calls a function that reads a few rows: in a thread, if reads wait for another process."""

    async def operation(service: Service, request: Request) -> dict[str, Any]:
        return await service.read(function, service, request)

    return operation
