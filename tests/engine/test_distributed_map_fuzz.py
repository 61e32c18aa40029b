"""Any distributed Map, cut short at any batch, comes to what a loop over its items would come to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.map_run_support import LIMITS, children, over, run_of
from engine.support import Lab
from stepwell.engine.limits import Limits
from stepwell.testing.replay import rebuilt

BAD = {"Type": "Fail", "Error": "Bad"}
WAIT = {"Type": "Wait", "SecondsPath": "$.wait", "Next": "Look"}
LOOK = {"Type": "Choice", "Choices": [{"Variable": "$.bad", "BooleanEquals": True, "Next": "Bad"}], "Default": "Good"}
GOOD = {"Type": "Pass", "InputPath": "$.n", "End": True}
PROCESSOR = {"Wait": WAIT, "Look": LOOK, "Bad": BAD, "Good": GOOD}

ITEMS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([False, False, False, True])), max_size=12)


def expected(items: list[Any], count: int | None, percentage: int | None) -> tuple[str, Any]:
    """What a loop makes of the items."""
    failed = sum(item["bad"] for item in items)
    fails = failed > 0 if count is None and percentage is None else False
    fails |= count is not None and failed > count
    fails |= percentage is not None and failed * 100 > percentage * len(items)
    if fails:
        return "Failed", "States.ExceedToleratedFailureThreshold"
    return "Succeeded", [item["n"] for item in items if not item["bad"]]


@pytest.mark.covers("A12.59", "A12.63")
@settings(max_examples=150, deadline=None)
@given(
    raw=ITEMS,
    concurrency=st.integers(0, 3),
    count=st.none() | st.integers(0, 3),
    percentage=st.none() | st.sampled_from([0, 10, 50, 100]),
    limits=LIMITS,
    cut=st.integers(0, 60),
)
def test_a_distributed_map_is_a_loop(
    raw: list[Any], concurrency: int, count: int | None, percentage: int | None, limits: Limits, cut: int
) -> None:
    items = [{"n": number, "wait": wait, "bad": bad} for number, (wait, bad) in enumerate(raw)]
    fields: dict[str, Any] = {"MaxConcurrency": concurrency}
    if count is not None:
        fields["ToleratedFailureCount"] = count
    if percentage is not None:
        fields["ToleratedFailurePercentage"] = percentage
    definition = over(PROCESSOR, **fields)
    whole = Lab(limits=limits).finish(definition, items)
    assert whole.outcome == expected(items, count, percentage)
    again = Lab(limits=limits, store=rebuilt(whole.store, max(2, cut)), clock=whole.clock)
    again.id = whole.id
    again.run()
    for lab in (again, whole):
        assert lab.outcome == expected(items, count, percentage)
        run = run_of(lab)
        ended = [child.status for child in children(lab)]
        assert run.running == 0
        assert len(ended) == run.next_item == run.succeeded + run.failed + run.aborted
        if run.status == "Succeeded":  # a child may end while the run that failed is about to stop it
            assert (run.succeeded, run.failed) == (ended.count("Succeeded"), ended.count("Failed"))
        lab.check()
