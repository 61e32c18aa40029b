"""Handlers of the engines that these tests use."""

from __future__ import annotations

from typing import Any

from stepwell import HandlerContext, TaskError


def echo(value: Any) -> Any:
    return value


def fail(value: Any) -> Any:
    raise TaskError("Declined", "over the limit")


def describe(value: Any, ctx: HandlerContext) -> Any:
    return [ctx.state_name, ctx.resource, ctx.attempt, ctx.execution_id]
