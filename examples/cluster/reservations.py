"""What the tasks do: the same on each node. A task may be called twice, under the same id, when its node dies."""

from __future__ import annotations

from stepwell import HandlerContext


def reserve(order: dict[str, int], context: HandlerContext) -> dict[str, int | str]:
    """Reserve the goods; ``context.task_id`` is the key by which the warehouse knows a call that it has had."""
    return {"id": order["id"], "reservation": context.task_id}


def charge(order: dict[str, int]) -> dict[str, int]:
    """Charge the customer."""
    return {"id": order["id"], "amount": 42}
