"""An order from its start to its settlement. Thirty days, three attempts and a crash take no time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import saga

from stepwell import ExecutionAlreadyExists, testing

Order = Callable[..., testing.TestExecution]


@pytest.fixture
def shop() -> saga.Shop:
    return saga.Shop(tea=5, pot=5)


@pytest.fixture
def order(stepwell: testing.TestExecutor, shop: saga.Shop) -> Order:
    """Start an order: ``order()``, ``order(total=1500)``."""
    for resource, function in shop.handlers().items():
        stepwell.register(resource, function)
    stepwell.deploy("order", saga.WORKFLOW)

    def start(
        total: int = 420, items: tuple[str, ...] = ("tea", "pot"), name: str | None = None
    ) -> testing.TestExecution:
        return stepwell.start("order", {"total": total, "items": items}, name)

    return start


# time


def test_an_order_is_settled_after_thirty_days(stepwell: testing.TestExecutor, order: Order, shop: saga.Shop) -> None:
    execution = order()
    stepwell.advance("29d23h")
    assert shop.settled == []
    stepwell.advance("1h")
    assert shop.settled == [execution.id]
    assert execution.status == "Succeeded"


def test_its_way_through_the_states(order: Order) -> None:
    order().wait().assert_path(["Reserve", "IsLarge", "Charge", "CoolingOff", "Settle", "Done"])


def test_an_order_that_is_stopped_in_time_is_not_settled(
    stepwell: testing.TestExecutor, order: Order, shop: saga.Shop
) -> None:
    order().wait_for("CoolingOff").stop("Withdrawn")
    stepwell.advance("60d")
    assert shop.settled == []


def test_orders_that_begin_on_different_days_are_settled_on_different_days(
    stepwell: testing.TestExecutor, order: Order, shop: saga.Shop
) -> None:
    first = order()
    stepwell.advance("1d")
    order()
    stepwell.advance("29d")
    assert shop.settled == [first.id]


# approvals


def test_a_large_order_waits_for_its_approval(stepwell: testing.TestExecutor, order: Order, shop: saga.Shop) -> None:
    execution = order(total=1500).wait_for("Approve")
    stepwell.advance("2d")
    assert shop.payments == {}
    execution.complete("Approve", {"by": "Ada"})
    execution.wait()
    assert list(shop.payments.values()) == [1500]


def test_a_refused_approval_puts_everything_back(order: Order, shop: saga.Shop) -> None:
    execution = order(total=1500).wait_for("Approve")
    execution.fail("Approve", "Refused", "too expensive")
    assert (execution.wait().error, execution.cause) == ("Refused", "too expensive")
    assert shop.stock == {"tea": 5, "pot": 5}


def test_an_approval_that_nobody_gives_times_out_after_three_days(order: Order, shop: saga.Shop) -> None:
    execution = order(total=1500).wait()
    assert execution.error == "States.Timeout"
    assert execution.duration is not None
    assert execution.duration.days == 3
    assert shop.stock["tea"] == 5


# mocks: what handlers do not do on demand


def test_a_card_that_is_down_is_tried_again(stepwell: testing.TestExecutor, order: Order) -> None:
    charge = stepwell.mock.state("Charge").fails("CardDown", times=2).returns({"receipt": 7})
    assert order().wait().output["receipt"] == {"receipt": 7}
    first, second, third = (call.time for call in charge.calls)
    assert ((second - first).seconds, (third - second).seconds) == (60, 120)


def test_a_card_that_stays_down_puts_everything_back(
    stepwell: testing.TestExecutor, order: Order, shop: saga.Shop
) -> None:
    charge = stepwell.mock.state("Charge").fails("CardDown", "503")
    assert order().wait().error == "CardDown"
    charge.assert_called(times=4)
    assert shop.stock == {"tea": 5, "pot": 5}


def test_what_is_charged(stepwell: testing.TestExecutor, order: Order) -> None:
    charge = stepwell.mock.state("Charge").returns(1)
    order(total=99, items=("tea",)).wait()
    charge.assert_called_with({"total": 99, "items": ["tea"], "reserved": ["tea"]})


def test_one_item_is_busy(stepwell: testing.TestExecutor, order: Order) -> None:
    stepwell.mock.state("ReserveItem", index=1).fails("Busy").returns("pot")
    execution = order().wait()
    assert execution.output["reserved"] == ["tea", "pot"]
    assert [call.index for call in stepwell.mock.state("ReserveItem").calls] == [0, 1, 1]


def test_one_item_is_sold_out(stepwell: testing.TestExecutor, order: Order) -> None:
    stepwell.mock.state("ReserveItem", item="pot").fails("SoldOut", "pot")
    order().wait().assert_path(["Reserve", "Release", "Refused"])


def test_a_slow_charge_is_waited_for(stepwell: testing.TestExecutor, order: Order) -> None:
    stepwell.mock.state("Charge").returns(1, delay="6h")
    execution = order()
    stepwell.advance("5h")
    assert execution.context().status == "Running"
    execution.wait_for("CoolingOff", timeout=3600)


@pytest.mark.stepwell(strict=True)
def test_a_strict_test_calls_no_handler(stepwell: testing.TestExecutor, order: Order) -> None:
    with pytest.raises(testing.UnscriptedTask, match="state 'ReserveItem' of workflow 'order' calls 'reserve'"):
        order().wait()


def test_the_mocks_may_stand_in_a_file(stepwell: testing.TestExecutor, order: Order, tmp_path: Path) -> None:
    mock = testing.Mock()
    mock.state("Charge").fails("CardDown").returns(1)
    mock.save(tmp_path / "MockConfigFile.json", "order", "DownOnce")  # for Step Functions Local and stepwell serve, too
    stepwell.mock = testing.Mock.load(tmp_path / "MockConfigFile.json", "order", "DownOnce")
    assert order().wait().status == "Succeeded"


# crashes


def test_a_crash_while_an_order_waits(stepwell: testing.TestExecutor, order: Order, shop: saga.Shop) -> None:
    execution = order().wait_for("CoolingOff")
    stepwell.crash()
    assert execution.wait().status == "Succeeded"
    assert len(shop.payments) == 1


def test_a_name_starts_one_order(order: Order) -> None:
    order(name="order-1")
    with pytest.raises(ExecutionAlreadyExists):
        order(total=421, name="order-1")


shops: list[saga.Shop] = []


def a_new_shop() -> saga.Shop:
    shops.append(saga.Shop(tea=5, pot=5))
    return shops[-1]


def is_charged_once(execution: testing.TestExecution) -> None:
    assert list(shops[-1].payments.values()) == [420]


ORDER = {"total": 420, "items": ["tea", "pot"]}


def test_whatever_happens_an_order_is_charged_once() -> None:
    explored = testing.explore(saga.WORKFLOW, lambda: a_new_shop().handlers(), ORDER, check=is_charged_once, seeds=10)
    assert explored.crashes > 0


def test_a_handler_that_is_not_idempotent_is_found() -> None:
    """``reserve`` takes an item again when a crash loses its first answer: explore() says which crash, and when."""

    def takes_each_item_once(execution: testing.TestExecution) -> None:
        assert shops[-1].stock == {"tea": 4, "pot": 4}

    with pytest.raises(testing.ExploreFailed, match="the process dies before the result of reserve"):
        testing.explore(saga.WORKFLOW, lambda: a_new_shop().handlers(), ORDER, check=takes_each_item_once)
