"""A shop with work of all kinds, for tests and pictures of the console: its definitions, its handlers, a busy day."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from stepwell import TaskError

ROLE = "arn:aws:iam::000000000000:role/shop"
PREFIX = "arn:aws:states:us-east-1:000000000000"
ACTIVITY = f"{PREFIX}:activity:photograph"
HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>'

RETRY = [{"ErrorEquals": ["GatewayTimeout"], "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 1}]
ORDER: dict[str, Any] = {
    "Comment": "An order, from its reservation to its delivery",
    "StartAt": "Reserve stock",
    "States": {
        "Reserve stock": {
            "Type": "Task",
            "Resource": "reserve",
            "Assign": {"reservation.$": "$.reservation"},
            "ResultPath": "$.stock",
            "Next": "Pay and check",
        },
        "Pay and check": {
            "Type": "Parallel",
            "ResultPath": "$.checks",
            "Branches": [
                {
                    "StartAt": "Charge card",
                    "States": {"Charge card": {"Type": "Task", "Resource": "charge", "Retry": RETRY, "End": True}},
                },
                {
                    "StartAt": "Score fraud",
                    "States": {"Score fraud": {"Type": "Task", "Resource": "score", "End": True}},
                },
            ],
            "Catch": [{"ErrorEquals": ["CardDeclined"], "ResultPath": "$.error", "Next": "Release stock"}],
            "Next": "Is it large?",
        },
        "Is it large?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.total", "NumericGreaterThan": 900, "Next": "Inspect by hand"}],
            "Default": "Pack each parcel",
        },
        "Inspect by hand": {"Type": "Wait", "SecondsPath": "$.inspection", "Next": "Pack each parcel"},
        "Pack each parcel": {
            "Type": "Map",
            "ItemsPath": "$.parcels",
            "MaxConcurrency": 4,
            "ResultPath": "$.packed",
            "ItemProcessor": {
                "StartAt": "Pack",
                "States": {
                    "Pack": {"Type": "Task", "Resource": "pack", "Next": "Print label"},
                    "Print label": {"Type": "Pass", "Result": "printed", "End": True},
                },
            },
            "Next": "Ship",
        },
        "Ship": {"Type": "Task", "Resource": "ship", "ResultPath": "$.shipment", "Next": "Delivered"},
        "Delivered": {"Type": "Succeed"},
        "Release stock": {"Type": "Task", "Resource": "release", "ResultPath": None, "Next": "Declined"},
        "Declined": {
            "Type": "Fail",
            "Error": "OrderDeclined",
            "Cause": "The card was declined, and the stock is free again.",
        },
    },
}
IMPORT: dict[str, Any] = {
    "StartAt": "Import each row",
    "States": {
        "Import each row": {
            "Type": "Map",
            "Label": "rows",
            "MaxConcurrency": 50,
            "ToleratedFailurePercentage": 2,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Import row",
                "States": {"Import row": {"Type": "Task", "Resource": "import_row", "End": True}},
            },
            "ResultPath": None,
            "End": True,
        }
    },
}
BATCH: dict[str, Any] = {
    "StartAt": "Order for a customer",
    "States": {
        "Order for a customer": {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {"StateMachineArn": f"{PREFIX}:stateMachine:order", "Input.$": "$", "Name.$": "$.name"},
            "End": True,
        }
    },
}
APPROVAL: dict[str, Any] = {
    "StartAt": "Ask the manager",
    "TimeoutSeconds": 604800,
    "States": {
        "Ask the manager": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": "ask", "Payload": {"order.$": "$.order", "token.$": "$$.Task.Token"}},
            "HeartbeatSeconds": 86400,
            "Next": "Granted",
        },
        "Granted": {"Type": "Succeed"},
    },
}
PHOTO: dict[str, Any] = {
    "StartAt": "Photograph",
    "States": {"Photograph": {"Type": "Task", "Resource": ACTIVITY, "TimeoutSeconds": 90000, "End": True}},
}
REFUND: dict[str, Any] = {
    "StartAt": "Refund",
    "States": {
        "Refund": {
            "Type": "Task",
            "Resource": "refund",
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600, "MaxAttempts": 5}],
            "End": True,
        }
    },
}
HOSTILE_MACHINE: dict[str, Any] = {
    "Comment": HOSTILE,
    "StartAt": HOSTILE[:60],
    "States": {
        HOSTILE[:60]: {"Type": "Pass", "Next": "Fails"},
        "Fails": {"Type": "Fail", "Error": HOSTILE, "Cause": HOSTILE},
    },
}
MACHINES = {
    "order": ORDER,
    "import-catalogue": IMPORT,
    "batch-order": BATCH,
    "approve-discount": APPROVAL,
    "photograph": PHOTO,
    "refund": REFUND,
    "hostile": HOSTILE_MACHINE,
}


# handlers: stepwell serve --handlers tests/console/shop.py


def reserve(order: Any, ctx: Any) -> Any:
    return {"reservation": f"R-{order['number']}", "warehouse": "north"}


async def charge(order: Any, ctx: Any) -> Any:
    if order.get("declined"):
        raise TaskError("CardDeclined", f"The bank said no to {order['total']} for order {order['number']}")
    if order.get("flaky") and ctx.attempt < order["flaky"]:
        raise TaskError("GatewayTimeout", "no answer within 5 s")
    await asyncio.sleep(order.get("seconds", 0))
    return {"receipt": f"paid {order['total']}"}


def score(order: Any, ctx: Any) -> Any:
    return {"fraud": order["number"] % 7}


def pack(parcel: Any, ctx: Any) -> Any:
    return {**parcel, "packed": True}


def ship(order: Any, ctx: Any) -> Any:
    return {"carrier": "post", "tracking": f"T{order['number']:08}"}


def release(order: Any, ctx: Any) -> Any:
    return None


def import_row(row: Any, ctx: Any) -> Any:
    if row % 29 == 3:
        raise TaskError("BadRow", f"Row {row} has no price")
    return row


def refund(order: Any, ctx: Any) -> Any:
    raise TaskError("LedgerClosed", "The ledger is closed until the morning")


def ask(payload: Any, ctx: Any) -> Any:
    return None


handlers: dict[str, Callable[..., Any]] = {
    "reserve": reserve,
    "charge": charge,
    "score": score,
    "pack": pack,
    "ship": ship,
    "release": release,
    "import_row": import_row,
    "refund": refund,
    "arn:aws:states:::lambda:invoke.waitForTaskToken": ask,
}


# a busy day


def order_input(number: int, **more: Any) -> str:
    parcels = [{"sku": f"SKU-{number}-{index}", "weight": 0.4 + index} for index in range(1 + number % 4)]
    return json.dumps(
        {
            "number": number,
            "customer": f"customer-{number % 97}",
            "total": 20 + number % 800,
            "inspection": 86_400,
            "parcels": parcels,
            **more,
        }
    )


def machine_arn(name: str) -> str:
    return f"{PREFIX}:stateMachine:{name}"


def execution_arn(name: str, called: str) -> str:
    return f"{PREFIX}:execution:{name}:{called}"


def starts(running: int, ended: int) -> Iterator[tuple[str, str, str]]:
    """Workflow, name and input of the executions of a day, the interesting ones last."""
    for number in range(ended):
        more = {"declined": True} if number % 23 == 5 else {"flaky": 1} if number % 31 == 7 else {}
        yield "order", f"order-{number:06}", order_input(number, **more)
    for number in range(ended, ended + running):
        yield "order", f"order-{number:06}", order_input(number, total=1200)
    for number in range(6):
        yield "refund", f"refund-{number}", json.dumps({"order": number})
        yield "photograph", f"photo-{number}", json.dumps({"sku": f"SKU-{number}"})
    yield "batch-order", "monday", json.dumps({**json.loads(order_input(77_777)), "name": "order-from-batch"})
    yield "hostile", "hostile", json.dumps({"text": HOSTILE})
    yield "order", "flaky", order_input(88_888, flaky=2)
    yield "order", "declined", order_input(88_887, declined=True)
    yield "order", "packing", order_input(88_886, parcels=[{"sku": f"SKU-{index}", "weight": 1} for index in range(30)])
    yield "approve-discount", "approval", json.dumps({"order": 4711, "discount": 0.3})


def build(sfn: Any, running: int, ended: int, rows: int) -> None:
    """Deploy the workflows, and start a day's executions; wait for those that end."""
    sfn.create_activity(name="photograph")
    for name, definition in MACHINES.items():
        sfn.create_state_machine(name=name, definition=json.dumps(definition, indent=2), roleArn=ROLE)
    sfn.update_state_machine(
        stateMachineArn=machine_arn("order"), definition=json.dumps(ORDER, indent=2), publish=True, roleArn=ROLE
    )
    sfn.create_state_machine_alias(
        name="prod", routingConfiguration=[{"stateMachineVersionArn": f"{machine_arn('order')}:1", "weight": 100}]
    )

    def start(item: tuple[str, str, str]) -> None:
        sfn.start_execution(stateMachineArn=machine_arn(item[0]), name=item[1], input=item[2])

    coming = starts(running, ended)
    with ThreadPoolExecutor(16) as pool:
        while some := list(islice(coming, 500)):
            list(pool.map(start, some))
    start(("import-catalogue", "catalogue", json.dumps(list(range(rows)))))
    for name, called in (
        ("import-catalogue", "catalogue"),
        ("batch-order", "monday"),
        ("order", "flaky"),
        ("order", "packing"),
    ):
        wait(sfn, execution_arn(name, called))
    for number in range(ended, ended + min(3, running)):
        sfn.stop_execution(
            executionArn=execution_arn("order", f"order-{number:06}"),
            error="Cancelled",
            cause="The customer changed their mind",
        )


def wait(sfn: Any, arn: str, seconds: float = 120) -> dict[str, Any]:
    """An execution, once it has ended."""
    deadline = time.monotonic() + seconds
    while (found := sfn.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < deadline, arn
        time.sleep(0.05)
    return dict(found)
