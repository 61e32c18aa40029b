"""The service that Restate calls: ``hypercorn --bind 127.0.0.1:PORT restate_service:app``."""

from __future__ import annotations

from datetime import timedelta

import restate
from work import STEPS

service = restate.Service("peers")


@service.handler()
async def one(ctx: restate.Context, number: int) -> int:
    return await ctx.run_typed("add_one", lambda: number + 1)


@service.handler()
async def ten(ctx: restate.Context, number: int) -> int:
    for _ in range(STEPS):
        number = await ctx.run_typed("add_one", lambda value=number: value + 1)
    return number


@service.handler()
async def waiting(ctx: restate.Context, number: int) -> int:
    await ctx.sleep(timedelta(hours=1))
    return number


app = restate.app([service])
