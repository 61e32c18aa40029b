"""A crash at any batch of a distributed Map changes nothing: no child is lost, none begins twice."""

from __future__ import annotations

from typing import Any

import pytest

from engine.map_run_support import children, distributed, over, run_of
from engine.support import Lab, boom, machine, passing, retry, task
from stepwell.engine.limits import Limits
from stepwell.engine.state.map_run import READ_ITEMS
from stepwell.testing.replay import rebuilt

SHORT = Limits(turn_records=6, turn_messages=2, batch_records=12, live_executions=2)
NESTED = over(
    {
        "I": distributed(
            machine({"W": {"Type": "Wait", "Seconds": 3, "Next": "P"}, "P": passing(InputPath="$.BatchInput.x")}),
            Label="Inner",
            MaxConcurrency=2,
            ToleratedFailureCount=1,
            ItemBatcher={"MaxItemsPerBatch": 1, "BatchInput": {"x": 1}},
        )
    },
    MaxConcurrency=3,
)
RETRIED = over({"T": task()}, Retry=[retry("States.ALL", IntervalSeconds=2, MaxAttempts=2)], MaxConcurrency=2)
READING = over(
    {"T": task()},
    ItemReader={
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "b", "Key": "k"},
    },
    ToleratedFailurePercentage=50,
)


def fails_on_two(input: Any) -> Any:
    """A task that fails for one item, always."""
    if input == 2:
        raise boom()
    return {"did": input}


CASES = {
    "nested": (NESTED, [[1, 2, 3], [], [4], [5, 6]], {}),
    "retried": (RETRIED, [1, 2, 3], {"T": fails_on_two}),
    "reading": (READING, {}, {"M": [1, 2, 3, 4]}),
}


def lab_of(answers: Any, **options: Any) -> Lab:
    """A lab whose answers are the same after a crash: no list is used up."""
    return Lab(
        {
            state: (lambda _, answer=answer: answer) if isinstance(answer, list) else answer
            for state, answer in answers.items()
        },
        **options,
    )


@pytest.mark.covers("A12.59")
@pytest.mark.parametrize("limits", [Limits(), SHORT], ids=["long", "short"])
@pytest.mark.parametrize("case", CASES)
def test_a_crash_at_any_batch_changes_nothing(case: str, limits: Limits) -> None:
    definition, input, answers = CASES[case]
    whole = lab_of(answers, limits=limits).finish(definition, input)
    expected, counts = whole.result(whole.id), len(children(whole))
    batches = len(whole.store.read_log(1, 1_000_000_000))
    for until in range(2, batches + 1):
        again = lab_of(answers, limits=limits, store=rebuilt(whole.store, until), clock=whole.clock)
        again.id = whole.id
        again.run()
        assert again.result(whole.id) == expected
        assert len(children(again)) == counts
        again.check()
    whole.check()


def test_a_reader_that_a_crash_cut_short_reads_again() -> None:
    whole = lab_of({"M": [1, 2], "T": {}}).begin(READING)
    assert [task.resource for task in whole.tasks] == [READ_ITEMS]
    again = lab_of({"M": [1, 2], "T": {}}, store=rebuilt(whole.store), clock=whole.clock)
    again.id = whole.id
    assert again.finish().outcome == ("Succeeded", [{}, {}])
    assert run_of(again).source == "S3://b/k"
    again.check()
    whole.check()
