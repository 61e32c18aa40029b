"""Then whole runs on a virtual clock: two weeks take no time, and a mock file says what the tasks answer.

The mock file has the form of Step Functions Local; it may be a file, too. A state's calls are counted from 0.
"""

from __future__ import annotations

from typing import Any

import pytest
from refunds import LARGE, TWO_WEEKS, WORKFLOW

from stepwell import testing

MOCKS = testing.MockFile(
    {
        "StateMachines": {
            "refund": {
                "TestCases": {
                    "paid": {"Pay": "Paid"},
                    "reviewed": {"Review": "Reviewed", "Pay": "Paid"},
                    "bank closed twice": {"Pay": "ClosedTwice"},
                    "no account": {"Pay": "NoAccount", "SendCheque": "Sent"},
                    "bank closed for good": {"Pay": "Closed"},
                }
            }
        },
        "MockedResponses": {
            "Paid": {"0": {"Return": {"by": "transfer"}}},
            "Reviewed": {"0": {"Return": {"by": "Ada"}}},
            "ClosedTwice": {
                "0-1": {"Throw": {"Error": "BankClosed", "Cause": "it is Sunday"}},
                "2": {"Return": {"by": "transfer"}},
            },
            "NoAccount": {"0": {"Throw": {"Error": "NoSuchAccount", "Cause": "ada"}}},
            "Closed": {"0-3": {"Throw": {"Error": "BankClosed", "Cause": "it is bankrupt"}}},
            "Sent": {"0": {"Return": {"by": "cheque"}}},
        },
    }
)


def run(case: str, cents: int = 500) -> dict[str, Any]:
    """The result of a run: status, output or error, and all events."""
    refund = {"account": "ada", "cents": cents, "patience": TWO_WEEKS}
    return testing.scripted_run(WORKFLOW, refund, mocks=MOCKS.case("refund", case), profile="default")


def states(result: dict[str, Any]) -> list[str]:
    """The states that a run has entered, in their order."""
    return [event["stateEnteredEventDetails"]["name"] for event in result["events"] if "StateEntered" in event["type"]]


def hours(result: dict[str, Any]) -> float:
    """How long a run took, on its own clock."""
    return float(result["events"][-1]["timestamp"] - result["events"][0]["timestamp"]) / 3600


@pytest.mark.parametrize(
    ("case", "cents", "path", "by"),
    [
        ("paid", 500, ["Pay"], "transfer"),
        ("reviewed", LARGE, ["Review", "Pay"], "transfer"),
        ("no account", 500, ["Pay", "SendCheque"], "cheque"),
    ],
)
def test_paths(case: str, cents: int, path: list[str], by: str) -> None:
    result = run(case, cents)
    assert states(result) == ["WaitForParcel", "IsLarge", *path, "Done"]
    assert result["output"]["payment"] == {"by": by}
    assert hours(result) == TWO_WEEKS / 3600


def test_a_bank_that_is_closed_is_asked_an_hour_later_and_two_hours_later() -> None:
    assert hours(run("bank closed twice")) == TWO_WEEKS / 3600 + 1 + 2


def test_a_bank_that_stays_closed_fails_the_refund() -> None:
    result = run("bank closed for good")
    assert (result["status"], result["error"]) == ("FAILED", "BankClosed")
