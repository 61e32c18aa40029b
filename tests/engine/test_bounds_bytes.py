"""Turns, batches, executions and Maps are bounded in bytes; what is too large fails alone, and the folder opens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.map_run_support import distributed_machine
from engine.support import Lab, machine, map_over, parallel, passing, task
from stepwell import Executor, TooLargeError, _core
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.storage.contexts import PendingCommandContext, TaskContext
from stepwell.tasks.dispatch import Call
from stepwell.testing.replay import differences, rebuilt
from stepwell.testing.simulation import HANGS

MakeLab = Callable[..., Lab]
PASS = machine({"A": passing()})
SLEEP = machine({"W": {"Type": "Wait", "Seconds": 1000, "End": True}})
EVERYTHING = 1 << 30


def batches(lab: Lab) -> list[int]:
    """How large each batch on the log is."""
    return [len(payload) for _, _, _, payload in lab.store.read_log(1, EVERYTHING)]


def of_size(size: int) -> str:
    return "x" * size


# turns and batches


def chain(length: int) -> dict[str, Any]:
    """A Wait, then Passes each of which makes a document of its own, a little larger than the input."""
    made = [{"n": n, "a.$": "$$.Execution.Input"} for n in range(length)]
    states = {
        f"S{n}": passing(f"S{n + 1}" if n < length - 1 else None, Parameters=fields) for n, fields in enumerate(made)
    }
    return machine({"W": {"Type": "Wait", "Seconds": 1, "Next": "S0"}, **states})


def test_a_turn_goes_on_in_the_next_batch_once_it_has_so_many_bytes(lab: MakeLab) -> None:
    one = lab(limits=Limits(turn_bytes=5000)).finish(chain(10), of_size(2000))
    assert one.outcome == ("Succeeded", {"n": 9, "a": of_size(2000)})
    assert max(batches(one)[1:]) < 5000 + 2 * 2000 + 2000, "the budget, a step beyond it, and the records themselves"
    assert one.path == ["W", *[f"S{n}" for n in range(10)]]


def test_a_batch_takes_no_more_turns_once_it_has_so_many_bytes() -> None:
    lab = Lab(limits=Limits(batch_bytes=20_000))
    lab.deploy("w", PASS)
    for number in range(50):
        lab.start("w", of_size(5000), number=number)
    lab.settle()
    assert max(batches(lab)) < 20_000 + 20_000 + 10_000, "those that were begun, and those left for the next batch"
    assert [row.status for row in lab.executions()] == ["Succeeded"] * 50
    lab.close()


def test_branches_that_are_left_share_their_document_on_the_log_and_in_storage(lab: MakeLab) -> None:
    one = lab(limits=Limits(turn_records=5))
    one.deploy("w", machine({"P": parallel(*[PASS] * 40)}))
    one.id = one.start("w", of_size(10_000))
    one.step()
    rows = one.partition.storage.scan(PendingCommandContext)
    assert len(rows) == 40
    assert sum(len(row.record) for row in rows) < 20_000
    one.settle()
    assert one.outcome == ("Succeeded", [of_size(10_000)] * 40)
    made = [size for size in batches(one)[1:] if size > 5000]
    assert max(made[:-1]) < 30_000, "a turn has the document twice at most; the last one has all outputs"


@pytest.mark.parametrize("batch", range(1, 12))
def test_left_commands_that_share_a_document_survive_a_restart(batch: int) -> None:
    limits = Limits(turn_records=5)
    first = Lab(limits=limits)
    first.deploy("w", machine({"P": parallel(*[PASS] * 6)}))
    id = first.start("w", of_size(1000))
    for _ in range(batch):
        first.step()
    again = Lab(store=first.store, clock=first.clock, limits=limits)
    again.id = id
    again.run()
    assert again.outcome == ("Succeeded", [of_size(1000)] * 6)
    again.check()


def test_what_is_made_and_not_written_yet_counts_too(lab: MakeLab) -> None:
    """Each of 30 branches makes a document before the first of them is written."""
    branches = [machine({f"A{n}": passing(Parameters={"n": n, "a.$": "$"})}) for n in range(30)]
    one = lab(limits=Limits(turn_bytes=5000)).finish(machine({"P": parallel(*branches)}), of_size(2000))
    assert one.outcome == ("Succeeded", [{"n": n, "a": of_size(2000)} for n in range(30)])
    assert max(size for size in batches(one) if size < 60_000) < 5000 + 3 * 2000 + 10_000, "but for all outputs"


# what the log cannot hold

SMALL = 30_000


def small_log(**options: Any) -> Lab:
    return Lab(store=_core.Store.open(None, batch_bytes=SMALL), **options)


WIDE = Limits(turn_bytes=EVERYTHING)
"""No budget keeps a turn from becoming larger than the log can hold: the last defence alone is left."""

GIANTS = {
    "a turn": (chain(10), of_size(5000)),
    "an input": (PASS, of_size(SMALL)),
    "a result": (machine({"T": task()}), None),
    "a task's input": (machine({"A": task(Parameters={"a.$": "$.t", "b.$": "$.t"})}), {"t": of_size(SMALL * 2 // 3)}),
    "the outputs of branches": (machine({"P": parallel(*[machine({"A": passing(Result=of_size(9000))})] * 4)}), None),
    "the outputs of iterations": (
        machine({"M": map_over(machine({"A": passing(Result=of_size(9000))}))}),
        [1, 2, 3, 4],
    ),
    "an item selector's": (machine({"M": map_over(PASS, ItemSelector={"a.$": "$"})}), [of_size(4000)] * 4),
    "a child's input": (distributed_machine(PASS, ItemSelector={"a.$": "$"}), [of_size(4000)] * 4),
    "variables": (machine({"A": passing(Assign={"v.$": "$", "w.$": "$"})}), of_size(SMALL * 2 // 3)),
    "a cause": (machine({"F": {"Type": "Fail", "CausePath": "States.Format('{}{}', $, $)"}}), of_size(SMALL * 2 // 3)),
    "a caught error": (
        machine({"A": {**task(), "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]}, "B": passing()}),
        "fails",
    ),
}


@pytest.mark.parametrize(("definition", "input"), GIANTS.values(), ids=GIANTS)
def test_what_the_log_cannot_hold_fails_its_execution_alone(definition: dict[str, Any], input: Any) -> None:
    from stepwell.errors import TaskError

    answers = {"T": of_size(SMALL), "A": TaskError("Boom", of_size(SMALL))} if input in (None, "fails") else None
    lab = small_log(answers=answers, limits=WIDE)
    lab.deploy("large", definition)
    lab.deploy("healthy", PASS)
    said: list[Any] = []
    large = lab.start("large", {} if input is None else input, reply=lambda *answer: said.append(answer))
    healthy = lab.start("healthy", "small", number=2)
    lab.run()
    rows = {row.id: row for row in lab.executions()}
    assert rows[healthy].status == "Succeeded"
    if large in rows:
        assert rows[large].status == "Failed"
        assert rows[large].error == "States.Runtime"
        assert f"over the limit of {SMALL}" in (rows[large].cause or "")
    else:  # it could not even begin
        assert isinstance(said[0][1], TooLargeError)
    again = Lab(store=lab.store, clock=lab.clock, limits=WIDE)
    again.id = again.start("healthy", "more", number=3)
    again.run()
    assert again.outcome == ("Succeeded", "more")
    assert differences(again.store, rebuilt(again.store)) == []


def test_a_definition_that_the_log_cannot_hold_is_refused_and_those_beside_it_are_kept() -> None:
    lab = small_log()
    said: dict[str, Any] = {}
    for name, text in (("a", b"{}"), ("b", b" " * SMALL + b"{}"), ("c", b"{}")):
        lab.partition.submit(
            r.PutWorkflowCommand(name, 1, text, "STANDARD"),
            reply=lambda *answer, name=name: said.update({name: answer}),
        )
    lab.settle()
    assert said["a"][1] is None
    assert said["c"][1] is None
    assert isinstance(said["b"][1], TooLargeError)
    lab.close()


def test_a_store_that_has_such_a_command_on_its_log_opens_and_fails_that_execution() -> None:
    """The command without its event is processed at each opening: what it comes to, the log cannot hold."""
    first = Lab(limits=Limits(turn_records=2))
    first.deploy("w", chain(10))
    first.deploy("healthy", SLEEP)
    large, healthy = first.start("w", of_size(5000)), first.start("healthy", "small", number=2)
    first.settle()
    first.clock.advance_to(first.partition.state.timers.next_due() or 0)
    first.step()
    assert first.partition.processor.unfinished
    again = Lab(store=small_copy(first.store), clock=first.clock, limits=WIDE)
    again.run()
    rows = {row.id: row for row in again.executions()}
    assert (rows[large].status, rows[large].error) == ("Failed", "States.Runtime")
    assert rows[healthy].status == "Succeeded"
    again.close()


def small_copy(store: _core.Store) -> _core.Store:
    """A store with the same log, which holds no more than small batches."""
    return rebuilt(store, into=_core.Store.open(None, batch_bytes=SMALL))


SIZES = st.integers(SMALL // 8, SMALL + SMALL // 4)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(SIZES, min_size=1, max_size=6),
    shape=st.sampled_from(["doubling", "parallel", "map", "tasks"]),
    turn_bytes=st.sampled_from([1, SMALL // 4, SMALL // 2, EVERYTHING]),
    document_bytes=st.sampled_from([SMALL // 2, SMALL, 2 * SMALL]),
    turn_records=st.sampled_from([3, 7, 4096]),
)
def test_an_execution_of_any_sizes_ends_and_the_others_go_on(
    sizes: list[int], shape: str, turn_bytes: int, document_bytes: int, turn_records: int
) -> None:
    limits = Limits(turn_bytes=turn_bytes, document_bytes=document_bytes, turn_records=turn_records)
    names = [f"S{n}" for n in range(len(sizes))]
    following = [*names[1:], None]
    doubling = {"a.$": "$", "b.$": "$"}
    definition = {
        "doubling": machine({n: passing(f, Parameters=doubling) for n, f in zip(names, following, strict=True)}),
        "parallel": machine({"P": parallel(*[machine({name: task()}) for name in names])}),
        "map": machine({"M": map_over(machine({"T": task()}))}),
        "tasks": machine({n: task(f) for n, f in zip(names, following, strict=True)}),
    }[shape]
    answers: dict[str, Any] = {"T": [of_size(size) for size in sizes]}
    answers |= {name: of_size(size) for name, size in zip(names, sizes, strict=True)}
    lab = small_log(answers=answers, limits=limits)
    lab.deploy("drawn", definition)
    lab.deploy("healthy", PASS)
    refusals: list[Any] = []
    first = of_size(sizes[0] // 4) if shape == "doubling" else sizes
    drawn = lab.start("drawn", first, reply=lambda _, error: refusals.append(error))
    others = [lab.start("healthy", "small", number=number) for number in range(2, 5)]
    lab.run()
    rows = {row.id: row for row in lab.executions()}
    assert [rows[id].status for id in others] == ["Succeeded"] * 3
    if drawn not in rows:  # what it came to at once was too large: it was not started, and its caller knows
        assert isinstance(refusals[0], TooLargeError)
    elif rows[drawn].status == "Failed":
        assert rows[drawn].error in ("States.Runtime", "States.DataLimitExceeded")
    else:
        assert rows[drawn].status == "Succeeded"
        assert len(rows[drawn].output) <= document_bytes
        assert shape == "doubling" or max(sizes) + 2 <= document_bytes
    again = Lab(store=lab.store, clock=lab.clock, limits=limits)
    again.id = again.start("healthy", "more", number=9)
    again.run()
    assert again.outcome == ("Succeeded", "more")
    copy = rebuilt(again.store)
    assert differences(again.store, copy) == []
    copy.close()
    again.close()


# one execution


def test_an_execution_that_holds_too_much_fails(lab: MakeLab) -> None:
    """Branches that rest hold their documents, however small each of them is."""
    branch = machine({"A": passing("W", Result=of_size(10_000)), "W": {"Type": "Wait", "Seconds": 9, "End": True}})
    one = lab(limits=Limits(execution_bytes=200_000)).finish(machine({"P": parallel(*[branch] * 10)}))
    assert one.outcome == ("Succeeded", [of_size(10_000)] * 10)
    two = lab(limits=Limits(execution_bytes=200_000)).finish(machine({"P": parallel(*[branch] * 30)}))
    assert two.outcome == ("Failed", "States.DataLimitExceeded")
    assert "200000 is the most" in (two.context.cause or "")


def test_outputs_that_are_gathered_fail_an_execution_as_soon_as_they_are_too_large(lab: MakeLab) -> None:
    each = machine({"M": map_over(machine({"T": task()}), MaxConcurrency=1)})
    one = lab({"T": of_size(3000)}, limits=Limits(document_bytes=10_000)).finish(each, list(range(100)))
    assert one.outcome == ("Failed", "States.DataLimitExceeded")
    assert len(one.calls) == 4


def test_the_outputs_of_child_executions_too(lab: MakeLab) -> None:
    each = distributed_machine(machine({"T": task()}), MaxConcurrency=1)
    one = lab({"T": of_size(3000)}, limits=Limits(document_bytes=10_000)).finish(each, list(range(100)))
    assert one.outcome == ("Failed", "States.DataLimitExceeded")
    assert len(one.calls) == 4


# Maps


class Concurrency(Lab):
    """Counts the tasks that handlers have at a time."""

    most = 0

    def dispatch(self, tasks: list[Call]) -> None:
        super().dispatch(tasks)
        self.most = max(self.most, len(self.tasks))


def selecting(**fields: Any) -> dict[str, Any]:
    whole = {"all.$": "$.text", "n.$": "$$.Map.Item.Value"}
    return machine({"M": map_over(machine({"T": task()}), ItemsPath="$.items", ItemSelector=whole, **fields)})


def test_a_map_starts_no_more_iterations_than_there_is_room_for_their_inputs() -> None:
    lab = Concurrency(limits=Limits(fan_out_bytes=50_000, turn_bytes=30_000))
    lab.finish(selecting(), {"text": of_size(10_000), "items": list(range(40))})
    assert lab.outcome == ("Succeeded", [{}] * 40)
    assert [given["n"] for given in lab.inputs] == list(range(40))
    assert 5 <= lab.most <= 6
    assert lab.partition.state.executions == {}
    lab.check()


def test_each_map_has_an_iteration_however_large_its_input() -> None:
    lab = Concurrency(limits=Limits(fan_out_bytes=1))
    lab.finish(machine({"P": parallel(selecting(), selecting())}), {"text": of_size(5000), "items": [1, 2, 3]})
    assert lab.outcome == ("Succeeded", [[{}] * 3] * 2)
    assert lab.most == 2
    lab.check()


def test_the_room_of_iterations_is_known_again_after_a_restart() -> None:
    limits = Limits(fan_out_bytes=50_000)
    first = Concurrency({"T": HANGS}, limits=limits)
    first.begin(selecting(), {"text": of_size(10_000), "items": list(range(40))})
    again = Concurrency(store=first.store, clock=first.clock, limits=limits)
    again.id = first.id
    again.finish()
    assert again.outcome == ("Succeeded", [{}] * 40)
    assert again.most <= 6
    again.check()


def test_child_executions_start_as_far_as_a_turn_has_room_for_their_inputs(lab: MakeLab) -> None:
    whole = {"all.$": "$.text"}
    definition = distributed_machine(PASS, ItemsPath="$.items", ItemSelector=whole)
    one = lab(limits=Limits(turn_bytes=50_000, batch_bytes=50_000))
    one.finish(definition, {"text": of_size(10_000), "items": list(range(60))})
    assert one.outcome == ("Succeeded", [{"all": of_size(10_000)}] * 60)
    sizes = sorted(batches(one))
    assert sizes[-3] < 4 * 50_000, "but for the two that have all outputs"
    assert sum(size > 50_000 for size in sizes) > 5


# tasks in flight


def test_tasks_are_held_back_once_the_inputs_of_those_that_are_out_are_large() -> None:
    lab = Concurrency({"T": HANGS}, limits=Limits(task_bytes=50_000))
    lab.begin(machine({"M": map_over(machine({"T": task()}))}), [of_size(10_000)] * 30)
    active = [row for row in lab.partition.storage.scan(TaskContext) if row.status == "Active"]
    assert len(active) == 5
    again = Concurrency(store=lab.store, clock=lab.clock, limits=Limits(task_bytes=50_000))
    again.id = lab.id
    again.finish()
    assert again.outcome == ("Succeeded", [{}] * 30)
    assert again.partition.in_flight.input_bytes == 0
    again.check()


def test_the_inbox_gives_a_batch_no_more_than_it_may_have() -> None:
    lab = Lab(limits=Limits(batch_bytes=25_000))
    lab.deploy("w", PASS)
    for number in range(20):
        lab.start("w", of_size(10_000), number=number)
    lab.step()
    assert len(lab.executions()) == 3
    lab.close()


def test_large_documents_reach_the_folder_and_come_back(tmp_path: Path) -> None:
    limits = Limits(turn_bytes=1 << 20, batch_bytes=1 << 20)
    with Executor(tmp_path, limits=limits) as ex:
        ex.deploy("w", chain(12))
        ids = [ex.start("w", of_size(500_000)).id for _ in range(3)]
        assert [ex.get(id).wait(60).status for id in ids] == ["Succeeded"] * 3
    with Executor(tmp_path, limits=limits) as ex:
        assert [ex.get(id).output for id in ids] == [{"n": 11, "a": of_size(500_000)}] * 3
