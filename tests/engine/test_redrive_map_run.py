"""Redrive of a Distributed Map: the same map run goes on, and only what did not succeed runs again (ASL A12.59)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.map_run_support import Flaky, arns, children, distributed, items_left, over, run_of, runs, types_of
from engine.support import Lab, boom, catch, machine, parallel, passing, retry, task
from stepwell import Limits, _core
from stepwell.asl.json import loads
from stepwell.engine.log import records as r
from stepwell.engine.log.codec import decode_turn
from stepwell.engine.replay.redrive import redrive_command
from stepwell.engine.status import SUCCEEDED
from stepwell.engine.storage.contexts import ExecutionContext, MapChildContext, MapRunContext
from stepwell.testing.replay import rebuilt
from stepwell.testing.simulation import HANGS

pytestmark = pytest.mark.covers("A12.59", "A16.78")

Make = Callable[..., Lab]


def test_only_the_children_that_did_not_succeed_run_on_in_the_same_map_run(lab: Make) -> None:
    run = lab({"T": Flaky({2: 1})}).finish(over({"P": passing("T"), "T": task()}, MaxConcurrency=1), [1, 2, 3])
    assert run.outcome == ("Failed", "States.ExceedToleratedFailureThreshold")
    first = run_of(run)
    run.wait(10)
    assert run.redrive() == [(run.id, None)]
    (again,) = runs(run)
    assert (again.id, again.status, again.stopped_at, again.error) == (first.id, "Running", 0, None)
    assert (again.redrive_count, again.redriven_at) == (1, run.clock.now())
    assert run.finish().outcome == (SUCCEEDED, [1, 2, 3])
    assert run.inputs == [1, 2, 2, 3]
    after = run.types.index("ExecutionRedriven")
    assert run.types[after : after + 3] == ["ExecutionRedriven", "MapRunRedriven", "MapRunSucceeded"]
    assert run.events[after + 1]["mapRunRedrivenEventDetails"] == {"mapRunArn": arns(run)[0], "redriveCount": 1}
    assert [event["previousEventId"] for event in run.events[after + 1 : after + 3]] == [after + 1, after + 2]
    assert [child.redrive_count for child in children(run)] == [0, 1, 0]
    types = types_of(run, children(run)[1].id)
    assert types.count("PassStateEntered") == types.count("TaskStateEntered") == types.count("ExecutionRedriven") == 1
    run_row = run_of(run)
    assert (run_row.status, run_row.succeeded, run_row.failed, run_row.running) == (SUCCEEDED, 3, 0, 0)
    assert items_left(run) == run.partition.storage.scan(MapChildContext) == []


def test_express_children_are_run_anew_under_their_names(lab: Make) -> None:
    definition = machine({"M": distributed(machine({"P": passing("T"), "T": task()}), type="EXPRESS")})
    run = lab({"T": Flaky({2: 2})}).finish(definition, [1, 2, 3])
    for count in (1, 2):
        before = {child.id for child in children(run)}
        assert run.redrive()[0][1] is None
        run.finish()
        fresh = [child for child in children(run) if child.id not in before]
        assert {loads(child.input) for child in fresh} >= {2}
        assert all(child.redrive_count == 0 for child in fresh)
        assert {child.name for child in fresh} <= {child.name for child in children(run) if child.id in before}
        assert run_of(run).redrive_count == count
    assert run.outcome == (SUCCEEDED, [1, 2, 3])
    assert "ExecutionRedriven" not in {kind for child in children(run) for kind in types_of(run, child.id)}
    assert [sorted(run.inputs).count(item) for item in (1, 3)] == [1, 1]
    assert len(set(arns(run))) == 1


def test_batches_stay_as_they_were(lab: Make) -> None:
    states = {"P": passing("T", InputPath="$.Items"), "T": task()}
    run = lab({"T": lambda items: Flaky(failures)(tuple(items))})
    failures = {(3, 4): 1}
    batcher = {"MaxItemsPerBatch": 2}
    run.finish(over(states, ItemBatcher=batcher, MaxConcurrency=1), [1, 2, 3, 4, 5])
    assert (run_of(run).failed_items, run_of(run).next_item) == (2, 4)
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, [[1, 2], [3, 4], [5]])
    assert run.inputs == [[1, 2], [3, 4], [3, 4], [5]]
    row = run_of(run)
    assert (row.succeeded, row.succeeded_items, row.failed_items, row.next_item) == (3, 5, 0, 5)


def test_express_batches_run_anew_with_the_same_items(lab: Make) -> None:
    processor = machine({"P": passing("T", InputPath="$.Items"), "T": task()})
    state = distributed(processor, type="EXPRESS", ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"b.$": "$[0]"}})
    run = lab({"T": lambda items: Flaky(failures)(tuple(items))})
    failures = {(1, 2): 1}
    run.finish(machine({"M": state}), [1, 2, 3])
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, [[1, 2], [3]])
    first = children(run)[0]
    assert [child.input for child in children(run)].count(first.input) == 2


@pytest.mark.covers("A12.63")
def test_what_runs_on_is_no_failure_any_more(lab: Make) -> None:
    run = lab({"T": Flaky({1: 1, 2: 2})}).finish(over({"T": task()}, ToleratedFailureCount=1), [0, 1, 2, 3])
    assert run.outcome[0] == "Failed"
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, [0, 1, 3])
    assert (run_of(run).succeeded, run_of(run).failed) == (3, 1)


@pytest.mark.covers("A12.63")
def test_a_child_that_cannot_run_on_stays_failed_and_counts(lab: Make) -> None:
    def refuses(child: ExecutionContext) -> str | None:
        return "it is too old" if loads(child.input) == 1 else None

    run = lab({"T": Flaky({1: 1, 2: 1})}).finish(over({"T": task()}, ToleratedFailureCount=1), [0, 1, 2])
    assert run.outcome[0] == "Failed"
    run.redrive(refuses)
    assert run.finish().outcome == (SUCCEEDED, [0, 2])
    row = run_of(run)
    assert (row.failed, row.not_redrivable, row.not_redrivable_items, row.succeeded) == (1, 1, 1, 2)


@pytest.mark.covers("A12.63")
def test_too_many_that_cannot_run_on_fail_the_run_at_once(lab: Make) -> None:
    run = lab({"T": Flaky({0: 1, 1: 1})}).finish(over({"T": task()}, ToleratedFailureCount=1), [0, 1, 2, 3])
    calls = len(run.calls)
    failed = {child.id for child in children(run) if child.status == "Failed"}
    run.redrive(lambda child: "no" if child.id in failed else None)
    assert run.finish().outcome == ("Failed", "States.ExceedToleratedFailureThreshold")
    assert len(run.calls) == calls
    assert run_of(run).pending_redrive == 4 - len(failed) - run_of(run).succeeded
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, [0, 1, 2, 3])
    assert run_of(run).redrive_count == 2


def test_no_more_children_run_on_at_a_time_than_max_concurrency(lab: Make) -> None:
    run = lab({"T": HANGS}).begin(over({"T": task()}, MaxConcurrency=4), [1, 2, 3, 4, 5, 6])
    run.stop()
    assert run_of(run).aborted == 4
    command = redrive_command(run.partition.storage, run.partition.state.workflows.get("w:1"), run.context)
    run.partition.submit(command)
    run.settle()
    row = run_of(run)
    assert (row.running, row.pending_redrive, row.next_item) == (4, 0, 4)
    run.answer(r.UpdateMapRunCommand(row.id, 2, None, None))
    run.stop()
    run.redrive()
    row = run_of(run)
    assert (row.running, row.pending_redrive, row.pending_redrive_items, row.aborted) == (2, 2, 2, 0)
    run.stop()
    row = run_of(run)
    assert (row.status, row.running, row.aborted, row.pending_redrive) == ("Canceled", 0, 2, 2)
    run.redrive()
    run.answers["T"] = [lambda item: item]
    run.ask_again()
    assert run.finish().outcome == (SUCCEEDED, [1, 2, 3, 4, 5, 6])
    assert [child.redrive_count for child in children(run)] == [3, 3, 2, 2, 0, 0]


def test_a_timed_out_child_runs_on_with_its_time_anew(lab: Make) -> None:
    processor = machine({"T": task()}, TimeoutSeconds=9)
    run = lab({"T": [HANGS]}).finish(machine({"M": distributed(processor)}), [1])
    assert (run.outcome[0], run_of(run).timed_out) == ("Failed", 1)
    run.answers["T"] = ["late"]
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, ["late"])
    assert (run_of(run).timed_out, run_of(run).succeeded) == (0, 1)


def test_map_runs_within_children_run_on_too(lab: Make) -> None:
    inner = distributed(machine({"T": task()}), Label="Inner", MaxConcurrency=1)
    run = lab({"T": Flaky({2: 1, 4: 2})}).finish(over({"I": inner}, MaxConcurrency=1), [[1, 2, 3], [4], []])
    for _ in range(3):
        assert run.outcome[0] == "Failed"
        run.redrive()
        run.finish()
    assert run.outcome == (SUCCEEDED, [[1, 2, 3], [4], []])
    assert run.inputs == [1, 2, 2, 3, 4, 4, 4]
    every = run.partition.storage.scan(MapRunContext, limit=100)
    assert sorted(row.redrive_count for row in every) == [0, 1, 2, 3]


def test_a_map_run_in_a_branch_that_a_sibling_aborted_runs_on(lab: Make) -> None:
    wait = {"Type": "Wait", "Seconds": 1, "Next": "F"}
    branches = (over({"T": task()}), machine({"W": wait, "F": task()}))
    run = lab({"T": HANGS, "F": [boom(), "f"]}).finish(machine({"Both": parallel(*branches)}), [1, 2])
    assert run.outcome == ("Failed", "Boom")
    assert run_of(run).status == "Canceled"
    run.answers["T"] = [lambda item: item]
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, [[1, 2], "f"])
    assert [child.redrive_count for child in children(run)] == [1, 1]
    assert len(set(arns(run))) == 1


def test_a_stopped_execution_goes_on_with_children_that_had_not_begun(lab: Make) -> None:
    run = lab({"T": HANGS}).begin(
        over({"T": task()}, MaxConcurrency=1, ItemSelector={"is.$": "$$.Map.Item.Value"}), [1, 2]
    )
    run.stop("Mine")
    assert run.types[-2:] == ["MapRunAborted", "ExecutionAborted"]
    run.answers["T"] = [lambda item: item["is"]]
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, [1, 2])
    assert [child.redrive_count for child in children(run)] == [1, 0]


def test_a_map_run_whose_children_all_succeeded_ends_anew(lab: Make) -> None:
    reading = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}
    run = lab({"M": [boom("States.ResultWriterFailed"), {"written": 2}]}).finish(over(ResultWriter=reading), [1, 2])
    assert run.outcome == ("Failed", "States.ResultWriterFailed")
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, {"written": 2})
    assert run_of(run).results_written
    assert len(children(run)) == 2


def test_a_breach_with_a_writer_runs_on(lab: Make) -> None:
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}
    run = lab({"T": Flaky({2: 2}), "M": {"at": "b"}}).finish(over({"T": task()}, ResultWriter=writer), [1, 2, 3])
    for _ in range(2):
        assert run.outcome[0] == "Failed"
        run.redrive()
        run.finish()
    assert run.outcome == (SUCCEEDED, {"at": "b"})


# where a new map run begins


def test_a_map_run_that_had_no_items_is_begun_anew(lab: Make) -> None:
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
    run = lab({"M": [boom("States.ItemReaderFailed"), [1, 2]]}).finish(over(ItemReader=reader))
    assert run.outcome == ("Failed", "States.ItemReaderFailed")
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, [1, 2])
    assert [row.status for row in runs(run)] == ["Failed", SUCCEEDED]
    assert "MapRunRedriven" not in run.types


@pytest.mark.parametrize("error", ["States.Runtime", "States.DataLimitExceeded"])
def test_a_map_run_that_failed_by_its_own_expressions_or_size_begins_anew(lab: Make, error: str) -> None:
    fields = {"ResultSelector": {"x.$": "$.missing"}} if error == "States.Runtime" else {}
    limits = Limits(map_result_bytes=3) if not fields else Limits()
    run = lab(limits=limits).finish(over(**fields), ["abc", "def"])
    assert run.outcome == ("Failed", error)
    run.redrive()
    assert run.finish().outcome == ("Failed", error)
    assert len(set(arns(run))) == 2
    assert [row.redrive_count for row in runs(run)] == [0, 0]


def test_a_reader_reads_anew_where_old_items_were_left(lab: Make) -> None:
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
    state = {"ItemReader": reader, "ResultSelector": {"x.$": "$.missing"}}
    run = lab({"M": [[1, 2], HANGS]}).finish(over(**state))
    assert run.outcome == ("Failed", "States.Runtime")
    run.redrive()
    assert [task.resource for task in run.tasks] == ["stepwell:readItems"]
    assert items_left(run) == []
    again = Lab({"M": [[3]]}, store=rebuilt(run.store), clock=run.clock)
    again.id = run.id
    again.finish()
    assert [loads(child.input) for child in children(again)] == [1, 2, 3]
    again.check()


def test_a_child_that_was_deleted_makes_a_new_map_run_begin(lab: Make) -> None:
    run = lab({"T": Flaky({2: 1})}).finish(over({"T": task()}), [1, 2])
    run.answer(r.DeleteExecutionCommand(children(run)[0].id))
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, [1, 2])
    assert len(set(arns(run))) == 2


@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_a_child_that_is_deleted_in_the_midst_of_it_has_failed(lab: Make, type: str) -> None:
    state = distributed(machine({"T": task()}), type=type, ToleratedFailureCount=1)
    run = lab({"T": Flaky({1: 1, 2: 1})}).finish(machine({"M": state}), [1, 2, 3])
    command = redrive_command(run.partition.storage, run.partition.state.workflows.get("w:1"), run.context)
    run.answer(r.DeleteExecutionCommand(children(run)[0].id))
    run.partition.submit(command)
    assert run.finish().outcome == (SUCCEEDED, [2, 3])
    assert (run_of(run).failed, run_of(run).succeeded) == (1, 2)


def test_an_attempt_that_was_over_is_not_run_on(lab: Make) -> None:
    again = retry("States.ALL", IntervalSeconds=60, MaxAttempts=1)
    run = lab({"T": Flaky({1: 1})}).begin(over({"T": task()}, Retry=[again]), [1])
    while run.answer_a_task():
        run.settle()
    assert items_left(run) == []
    run.stop()
    run.redrive()
    assert run.finish().outcome == (SUCCEEDED, [1])
    assert len(set(arns(run))) == 2


def test_a_redriven_map_run_that_fails_is_retried_by_a_new_one(lab: Make) -> None:
    again = retry("States.ALL", IntervalSeconds=1, MaxAttempts=1)
    run = lab({"T": Flaky({1: 5})}).finish(over({"T": task()}, Retry=[again]), [1])
    for _ in range(2):
        run.redrive()
        run.finish()
    assert run.outcome == (SUCCEEDED, [1])
    found = arns(run)
    assert found[1] == found[2]
    assert found[3] == found[4]
    assert len(set(found)) == 4


def test_a_failed_map_run_that_is_caught_keeps_no_items(lab: Make) -> None:
    state = distributed(machine({"F": {"Type": "Fail"}}), Catch=[catch("States.ALL", next="C")])
    run = lab().finish(machine({"M": state, "C": passing()}), [1])
    assert run.outcome[0] == SUCCEEDED
    assert items_left(run) == []


def test_a_failed_execution_keeps_the_items_until_it_is_deleted(lab: Make) -> None:
    run = lab().finish(over({"F": {"Type": "Fail"}}), [1, 2])
    assert [row.items for row in items_left(run)] == [b"[1,2]"]
    assert run.partition.storage.scan(MapChildContext) == []
    copy = Lab(store=rebuilt(run.store), clock=run.clock)
    copy.partition.submit(r.DeleteExecutionCommand(run.id))
    copy.run()
    assert items_left(copy) == copy.executions() == []
    copy.close()


def test_the_log_tells_which_children_run_on(lab: Make) -> None:
    run = lab({"T": Flaky({1: 1, 3: 1})}).finish(over({"T": task()}, ToleratedFailureCount=1), [0, 1, 2, 3])
    run.redrive()
    run.finish()
    batches = run.store.read_log(1, 1_000_000_000)
    records = [
        record for *_, payload in batches for blob in _core.split_turns(payload) for record in decode_turn(blob).records
    ]
    (command,) = [record for record in records if isinstance(record, r.StartChildrenCommand) and record.again]
    assert command.numbers == ()
    assert {0, 1, 2, 3} - {loads(c.input) for c in children(run) if c.redrive_count == 0} == set(command.again)
