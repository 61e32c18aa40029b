"""What the suite tests: an order is reserved, approved where it is large, charged, and settled after thirty days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from stepwell import HandlerContext, TaskError

APPROVALS = "arn:aws:states:eu-central-1:123456789012:activity:approve"
LARGE = 1000
DAY = 86_400

WORKFLOW: dict[str, Any] = {
    "StartAt": "Reserve",
    "States": {
        "Reserve": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {
                "StartAt": "ReserveItem",
                "States": {
                    "ReserveItem": {
                        "Type": "Task",
                        "Resource": "reserve",
                        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 3}],
                        "End": True,
                    }
                },
            },
            "ResultPath": "$.reserved",
            "Catch": [{"ErrorEquals": ["SoldOut"], "ResultPath": "$.failure", "Next": "Release"}],
            "Next": "IsLarge",
        },
        "IsLarge": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.total", "NumericGreaterThanEquals": LARGE, "Next": "Approve"}],
            "Default": "Charge",
        },
        "Approve": {
            "Type": "Task",
            "Resource": APPROVALS,
            "TimeoutSeconds": 3 * DAY,
            "ResultPath": "$.approved",
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Release"}],
            "Next": "Charge",
        },
        "Charge": {
            "Type": "Task",
            "Resource": "charge",
            "ResultPath": "$.receipt",
            "Retry": [{"ErrorEquals": ["CardDown"], "IntervalSeconds": 60, "BackoffRate": 2, "MaxAttempts": 3}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Release"}],
            "Next": "CoolingOff",
        },
        "CoolingOff": {"Type": "Wait", "Seconds": 30 * DAY, "Next": "Settle"},
        "Settle": {"Type": "Task", "Resource": "settle", "ResultPath": "$.settled", "Next": "Done"},
        "Done": {"Type": "Succeed"},
        "Release": {"Type": "Task", "Resource": "release", "ResultPath": "$.released", "Next": "Refused"},
        "Refused": {"Type": "Fail", "ErrorPath": "$.failure.Error", "CausePath": "$.failure.Cause"},
    },
}


class Shop:
    """Stock and money, in memory. ``charge`` knows a payment by its task, so that it charges once."""

    def __init__(self, **stock: int) -> None:
        self.stock = Counter(stock)
        self.payments: dict[str, int] = {}
        self.settled: list[str] = []

    def handlers(self) -> dict[str, Callable[..., Any]]:
        """The handlers of the workflow."""
        return {"reserve": self.reserve, "charge": self.charge, "settle": self.settle, "release": self.release}

    def reserve(self, item: str) -> str:
        """Take an item out of the stock."""
        if not self.stock[item]:
            raise TaskError("SoldOut", item)
        self.stock[item] -= 1
        return item

    def charge(self, order: dict[str, Any], ctx: HandlerContext) -> int:
        """Charge the total, once for each task."""
        self.payments[ctx.task_id] = order["total"]
        return len(self.payments)

    def settle(self, order: dict[str, Any], ctx: HandlerContext) -> str:
        """Send the money to the merchant."""
        self.settled.append(ctx.execution_id)
        return "merchant"

    def release(self, order: dict[str, Any]) -> list[str]:
        """Put back what was reserved."""
        reserved: list[str] = order.get("reserved", [])
        self.stock.update(reserved)
        return reserved
