"""Lists of executions in AWS's order, page by page: each filter against all executions, sorted by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from engine.map_run_support import over
from engine.support import ACTIVITY, machine, passing, task
from stepwell import Executor, TaskError
from stepwell.engine.arns import state_machine_arn
from stepwell.engine.client import listings
from stepwell.engine.client.listings import Asked, of_map_run
from stepwell.engine.status import ENDED, aws_status
from stepwell.engine.storage.contexts import ExecutionContext, ListingContext, MapRunContext

ARN = state_machine_arn("order")
BY_INPUT = machine(
    {
        "Which": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$", "StringEquals": "fail", "Next": "Work"},
                {"Variable": "$", "StringEquals": "wait", "Next": "Wait"},
                {"Variable": "$", "StringEquals": "late", "Next": "Late"},
            ],
            "Default": "Done",
        },
        "Work": task(resource="work"),
        "Wait": task(resource=ACTIVITY),
        "Late": task(resource=ACTIVITY),
        "Done": passing(),
    }
)


def listed(ex: Executor, asked: Asked, limit: int = 3) -> list[ListingContext]:
    """All pages of a list."""
    rows: list[ListingContext] = []
    position = None
    while True:
        page = listings.page(ex.storage, asked, position, limit)
        assert len(page.rows) <= limit
        rows += page.rows
        position = page.position
        if position is None:
            return rows


def status_of(context: ExecutionContext) -> str:
    return aws_status(context.status, timed_out=context.timed_out)


def by_hand(contexts: Iterable[ExecutionContext]) -> list[str]:
    """The ids of executions in AWS's order."""

    def time(context: ExecutionContext) -> int:
        ended = context.status in ENDED
        return context.stopped_at if ended else context.redriven_at or context.started_at

    return [each.id for each in sorted(contexts, key=lambda each: (-time(each), each.id))]


def fails(input: Any) -> None:
    raise TaskError("Boom")


