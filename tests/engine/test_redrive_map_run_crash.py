"""A redriven map run goes on after a crash at any batch, however often it fails or is stopped."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.map_run_support import LIMITS, children, distributed, items_left, over, run_of
from engine.support import Lab, boom, machine, passing, task
from stepwell import Limits
from stepwell.asl.json import loads
from stepwell.engine.log import records as r
from stepwell.engine.replay.map_run_redrive import is_settled
from stepwell.engine.status import ENDED, SUCCEEDED
from stepwell.engine.storage.contexts import ExecutionContext, MapChildContext, MapRunContext
from stepwell.testing.replay import rebuilt

pytestmark = pytest.mark.covers("A12.59", "A16.78")

SHORT = Limits(turn_records=6, turn_messages=2, batch_records=12, live_executions=2)
NESTED = over(
    {
        "I": distributed(
            machine({"P": passing("T", InputPath="$.Items[0]"), "T": task()}),
            Label="Inner",
            MaxConcurrency=2,
            ToleratedFailureCount=1,
            ItemBatcher={"MaxItemsPerBatch": 1},
        )
    },
    MaxConcurrency=3,
)
EXPRESS = machine({"M": distributed(machine({"T": task()}), type="EXPRESS", MaxConcurrency=2)})


def fails_at_first(redriven: list[bool]) -> Any:
    """A task that fails for even numbers before the redrive."""

    def work(input: Any) -> Any:
        if not redriven and input % 2 == 0:
            raise boom()
        return {"did": input}

    return work


@pytest.mark.parametrize("limits", [Limits(), SHORT], ids=["long", "short"])
@pytest.mark.parametrize(
    ("definition", "input"),
    [(NESTED, [[1, 2, 3], [], [4, 6, 8], [5, 6]]), (EXPRESS, [2, 4, 6, 8, 1]), (over({"T": task()}), [0, 1, 2, 3])],
    ids=["nested", "express", "standard"],
)
def test_a_crash_at_any_batch_changes_nothing(definition: Any, input: Any, limits: Limits) -> None:
    redriven: list[bool] = []
    whole = Lab({"T": fails_at_first(redriven)}, limits=limits).finish(definition, input)
    assert whole.outcome[0] == "Failed"
    before = len(whole.store.read_log(1, 1_000_000_000))
    redriven.append(True)
    assert whole.redrive()[0][1] is None
    whole.finish()
    assert whole.outcome[0] == SUCCEEDED
    expected, ended = whole.result(whole.id), [child.status for child in children(whole)]
    for until in range(before + 1, len(whole.store.read_log(1, 1_000_000_000)) + 1):
        again = Lab(
            {"T": fails_at_first(redriven)}, limits=limits, store=rebuilt(whole.store, until), clock=whole.clock
        )
        again.id = whole.id
        again.run()
        assert again.result(whole.id) == expected
        assert [child.status for child in children(again)] == ended
        again.check()
    whole.check()


WAIT = {"Type": "Wait", "SecondsPath": "$.wait", "Next": "T"}


def redrive_at_once(run: Lab) -> None:
    """Ask for a redrive as soon as one is taken, with whatever else is under way."""
    while run.context.status not in ENDED or not is_settled(run.partition.storage, run.id):
        run.step()
    if run.context.status != SUCCEEDED:
        assert run.redrive()[0][1] is None


@settings(max_examples=150, deadline=None)
@given(
    raw=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=10),
    express=st.booleans(),
    nested=st.booleans(),
    batch=st.integers(0, 3),
    concurrency=st.integers(0, 3),
    count=st.none() | st.integers(0, 2),
    limits=LIMITS,
    stops=st.lists(st.integers(0, 40), max_size=3),
)
def test_any_map_run_can_be_redriven_until_it_succeeds(
    raw: list[Any],
    express: bool,
    nested: bool,
    batch: int,
    concurrency: int,
    count: int | None,
    limits: Limits,
    stops: list[int],
) -> None:
    """Failed or stopped at any place, time and again: each item that succeeded did so once."""
    items = [{"n": number, "wait": wait, "fails": fails} for number, (wait, fails) in enumerate(raw)]
    fields: dict[str, Any] = {"MaxConcurrency": concurrency, "Label": "Inner"}
    if count is not None:
        fields["ToleratedFailureCount"] = count
    first: dict[str, Any] = {"W": WAIT}
    if batch:
        fields["ItemBatcher"] = {"MaxItemsPerBatch": batch}
        first = {"P": passing("W", InputPath="$.Items[0]"), "W": WAIT}
    left = {item["n"]: item["fails"] for item in items}

    def work(item: Any) -> Any:
        if left[item["n"]] > 0:
            left[item["n"]] -= 1
            raise boom()
        return item["n"]

    state = distributed(machine({**first, "T": task()}), type="EXPRESS" if express else "STANDARD", **fields)
    run = Lab({"T": work}, limits=limits)
    run.deploy("w", over({"I": state}, MaxConcurrency=2) if nested else machine({"M": state}))
    run.id = run.start("w", [items[:4], items[4:]] if nested else items)
    run.step()
    for steps in stops:
        for _ in range(steps):
            run.step()
            run.answer_a_task()
        run.partition.submit(r.CancelExecutionCommand(run.id, None, None))
        redrive_at_once(run)
    for _ in range(80):
        run.run()
        if run.context.status == SUCCEEDED:
            break
        redrive_at_once(run)
    assert run.context.status == SUCCEEDED, run.result(run.id)
    leaves = [child for child in children(run) if run_of_child(child) != run_of(run).id or not nested]
    done = sorted(loads(child.output) for child in leaves if child.status == SUCCEEDED)
    assert len(done) == len(set(done))
    output: Any = run.outcome[1]
    assert (output if not nested else [number for numbers in output for number in numbers]) == done
    every = run.partition.storage.scan(MapRunContext, limit=1000)
    for row in every:
        assert (row.status, row.running, row.pending_redrive, row.next_item) == (SUCCEEDED, 0, 0, row.item_count)
        assert row.succeeded_items + row.failed_items + row.aborted_items == row.item_count
    assert sum(row.item_count for row in every) == len(items) + 2 * nested
    assert items_left(run) == run.partition.storage.scan(MapChildContext) == []
    run.check()


def run_of_child(child: ExecutionContext) -> str:
    """The map run that a child execution belongs to."""
    assert child.parent_iteration_id is not None
    return child.parent_iteration_id.rpartition("/")[0]
