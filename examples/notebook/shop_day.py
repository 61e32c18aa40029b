"""A shop's day for the notebook: 120 orders of the order service on a virtual clock, within seconds."""

from __future__ import annotations

import random
from pathlib import Path

from stepwell import testing

ORDER = Path(__file__).parents[1] / "order_service" / "order.asl.json"
ORDERS = 120


def script(mock: testing.Mock, draw: random.Random) -> None:
    """What warehouse, boss, bank and carrier answer, and when. Each answer is for one call."""
    reserve, approval = mock.state("Reserve"), mock.state("Approval")
    charge, ship = mock.state("Charge"), mock.state("Ship")
    for _ in range(2 * ORDERS):  # there are retries
        if draw.random() < 0.04:
            reserve.fails("OutOfStock", "no desk is there", times=1, delay=draw.uniform(0.1, 1))
        else:
            reserve.returns({"shelf": "A"}, times=1, delay=draw.uniform(0.1, 2))
        if draw.random() < 0.1:
            approval.fails("Rejected", "by Ada", times=1, delay=draw.expovariate(1 / 1800))
        else:
            approval.returns({"by": "Ada"}, times=1, delay=draw.expovariate(1 / 1800))
        if draw.random() < 0.12:
            charge.fails("States.Timeout", times=1, delay=10)
        else:
            charge.returns({"receipt": "r"}, times=1, delay=draw.lognormvariate(0, 0.8))
        if draw.random() < 0.06:
            ship.fails("CarrierDown", "503", times=1, delay=draw.uniform(1, 5))
        else:
            ship.returns({"pieces": 1}, times=1, delay=draw.uniform(3, 25))
    mock.state("Refund").returns(delay=0.4)
    mock.state("Release").returns(delay=0.2)


def busy_day(data: str | None = None, seed: int = 7) -> testing.TestExecutor:
    """An engine in which the day has passed, in memory or over a folder. The same seed is the same day."""
    draw = random.Random(seed)
    engine = testing.TestExecutor(data, start="2026-11-27T08:00:00Z", seed=seed)
    engine.deploy("order", ORDER)
    script(engine.mock, draw)
    for number in range(ORDERS):
        engine.start("order", {"sku": "desk", "cents": draw.randint(500, 70_000)}, f"order-{number}")
        engine.advance(seconds=draw.expovariate(1 / 240))
    engine.advance("12h")
    return engine
