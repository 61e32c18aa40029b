"""Then each state alone, with ``test_state``: nothing is called, and the answer is AWS's (TestState)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from refunds import LARGE, WORKFLOW

from stepwell import test_state


@pytest.mark.parametrize(("cents", "following"), [(LARGE - 1, "Pay"), (LARGE, "Review")])
def test_large_refunds_are_reviewed(cents: int, following: str) -> None:
    answer = test_state(definition=WORKFLOW, state_name="IsLarge", input={"cents": cents})
    assert answer["nextState"] == following


def pay(**request: Any) -> dict[str, Any]:
    return test_state(definition=WORKFLOW, state_name="Pay", input={"cents": 5}, **request)


def test_a_payment_s_result_is_added_to_the_input() -> None:
    answer = pay(mock={"result": {"by": "transfer"}})
    assert json.loads(answer["output"]) == {"cents": 5, "payment": {"by": "transfer"}}


def test_a_closed_bank_is_tried_three_times_again() -> None:
    closed = {"error_output": {"error": "BankClosed", "cause": "it is Sunday"}}
    assert pay(mock=closed, state_configuration={"retrier_retry_count": 2})["status"] == "RETRIABLE"
    assert pay(mock=closed, state_configuration={"retrier_retry_count": 3})["status"] == "FAILED"


def test_without_an_account_a_cheque_is_sent() -> None:
    answer = pay(mock={"error_output": {"error": "NoSuchAccount", "cause": "ada"}})
    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "SendCheque")
