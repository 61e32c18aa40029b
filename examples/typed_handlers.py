"""Typed handlers: inputs and outputs are classes, and a type checker knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypedDict

import msgspec

from stepwell import Event, Executor, HandlerContext


@dataclass
class Order:
    """What the workflow starts with."""

    id: int
    items: list[str]
    due: date


class Receipt(msgspec.Struct):
    """What the payment answers."""

    order: int
    cents: int


class Parcel(TypedDict):
    """What is sent."""

    order: int
    weight: float


ex = Executor()


@ex.task("charge")
def charge(order: Order) -> Receipt:
    """Gets an Order, returns a Receipt."""
    return Receipt(order.id, 100 * len(order.items))


@ex.task("pack", concurrency=2)
async def pack(receipt: Receipt, ctx: HandlerContext) -> Parcel:
    """Gets what ``charge`` returned."""
    ctx.raise_if_cancelled()
    return {"order": receipt.order, "weight": receipt.cents / 1000}


@ex.on("execution_ended")
def report(event: Event) -> None:
    """Hears of each end."""
    print(f"{event.workflow} has ended: {event.status}")


SHIP = {
    "StartAt": "Charge",
    "States": {
        "Charge": {"Type": "Task", "Resource": "charge", "Next": "Pack"},
        "Pack": {"Type": "Task", "Resource": "pack", "End": True},
    },
}


def main() -> None:
    """Charge and pack one order."""
    with ex:
        receipt: Receipt = charge(Order(1, ["tea"], date(2026, 12, 1)))  # still a plain function
        ex.deploy("ship", SHIP)
        execution = ex.start("ship", Order(7, ["tea", "cup"], date(2026, 12, 1))).wait(30)
        print(receipt.cents, execution.output)


if __name__ == "__main__":
    main()
