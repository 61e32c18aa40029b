"""``assert_path``, ``attempts``, ``inputs`` and ``outputs``: what a test asks of an execution."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from stepwell import InvalidInput, TaskError
from stepwell.testing import TestExecution, TestExecutor, assert_path

BRANCHES = [
    {"StartAt": "Pack", "States": {"Pack": {"Type": "Pass", "Next": "Ship"}, "Ship": {"Type": "Pass", "End": True}}},
    {"StartAt": "Bill", "States": {"Bill": {"Type": "Task", "Resource": "bill", "End": True,
                                            "Retry": [{"ErrorEquals": ["Down"], "IntervalSeconds": 3600}]}}},
]  # fmt: skip
EACH = {
    "StartAt": "Big?",
    "States": {
        "Big?": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericGreaterThan": 5, "Next": "Split"}],
                 "Default": "Keep"},
        "Split": {"Type": "Pass", "Next": "Keep"},
        "Keep": {"Type": "Pass", "End": True},
    },
}  # fmt: skip
ORDER = {
    "StartAt": "Reserve",
    "States": {
        "Reserve": {"Type": "Pass", "Next": "Fulfil"},
        "Fulfil": {"Type": "Parallel", "Branches": BRANCHES, "ResultPath": None, "Next": "Parcels",
                   "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "Sorry"}]},
        "Parcels": {"Type": "Map", "ItemsPath": "$.kg", "ItemProcessor": EACH, "Next": "Done"},
        "Done": {"Type": "Succeed"},
        "Sorry": {"Type": "Fail", "Error": "Order.Refused", "Cause": "no money"},
    },
}  # fmt: skip


@pytest.fixture
def order() -> Iterator[Any]:
    executor = TestExecutor()

    def run(*errors: str) -> TestExecution:
        left = list(errors)

        def bill(value: Any) -> Any:
            if left:
                raise TaskError(left.pop(0))
            return {"billed": True}

        executor.register("bill", bill)
        executor.deploy("order", ORDER)
        return executor.start("order", {"kg": [1, 9]}).wait()

    with executor:
        yield run


def test_the_path_of_an_execution_with_branches_and_iterations(order: Any) -> None:
    execution = order("Down", "Down")
    fulfil = {"Fulfil": [["Pack", "Ship"], ["Bill"]]}
    parcels = {"Parcels": [["Big?", "Keep"], ["Big?", "Split", "Keep"]]}
    execution.assert_path(["Reserve", fulfil, parcels, "Done"])
    assert execution.path == ["Reserve", fulfil, parcels, "Done"]
    for fits in (
        ["Reserve", "Fulfil", "Parcels", "Done"],
        ["Reserve", ..., "Done"],
        [...],
        [..., "Parcels", ..., "Done", ...],
        ["Reserve", "Fulfil", {"Parcels": {"*": ["Big?", ..., "Keep"]}}, "Done"],
        ["Reserve", {"Fulfil": {1: ["Bill"]}}, {"Parcels": {1: [..., "Split", ...]}}, "Done"],
    ):
        assert_path(execution, fits)
    for other in (
        ["Reserve", "Fulfil", "Parcels"],
        ["Reserve", ..., "Sorry"],
        [..., "Parcels"],
        [],
        ["Reserve", {"Fulfil": [["Pack", "Ship"]]}, ..., "Done"],
        ["Reserve", "Fulfil", {"Parcels": {"*": ["Big?", "Keep"]}}, "Done"],
        ["Reserve", "Fulfil", {"Parcels": {2: [...]}}, "Done"],
    ):
        with pytest.raises(AssertionError, match="another path"):
            assert_path(execution, other)


def test_attempts_inputs_and_outputs(order: Any) -> None:
    execution = order("Down", "Down")
    assert execution.attempts("Bill") == 3
    assert execution.attempts("Sorry") == 0
    assert (execution.inputs("Big?"), execution.outputs("Keep")) == ([1, 9], [1, 9])
    first, second, third = execution.states["Bill"].attempts
    assert (first.error, first.retrier, third.result) == ("Down", 0, {"billed": True})
    assert second.started_at - first.stopped_at == timedelta(hours=1)


def test_a_failing_assertion_shows_a_readable_difference(order: Any) -> None:
    execution = order("Card.Declined")
    with pytest.raises(AssertionError) as caught:
        execution.assert_path(["Reserve", {"Fulfil": [["Pack", "Ship"], ["Bill", "Receipt"]]}, "Parcels", "Done"])
    assert str(caught.value).splitlines() == [
        "the execution took another path (- expected, + done); it is FAILED, Order.Refused:",
        "  Reserve",
        "  Fulfil",
        "    [0] Pack",
        "    [0] Ship",
        "    [1] Bill",
        "-   [1] Receipt",
        "- Parcels",
        "- Done",
        "+ Sorry",
        "Fulfil failed: Card.Declined",
        "Fulfil[1]/Bill failed: Card.Declined",
        "Sorry failed: Order.Refused: no money",
    ]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("Reserve", "the path is a list"),
        ([1], r"the path\[0\] is a name"),
        ([{"A": [], "B": []}], r"the path\[0\] is a name"),
        ([{"Fulfil": "Pack"}], "has a list of paths"),
        ([{"Fulfil": [["Pack"], "Bill"]}], r"the path\[0\]\['Fulfil'\]\[1\] is a list"),
        ([{"Fulfil": {"first": ["Pack"]}}], "by index"),
    ],
)
def test_what_is_no_path_is_refused_with_its_place(order: Any, path: Any, place: str) -> None:
    with pytest.raises(InvalidInput, match=place):
        order().assert_path(path)


def test_names_with_every_sign_and_an_execution_that_has_not_ended() -> None:
    names = ["!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "日本語 🦀", "- minus", "? what", "..."]
    states = {name: {"Type": "Pass", "Next": names[index + 1]} for index, name in enumerate(names[:-1])}
    machine = {"StartAt": names[0], "States": {**states, names[-1]: {"Type": "Wait", "Seconds": 9, "End": True}}}
    with TestExecutor() as executor:
        executor.deploy("m", machine)
        execution = executor.start("m", 1)
        execution.assert_path(names)
        with pytest.raises(AssertionError, match="it is RUNNING"):
            execution.assert_path([*names, "End"])
