"""Every number that a program hands over: it means what it says, or is refused by an error of ours; nothing hangs."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from stepwell import AsyncExecutor, Executor, Follower, Limits
from stepwell.errors import InvalidInput, StepwellError, WaitTimeout

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
SLEEP = {"StartAt": "P", "States": {"P": {"Type": "Wait", "Seconds": 3600, "End": True}}}
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:a"
LONG = 60.0
NUMBERS = [
    math.nan,
    math.inf,
    -math.inf,
    -1,
    0,
    1,
    0.5,
    10**30,
    -(10**30),
    10**400,
    1e308,
    -1e308,
    True,
    "1",
    [],
    2**63,
]
NO_NUMBERS: list[Any] = [math.nan, True, "1", []]
SHORT = [-math.inf, -1, 0, 0.01, -(10**30), -(10**400), -1e308]
"""What a call that nobody answers may wait."""
ENDLESS = [math.inf, 10**30, 10**400, 1e308, 2**63]

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "start(delay)": lambda ex, number: ex.start("sleep", delay=number),
    "start(at)": lambda ex, number: ex.start("sleep", at=number),
    "start(timeout)": lambda ex, number: ex.start("sleep", timeout=number),
    "list(limit)": lambda ex, number: ex.list(limit=number),
    "list(workflow, limit)": lambda ex, number: ex.list("sleep", limit=number),
    "list(workflow, status, limit)": lambda ex, number: ex.list("sleep", "Running", limit=number),
    "history(limit)": lambda ex, number: ex.history(ex.ended, number),
    "history(after)": lambda ex, number: ex.history(ex.ended, after=number),
    "history(after, reverse)": lambda ex, number: ex.history(ex.ended, after=number, reverse=True),
    "deploy(retention)": lambda ex, number: ex.deploy("kept", PASS, retention=number),
    "update_map_run(max_concurrency)": lambda ex, number: ex.update_map_run("none", max_concurrency=number),
    "update_map_run(count)": lambda ex, number: ex.update_map_run("none", tolerated_failure_count=number),
    "update_map_run(percentage)": lambda ex, number: ex.update_map_run("none", tolerated_failure_percentage=number),
}
WAITING: dict[str, Callable[[Any, Any], Any]] = {
    "wait(timeout)": lambda ex, number: ex.running.wait(number),
    "wait_execution_done(timeout)": lambda ex, number: ex.wait_execution_done(number),
    "get_activity_task(timeout)": lambda ex, number: ex.get_activity_task(ACTIVITY, timeout=number),
}


def outcome(call: Callable[[], Any]) -> StepwellError | None:
    """The error of ours that a call raised; any other one fails the test."""
    try:
        call()
    except StepwellError as error:
        return error
    return None


@pytest.fixture(params=[1, 2])
def executor(request: pytest.FixtureRequest) -> Any:
    with Executor(partitions=request.param) as executor:
        this: Any = executor
        executor.deploy("sleep", SLEEP)
        this.ended = executor.run(PASS).id
        this.running = executor.start("sleep")
        yield this


def test_a_number_means_what_it_says_or_is_refused(executor: Any) -> None:
    for name, call in CALLS.items():
        for number in NUMBERS:
            error = outcome(lambda call=call, number=number: call(executor, number))
            if number in NO_NUMBERS and type(number) is not int:
                assert isinstance(error, InvalidInput), (name, number, error)
    assert executor.start("sleep").status == "Running"


def test_a_call_that_nobody_answers_waits_as_long_as_it_says(executor: Any) -> None:
    for name, call in WAITING.items():
        for number in SHORT:
            error = outcome(lambda call=call, number=number: call(executor, number))
            assert error is None or isinstance(error, WaitTimeout), (name, number, error)
        for number in NO_NUMBERS:
            assert isinstance(outcome(lambda call=call, number=number: call(executor, number)), InvalidInput), name


def test_a_wait_without_end_ends_with_the_executor() -> None:
    executor: Any = Executor()
    executor.deploy("sleep", SLEEP)
    executor.running = executor.start("sleep")
    errors: list[StepwellError | None] = []

    def wait(call: Callable[[Any, Any], Any], number: Any) -> None:
        errors.append(outcome(lambda: call(executor, number)))

    waiting = [threading.Thread(target=wait, args=(call, number)) for call in WAITING.values() for number in ENDLESS]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join(0.01)
    assert not errors, "a call has not waited"
    executor.close()
    for thread in waiting:
        thread.join(LONG)
    assert len(errors) == len(waiting)


@pytest.mark.parametrize("option", ["max_workers", "partitions", *sorted({*Limits._fields} - {"profile"})])
def test_an_option_that_is_no_fitting_number_is_refused(option: str) -> None:
    for number in [*NO_NUMBERS, math.inf, -1, 10**30, 10**400, 1e308]:
        options = (
            {option: number} if option in ("max_workers", "partitions") else {"limits": Limits(**{option: number})}
        )
        with pytest.raises(StepwellError):
            Executor(**options)


def test_a_follower_takes_numbers_as_its_leader_does(tmp_path: Path) -> None:
    with Executor(tmp_path / "a") as leader:
        id = leader.run(PASS).id
        with Follower(tmp_path / "a", tmp_path / "b") as follower:
            assert follower.wait_level(LONG)
            for number in NUMBERS:
                for call in (
                    lambda number=number: follower.list(limit=number),
                    lambda number=number: follower.history(id, number),
                    lambda number=number: follower.history(id, after=number),
                    lambda number=number: follower.wait_level(number),
                ):
                    error = outcome(call)
                    assert error is None or isinstance(error, InvalidInput)


def test_asyncio_takes_numbers_as_threads_do() -> None:
    async def main() -> None:
        async with AsyncExecutor() as executor:
            this: Any = executor
            await executor.deploy("sleep", SLEEP)
            this.ended = (await executor.run(PASS)).id
            this.running = await executor.start("sleep")
            for name, call in CALLS.items():
                for number in NUMBERS:
                    error = await async_outcome(call(executor, number))
                    if number in NO_NUMBERS and type(number) is not int:
                        assert isinstance(error, InvalidInput), (name, number, error)
            for name, call in WAITING.items():
                for number in SHORT:
                    error = await async_outcome(call(executor, number))
                    assert error is None or isinstance(error, WaitTimeout), (name, number, error)
                for number in NO_NUMBERS:
                    assert isinstance(await async_outcome(call(executor, number)), InvalidInput), name
                for number in ENDLESS:
                    waiting = asyncio.ensure_future(call(executor, number))
                    done, _ = await asyncio.wait([waiting], timeout=0.01)
                    assert not done, (name, number)
                    waiting.cancel()

    asyncio.run(main())


async def async_outcome(call: Awaitable[Any]) -> StepwellError | None:
    try:
        await call
    except StepwellError as error:
        return error
    return None
