"""The handlers of the order-processing state machine: plain functions, found by their names.

Each call is written to the journal that ``ORDER_JOURNAL`` names, outside the engine, so that the demo can compare the
engine's records with the actual calls. Some services fail on purpose: a busy warehouse, a payment gateway that times
out, a full mailbox. ``ORDER_PACE`` scales how long the work takes (0: no time).
"""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable
from typing import Any

from stepwell import TaskError

PACE = float(os.environ.get("ORDER_PACE", "1"))
JOURNAL = os.environ.get("ORDER_JOURNAL")

Handler = Callable[[Any, Any], Any]


def write_journal(**line: Any) -> None:
    """Append one line and sync it: the journal must outlive this process."""
    if JOURNAL is None:
        return
    descriptor = os.open(JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, (json.dumps(line) + "\n").encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def takes(seconds: float) -> Callable[[Handler], Handler]:
    """The work takes ``seconds``; its beginning and end are written to the journal."""

    def decorate(work: Handler) -> Handler:
        @functools.wraps(work)
        def journaled(request: Any, ctx: Any) -> Any:
            call = {"handler": work.__name__, "input": request, "task_id": ctx.task_id, "process": os.getpid()}
            write_journal(**call, moment="called")
            time.sleep(seconds * PACE)
            try:
                return work(request, ctx)
            finally:
                write_journal(**call, moment="returned")

        return journaled

    return decorate


@takes(0.2)
def validate_order(order: Any, ctx: Any) -> Any:
    if not order.get("items"):
        raise TaskError("InvalidOrder", f"{order.get('order_id')} has no items")
    return {"total": sum(item["quantity"] * item["price"] for item in order["items"])}


@takes(0.4)
def check_for_fraud(order: Any, ctx: Any) -> Any:
    if order["customer"]["name"] == "Mallory":
        raise TaskError("FraudSuspected", "this customer is known to us")
    return {"risk": "low"}


@takes(0.6)
def reserve_item(item: Any, ctx: Any) -> Any:
    if item["sku"] == "unicorn":
        raise TaskError("OutOfStock", "no unicorns left")
    if item["sku"] == "desk" and ctx.attempt == 0:
        raise TaskError("WarehouseBusy", "the forklift is in use")
    return {"sku": item["sku"], "reservation": f"{item['order_id']}/{item['sku']}"}


@takes(1.5)
def charge_card(order: Any, ctx: Any) -> Any:
    if ctx.attempt == 0:
        raise TaskError("GatewayTimeout", "the payment gateway did not answer")
    return {"receipt": f"paid {order['validation']['total']:.2f}"}


@takes(0.5)
def pack_parcel(order: Any, ctx: Any) -> Any:
    return {"weight_kg": 7 * len(order["items"])}


@takes(0.2)
def print_label(order: Any, ctx: Any) -> Any:
    return {"label": f"{order['customer']['name']}, {order['parcel']['weight_kg']} kg"}


@takes(0.2)
def send_email(order: Any, ctx: Any) -> Any:
    raise TaskError("MailboxFull", f"{order['customer']['email']} takes no more mail")


@takes(0.2)
def send_text_message(order: Any, ctx: Any) -> Any:
    return {"channel": "text message"}


@takes(0.2)
def release_items(order: Any, ctx: Any) -> Any:
    return {"released": len(order["items"])}


handlers = {
    work.__name__: work
    for work in (
        validate_order,
        check_for_fraud,
        reserve_item,
        charge_card,
        pack_parcel,
        print_label,
        send_email,
        send_text_message,
        release_items,
    )
}
