"""Histories, as a program reads them: AWS's names, whole or page by page, from either end (ASL A16.77)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.support import ACTIVITY, CALLBACK, HANGS, LAMBDA, Lab, boom, machine, map_over, parallel, passing, task
from stepwell import AsyncExecutor, Execution, ExecutionNotFound, Executor, InvalidInput
from stepwell.engine.client import queries

pytestmark = pytest.mark.covers("A16.77")


@pytest.fixture(scope="module")
def execution() -> Iterator[Execution]:
    """An ended execution with events of several turns, and several events a turn."""
    states = {"Work": task("Each", Assign={"n": 1}), "Each": map_over(machine({"Do": task()}), MaxConcurrency=2)}
    with Executor(handlers={LAMBDA: lambda value: value}) as executor:
        executor.deploy("w", machine(states))
        yield executor.start("w", [1, 2, 3, 4, 5]).wait(60)


@pytest.fixture
def events(execution: Execution) -> list[dict[str, Any]]:
    """The whole history."""
    return execution.history()


def test_events_are_numbered_from_one(events: list[dict[str, Any]]) -> None:
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "ExecutionSucceeded"


def test_the_newest_may_come_first(execution: Execution, events: list[dict[str, Any]]) -> None:
    assert execution.history(reverse=True) == events[::-1]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("reverse", [False, True])
def test_pages_make_up_the_whole(execution: Execution, events: list[dict[str, Any]], size: int, reverse: bool) -> None:
    found: list[dict[str, Any]] = []
    after = 0
    while page := execution.history(size, reverse=reverse, after=after):
        assert len(page) <= size
        found += page
        after = page[-1]["id"]
    assert found == (events[::-1] if reverse else events)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_storage_is_read_page_by_page(
    execution: Execution, events: list[dict[str, Any]], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "TURNS", rows)
    assert execution.history() == events
    assert execution.history(reverse=True) == events[::-1]
    assert execution.history(after=5) == events[5:]
    assert execution.history(reverse=True, after=5) == events[3::-1]


def test_behind_the_end_there_is_nothing(execution: Execution, events: list[dict[str, Any]]) -> None:
    assert execution.history(after=len(events)) == execution.history(after=9999) == []
    assert execution.history(reverse=True, after=1) == []
    assert execution.history(reverse=True, after=9999) == events[::-1]


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": -1}, {"after": -1}])
def test_a_page_that_makes_no_sense_is_refused(execution: Execution, page: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="history"):
        execution.history(**page)


def test_data_may_be_left_out(execution: Execution, events: list[dict[str, Any]]) -> None:
    bare = execution.history(include_data=False)
    assert [(event["id"], event["type"]) for event in bare] == [(event["id"], event["type"]) for event in events]
    assert "[1,2,3,4,5]" in str(events)
    assert "[1,2,3,4,5]" not in str(bare)
    assert bare[1]["stateEnteredEventDetails"] == {"name": "Work", "inputDetails": {"truncated": False}}


def test_an_async_program_reads_the_same() -> None:
    async def read() -> None:
        async with AsyncExecutor() as ex:
            await ex.deploy("w", machine({"P": passing()}))
            done = await (await ex.start("w")).wait(60)
            newest = await done.history(1, reverse=True)
            assert [event["type"] for event in newest] == ["ExecutionSucceeded"]
            assert await ex.history(done.id, 2, after=1) == (await done.history())[1:3]
            with pytest.raises(ExecutionNotFound):
                await ex.history("/a/b")

    asyncio.run(read())


# AWS's names


UNUSED = {
    # What AWS tells of services that refuse to be called at all: here, a task that cannot begin fails.
    "ActivityScheduleFailed",
    "LambdaFunctionScheduleFailed",
    "LambdaFunctionStartFailed",
    "TaskStartFailed",
    "TaskSubmitFailed",
    "MapRunRedriven",  # a distributed Map that is run on has a map run anew
}
WAIT = {"Type": "Wait", "Seconds": 99, "End": True}
FAIL = {"Type": "Fail", "Error": "Boom"}
CHOICE = {"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": True, "Next": "Done"}], "Default": "Done"}
SDK = "arn:aws:states:::aws-sdk:dynamodb:getItem"
ASK = {"QueueUrl": "q", "MessageBody": {"t.$": "$$.Task.Token"}}
SLEEPY = [machine({"W": WAIT}), machine({"T": task()}), machine({"D": parallel(machine({"W1": WAIT}))})]
SLEEPY += [machine({"E": map_over(machine({"W2": WAIT}), ItemsPath="$")}), machine({"P": passing("F"), "F": FAIL})]
BREAKS = {
    "StartAt": "F",
    "States": {"F": FAIL},
    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
}
SLEEPS = {**BREAKS, "StartAt": "S", "States": {"S": WAIT}}
BRIEF = {"Type": "Wait", "Seconds": 1, "Next": "F"}
MACHINES = [
    (machine({"A": passing("B"), "B": CHOICE, "Done": {"Type": "Succeed"}}), {}),
    (machine({"W": WAIT}), {}),
    (machine({"W": WAIT}, TimeoutSeconds=5), {}),
    (machine({"All": parallel(*SLEEPY)}), {"T": HANGS}),
    (machine({"E": map_over(machine({"T": task()}))}), {"T": [1, boom()]}),
    (machine({"P": parallel(machine({"A": passing()}))}), {}),
    (machine({"E": map_over(machine({"T": task()}))}), {"T": 1}),
    (machine({"E": map_over({**BREAKS, "States": {"F": passing()}})}), {}),
    (machine({"E": map_over(BREAKS)}), {}),
    (machine({"All": parallel(machine({"E": map_over(SLEEPS)}), machine({"B": BRIEF, "F": FAIL}))}), {}),
    (machine({"P": passing(Output="{% $x %}")}, QueryLanguage="JSONata"), {}),
    *(
        (machine({"T": task(resource=resource, TimeoutSeconds=5, **fields)}), {"T": answer})
        for resource, fields in ((LAMBDA, {}), (ACTIVITY, {}), (SDK, {}), (CALLBACK, {"Parameters": ASK}))
        for answer in (1, boom(), HANGS)
    ),
]


@pytest.fixture
def histories(lab: Callable[..., Lab]) -> list[list[dict[str, Any]]]:
    """Histories of executions that meet everything that can happen."""
    found = [lab(answers).finish(definition, [1, 2]).events for definition, answers in MACHINES]
    stopped = lab().begin(machine({"W": WAIT}), [])
    stopped.stop("Enough")
    stopped.redrive()
    return [*found, stopped.events]


def test_events_are_as_aws_s_model_has_them(histories: list[list[dict[str, Any]]]) -> None:
    model = pytest.importorskip("botocore.session").get_session().get_service_model("stepfunctions")
    known = set(model.shape_for("HistoryEventType").enum)
    assert len(known) == 62
    shown = {event["type"] for events in histories for event in events}
    assert shown <= known
    assert known - shown == UNUSED
    for event in (event for events in histories for event in events):
        _fits(event, model.shape_for("HistoryEvent"), event["type"])


def _fits(value: Any, shape: Any, place: str) -> None:
    kinds = {"string": str, "long": int, "integer": int, "boolean": bool, "timestamp": float, "map": dict}
    if shape.type_name != "structure":
        assert isinstance(value, kinds[shape.type_name]), f"{place} is {value!r}"
        return
    for name, each in value.items():
        assert name in shape.members, f"{place} has no {name}"
        _fits(each, shape.members[name], f"{place}/{name}")


@pytest.mark.parametrize("limit", [1, 7, 64])
def test_pages_of_any_size_are_parts_of_the_whole_history(limit: int) -> None:
    with Executor(handlers={"work": lambda input: input}) as ex:
        both = parallel(machine({"A": passing("B"), "B": passing()}), machine({"C": task(resource="work")}), next="E")
        ex.deploy("w", machine({"P": both, "E": map_over(machine({"I": passing()}), ItemsPath="$[0]")}))
        execution = ex.start("w", list(range(20))).wait(60)
        whole = ex.history(execution.id)
        for after in range(len(whole) + 1):
            assert ex.history(execution.id, limit, after=after) == whole[after : after + limit]
            earlier = whole[: after - 1] if after else whole
            assert ex.history(execution.id, limit, after=after, reverse=True) == earlier[::-1][:limit]
