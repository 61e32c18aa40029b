"""A callback runs in an executor's own thread: what would wait there for ever raises an error, and all goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from stepwell import Executor
from stepwell.errors import Closed, StepwellError

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
LONG = 60.0
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:a"

CALLS: dict[str, Callable[[Executor, str], Any]] = {
    "start": lambda executor, _: executor.start("w", 1, "in-the-callback"),
    "run": lambda executor, _: executor.run(PASS),
    "deploy": lambda executor, _: executor.deploy("v", PASS),
    "wait": lambda executor, id: executor.client.host.check() or _execution(executor, id).wait(),
    "stop": lambda executor, id: _execution(executor, id).stop(),
    "get_activity_task": lambda executor, _: executor.get_activity_task(ACTIVITY, timeout=LONG),
    "close": lambda executor, _: executor.close(),
}


def _execution(executor: Executor, id: str) -> Any:
    from stepwell.engine.api.execution import Execution

    return Execution(executor.client, id)


def called_back(executor: Executor, call: Callable[[Executor, str], Any]) -> BaseException | None:
    """Make a call in a callback; what it raised."""
    raised: list[BaseException | None] = []
    is_over = threading.Event()

    def deliver(id: Any, error: BaseException | None) -> None:
        try:
            call(executor, id)
            raised.append(error)
        except BaseException as problem:
            raised.append(problem)
        is_over.set()

    executor.submit_start("w", 1, None, deliver)
    assert is_over.wait(LONG), "the call waits in the executor's own thread"
    return raised[0]


@pytest.mark.parametrize("partitions", [1, 2])
def test_what_would_wait_in_a_callback_raises_an_error_and_asks_for_nothing(partitions: int) -> None:
    executor = Executor(partitions=partitions)
    executor.deploy("w", {"StartAt": "P", "States": {"P": {"Type": "Wait", "Seconds": 3600, "End": True}}})
    for name, call in CALLS.items():
        problem = called_back(executor, call)
        assert type(problem) is StepwellError, (name, problem)
        assert "another thread" in str(problem), name
    assert executor.start("w", 1).status == "Running"
    assert not [each for each in executor.list() if each.name == "in-the-callback"]
    executor.close()


@pytest.mark.parametrize("partitions", [1, 2])
def test_a_callback_that_gets_the_end_cannot_close_once_more(partitions: int) -> None:
    executor = Executor(partitions=partitions)
    executor.deploy("w", PASS)
    execution = executor.start("w", delay=3600)
    received: list[BaseException | None] = []

    def deliver(_: Any, error: BaseException | None) -> None:
        received.append(error)
        try:
            executor.close()
        except StepwellError as problem:
            received.append(problem)

    executor.client.host.watch(execution.id, deliver)
    closing = threading.Thread(target=executor.close, daemon=True)
    closing.start()
    closing.join(LONG)
    assert not closing.is_alive()
    assert [type(each) for each in received] == [Closed, StepwellError]
