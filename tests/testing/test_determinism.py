"""The same test does the same again: ids, times, random numbers, the order of everything."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from stepwell.testing import TestExecutor
from testing.support import machine, task, wait

BRANCHES = {
    "Type": "Parallel",
    "Branches": [
        {
            "StartAt": f"Do{n}",
            "States": {
                f"Do{n}": task(
                    "do",
                    Retry=[{"ErrorEquals": ["Odd"], "JitterStrategy": "FULL", "IntervalSeconds": 9}],
                    Next=f"Rest{n}",
                ),
                f"Rest{n}": {**wait(n), "End": True},
            },
        }
        for n in range(3)
    ],
}
MAP = {
    "Type": "Map",
    "ItemsPath": "$",
    "ItemProcessor": {"StartAt": "Each", "States": {"Each": task("lazy", End=True)}},
}
RANDOM = {
    "Type": "Pass",
    "QueryLanguage": "JSONata",
    "Output": "{% {'at': $now(), 'ms': $millis(), 'r': $random(), 'id': $uuid(), 'all': $states.input} %}",
}
INTRINSIC = {
    "Type": "Pass",
    "Parameters": {
        "u.$": "States.UUID()",
        "r.$": "States.MathRandom(1, 1000000)",
        "token.$": "$$.State.EnteredTime",
        "all.$": "$",
    },
}
TOKEN = task(
    "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    Parameters={"QueueUrl": "https://q", "MessageBody.$": "$$.Task.Token"},
)


class Odd(Exception):
    pass


def story(ex: TestExecutor, seconds: float = 0.0) -> list[Any]:
    """All that a test can see of some executions; each handler takes so much real time."""
    tried: dict[str, int] = {}

    async def lazy(value: Any) -> Any:
        return value

    @ex.task("do")
    def do(value: Any, ctx: Any) -> Any:
        time.sleep(random.random() * seconds)
        tried[ctx.task_id] = tried.get(ctx.task_id, 0) + 1
        if ctx.attempt < 2:
            raise Odd
        return [ctx.state_name, ctx.task_id]

    ex.register("lazy", lazy)
    ex.mock.state("S4").returns("sent", delay="5s")
    ex.deploy("all", machine(BRANCHES, MAP, RANDOM, INTRINSIC, TOKEN))
    executions = [ex.start("all", {"n": n}, delay=n) for n in range(3)]
    ex.advance("1d")
    assert [execution.status for execution in executions] == ["Succeeded"] * 3
    return [
        [(execution.id, execution.history()) for execution in executions],
        [(call.state, call.input, call.task_id, call.time) for call in ex.mock.calls],
    ]


def test_the_same_again(tmp_path: Path) -> None:
    with TestExecutor() as ex:
        first = story(ex)
    for _ in range(10):
        with TestExecutor() as ex, TestExecutor() as other:  # two at a time do not disturb each other
            assert story(other) == first
            assert story(ex, seconds=0.001) == first
    with TestExecutor(tmp_path / "data") as ex:
        assert story(ex) == first


def test_another_seed_is_another_story() -> None:
    with TestExecutor() as one, TestExecutor(seed=1) as other:
        assert story(one) != story(other)


def test_expressions_see_the_virtual_time() -> None:
    with TestExecutor(start="2030-06-01T12:00:00Z") as ex:
        output = {"at": "{% $now() %}", "ms": "{% $millis() %}"}
        ex.deploy("now", machine(wait(3600), {"Type": "Pass", "QueryLanguage": "JSONata", "Output": output}))
        execution = ex.start("now")
        ex.advance("7d")  # the Pass state is entered after an hour, not after seven days
        assert execution.output == {"at": "2030-06-01T13:00:00.000Z", "ms": 1906549200000}


def test_a_large_map_with_retries() -> None:
    each = {"StartAt": "Do", "States": {"Do": task("do", Retry=[{"ErrorEquals": ["Odd"]}], End=True)}}
    with TestExecutor() as ex:
        ex.deploy("map", machine({"Type": "Map", "ItemProcessor": each}))
        do = ex.mock.resource("do").fails("Odd", times=1000).answers(lambda value: value + 1)
        assert ex.start("map", list(range(1000))).wait().output == list(range(1, 1001))
        do.assert_called(2000)


@pytest.mark.parametrize("folder", [False, True])
def test_a_crash_loses_nothing_that_is_durable(tmp_path: Path, folder: bool) -> None:
    calls: list[str] = []
    with TestExecutor(tmp_path / "data" if folder else None) as ex:

        @ex.task("f")
        def f(value: Any, ctx: Any) -> str:
            calls.append(ctx.task_id)
            return "done"

        ex.mock.state("Slow").returns("late", delay="1h")
        ex.deploy("w", machine(wait(60), F=task("f"), Slow=task("slow"), W=wait(60)))
        execution, begin = ex.start("w"), ex.now
        for _ in range(3):
            ex.crash()
            ex.advance("40s")
        ex.crash()
        assert execution.wait().output == "late"
        assert len(calls) == 1
        assert [(call.time - begin).total_seconds() for call in ex.mock.state("Slow").calls] == [60, 80, 120]
        assert ex.get(execution.id).status == "Succeeded"
