"""Then the real handlers in a real engine, over a folder of the test's own."""

from __future__ import annotations

import refunds

from stepwell import Executor


def test_a_refund_is_paid(engine: Executor, bank: refunds.Bank) -> None:
    execution = engine.start("refund", refunds.Refund("ada", 500, patience=0)).wait(30)
    assert execution.output["payment"] == {"by": "transfer"}
    assert bank.amounts() == [500]


def test_a_cheque_is_sent_where_there_is_no_account(engine: Executor, bank: refunds.Bank) -> None:
    execution = engine.start("refund", refunds.Refund("closed", 500, patience=0)).wait(30)
    assert execution.output["payment"] == {"by": "cheque"}
    assert bank.amounts() == []


def test_a_large_refund_waits_for_a_review(engine: Executor, bank: refunds.Bank) -> None:
    execution = engine.start("refund", refunds.Refund("ada", refunds.LARGE, patience=0)).wait_for("Review", 30)
    assert bank.amounts() == []
    execution.complete("Review", {"by": "Ada"})
    assert execution.wait(30).status == "Succeeded"
    assert bank.amounts() == [refunds.LARGE]


def test_a_parcel_is_waited_for(engine: Executor, bank: refunds.Bank) -> None:
    execution = engine.start("refund", refunds.Refund("ada", 500)).wait_for("WaitForParcel", 30)
    assert execution.stop("Withdrawn").wait(30).aws_status == "ABORTED"
    assert bank.amounts() == []


def test_a_handler_is_a_plain_function(bank: refunds.Bank) -> None:
    assert refunds.handlers(bank)["send_cheque"](refunds.Refund("ada", 500)) == {"by": "cheque"}