def test_every_filter_gives_what_it_should_newest_first(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere(handlers={"work": fails})
    ex.deploy("order", BY_INPUT, publish=True)
    ex.client.resources.put_alias("order", "prod", [(1, 100)], None)
    arns = ("order", f"{ARN}:1", f"{ARN}:prod")
    started = [
        ex.start(arns[n % 3], input, f"n{n}")
        for n, input in enumerate(["wait", "done", "fail", "late", "done", "wait", "fail", "late", "done", "late"] * 3)
    ]
    inputs = [each.context().input for each in started]
    for execution, input in zip(started, inputs, strict=True):
        if input in (b'"done"', b'"fail"'):
            execution.wait(60)
    for execution in reversed([each for each, input in zip(started, inputs, strict=True) if input == b'"late"']):
        execution.stop().wait(60)
    ex.register("work", lambda input: input)
    redriven = [each for each, input in zip(started, inputs, strict=True) if input == b'"fail"'][1:3]
    for execution in redriven:
        ex.redrive(execution.id).wait(60)
    check_all_filters(ex)


def check_all_filters(ex: Executor) -> None:
    contexts = ex.storage.scan(ExecutionContext, limit=1000)
    assert len({status_of(each) for each in contexts}) > 2
    for status in (None, "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"):
        for name, part in (("order", ""), ("order:1", "1"), ("order:prod", "prod"), ("order:7", "7")):
            wanted = [
                each
                for each in contexts
                if status in (None, status_of(each)) and (not part or part in each.qualifier.split(":"))
            ]
            rows = listed(ex, Asked(name, status))  # type: ignore[arg-type]
            assert [row.execution_id for row in rows] == by_hand(wanted), (name, status)
            assert [row.status for row in rows] == [status_of(ex.get(row.execution_id).context()) for row in rows]


def test_a_redriven_execution_that_runs_is_listed_by_its_redrive() -> None:
    with Executor(handlers={"work": fails}) as ex:
        definition = machine({"Work": task("Wait", resource="work"), "Wait": task(resource=ACTIVITY)})
        ex.deploy("order", definition, publish=True)
        failed = [ex.start(arn).wait(60) for arn in ("order", f"{ARN}:1")]
        ex.register("work", lambda input: input)
        running = ex.start("order")
        for execution in failed:
            ex.redrive(execution.id).wait_for("Wait", 10)
        for name, wanted in (("order", [*reversed(failed), running]), ("order:1", failed[1:])):
            rows = listed(ex, Asked(name, "RUNNING"), limit=1)
            assert [row.execution_id for row in rows] == [each.id for each in wanted]
            assert (rows[0].redrive_count, rows[0].stopped_at) == (1, 0)
        for execution in (*failed, running):
            execution.stop().wait(60)
            ex.delete(execution.id)
        assert ex.storage.scan(ListingContext) == []


def test_executions_of_a_workflow_that_was_deleted_are_not_listed() -> None:
    with Executor() as ex:
        ex.deploy("order", machine({"P": passing()}))
        ex.start("order").wait(60)
        ex.delete_workflow("order")
        newest = ex.deploy("order", machine({"P": passing()}))
        new = ex.start("order").wait(60)
        context = newest.context
        rows = listed(ex, Asked("order", first=context.first, since=context.created_at))
        assert [row.execution_id for row in rows] == [new.id]
        assert len(listed(ex, Asked("order"))) == 2
        later = context.created_at + 3_600_000_000  # as if the clock had gone back since
        assert listed(ex, Asked("order", first=context.first, since=later)) == rows
        position = listings.page(ex.storage, Asked("order"), None, 1).position
        much_later = context.created_at + 3 * listings.CLOCK_MICROSECONDS  # nothing old is read then
        assert listings.page(ex.storage, Asked("order", first=2, since=much_later), position, 1) == ([], None)


@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_children_of_a_map_run_are_listed_by_redrive(type: str) -> None:
    failing = {1, 3, 4}

    def work(input: Any) -> Any:
        if input in failing:
            raise TaskError("Boom")
        return input

    with Executor(handlers={"work": work}) as ex:
        ex.deploy("w", over({"T": task(resource="work")}, type=type, ToleratedFailurePercentage=0, MaxConcurrency=2))
        execution = ex.start("w", list(range(6))).wait(60)
        (run,) = ex.storage.scan(MapRunContext)
        name = of_map_run(run.id)
        assert {row.status for row in listed(ex, Asked(name, redriven="NOT_REDRIVEN"))} >= {"FAILED"}
        assert listed(ex, Asked(name, redriven="REDRIVEN")) == []
        failing.clear()
        ex.redrive(execution.id).wait(60)
        all_rows = listed(ex, Asked(name), limit=2)
        again, once = (listed(ex, Asked(name, redriven=each), limit=2) for each in ("REDRIVEN", "NOT_REDRIVEN"))
        assert {row.redrive_count for row in once} <= {0}
        assert all(row.redrive_count for row in again)
        assert sorted([*again, *once], key=lambda row: (-row.sorted_at, row.execution_id)) == all_rows
        children = [each for each in ex.storage.scan(ExecutionContext, limit=100) if each.parent_iteration_id]
        assert [row.execution_id for row in all_rows] == by_hand(children)
        assert listed(ex, Asked(name, "PENDING_REDRIVE")) == []


def test_children_that_are_still_to_be_redriven_are_pending() -> None:
    with Executor(handlers={"work": fails}) as ex:
        processor = {"T": task("Wait", resource="work"), "Wait": task(resource=ACTIVITY)}
        ex.deploy("w", over(processor, ToleratedFailureCount=2, MaxConcurrency=1))
        execution = ex.start("w", [1, 2, 3]).wait(60)
        (run,) = ex.storage.scan(MapRunContext)
        name = of_map_run(run.id)
        assert len(listed(ex, Asked(name, "FAILED"))) == 3
        ex.register("work", lambda input: input)
        ex.redrive(execution.id)
        child = until(lambda: ex.open_tasks(state="Wait"))[0].execution_id
        assert [row.execution_id for row in listed(ex, Asked(name, "RUNNING"))] == [child]
        assert [row.status for row in listed(ex, Asked(name, "PENDING_REDRIVE"), limit=1)] == ["PENDING_REDRIVE"] * 2
        assert listed(ex, Asked(name, "FAILED")) == []
        assert len(listed(ex, Asked(name), limit=2)) == 3


def until(condition: Callable[[], Any]) -> Any:
    """What ``condition`` gives, once it gives something."""
    end = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
    return found
