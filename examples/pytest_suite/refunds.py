"""What the suite tests: refunds are paid when the parcel is back, after two weeks; large ones are reviewed first."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepwell import HandlerContext, TaskError

TWO_WEEKS = 14 * 86400
LARGE = 100_000

WORKFLOW: dict[str, Any] = {
    "StartAt": "WaitForParcel",
    "States": {
        "WaitForParcel": {"Type": "Wait", "SecondsPath": "$.patience", "Next": "IsLarge"},
        "IsLarge": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.cents", "NumericGreaterThanEquals": LARGE, "Next": "Review"}],
            "Default": "Pay",
        },
        "Review": {
            "Type": "Task",
            "Resource": "arn:aws:states:eu-central-1:123456789012:activity:review",
            "ResultPath": "$.review",
            "Next": "Pay",
        },
        "Pay": {
            "Type": "Task",
            "Resource": "pay",
            "ResultPath": "$.payment",
            "Retry": [{"ErrorEquals": ["BankClosed"], "IntervalSeconds": 3600, "MaxAttempts": 3}],
            "Catch": [{"ErrorEquals": ["NoSuchAccount"], "ResultPath": "$.failure", "Next": "SendCheque"}],
            "Next": "Done",
        },
        "SendCheque": {"Type": "Task", "Resource": "send_cheque", "ResultPath": "$.payment", "Next": "Done"},
        "Done": {"Type": "Succeed"},
    },
}


@dataclass
class Refund:
    """What the workflow starts with."""

    account: str
    cents: int
    patience: int = TWO_WEEKS


class Bank:
    """A bank that keeps its transfers in a file, and knows a transfer by its key."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def transfers(self) -> list[tuple[str, int]]:
        """The key and the cents of each transfer."""
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        return [(key, cents) for key, cents in map(json.loads, lines)]

    def amounts(self) -> list[int]:
        """The cents of each transfer."""
        return [cents for _, cents in self.transfers()]

    def transfer(self, account: str, cents: int, key: str) -> None:
        """Transfer money, unless that was done under this key."""
        if account == "closed":
            raise TaskError("NoSuchAccount", account)
        if key not in dict(self.transfers()):
            with self._file.open("a") as file:
                file.write(json.dumps([key, cents]) + "\n")


def handlers(bank: Bank) -> dict[str, Callable[..., Any]]:
    """The handlers. They take what they use as an argument, so that a test gives them another one."""

    def pay(refund: Refund, ctx: HandlerContext) -> dict[str, str]:
        bank.transfer(refund.account, refund.cents, key=ctx.task_id)
        return {"by": "transfer"}

    def send_cheque(refund: Refund) -> dict[str, str]:
        return {"by": "cheque"}

    return {"pay": pay, "send_cheque": send_cheque}
