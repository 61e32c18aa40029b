"""Handlers of the workers in these tests. They note their calls in a folder that the input names."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepwell import HandlerContext, TaskCancelled, TaskError


def note(value: Any, ctx: HandlerContext, what: str) -> None:
    """Write down that a call has come so far, in a way that a kill cannot spoil."""
    folder = Path(value["notes"])
    text = f"{what} {ctx.task_id} {os.getpid()}"
    path = folder / f"{uuid.uuid4()}.part"
    path.write_text(text, encoding="utf-8")
    path.rename(path.with_suffix(".new"))


def echo(value: Any) -> Any:
    return value


async def on_a_loop(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


@dataclass
class Order:
    total: int


def typed(order: Order) -> Order:
    return Order(order.total + 1)


def fail(value: Any) -> Any:
    raise TaskError("Declined", "over the limit")


def context(value: Any, ctx: HandlerContext) -> Any:
    return [ctx.state_name, ctx.resource, ctx.attempt, ctx.execution_id, ctx.execution_arn]


def slow(value: Any, ctx: HandlerContext) -> Any:
    note(value, ctx, "began")
    time.sleep(value["seconds"])
    note(value, ctx, "ended")
    return ctx.task_id


def until_cancelled(value: Any, ctx: HandlerContext) -> Any:
    note(value, ctx, "began")
    try:
        while True:
            ctx.heartbeat()
            time.sleep(0.01)
    except TaskCancelled:
        note(value, ctx, "cancelled")
        raise


async def awaiting(value: Any, ctx: HandlerContext) -> Any:
    note(value, ctx, "began")
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        note(value, ctx, "cancelled")
        raise


def beating(value: Any, ctx: HandlerContext) -> Any:
    until = time.monotonic() + value["seconds"]
    while time.monotonic() < until:
        ctx.heartbeat()
        time.sleep(0.1)
    return "done"


def with_token(value: Any, ctx: HandlerContext) -> Any:
    (Path(value["notes"]) / "token").write_text(str(ctx.task_token), encoding="utf-8")
