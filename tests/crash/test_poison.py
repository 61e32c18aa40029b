"""One execution cannot harm another: whatever is wrong with it, it fails alone (RELIABILITY, promise 9)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crash.machines import ENDLESS
from stepwell import Executor, InternalError, InvalidInput, Limits, StepwellError, TaskError
from stepwell.engine.log import records as r
from stepwell.engine.partition import processing as processing
from stepwell.testing.replay import differences, rebuilt

Definition = dict[str, Any]
WAIT_SECONDS = 60.0


def one(**state: Any) -> Definition:
    return {"StartAt": "S", "States": {"S": {"End": True, **state}}}


def task(resource: str, **fields: Any) -> Definition:
    return one(Type="Task", Resource=resource, **fields)


HEALTHY = {
    "StartAt": "Pass",
    "States": {
        "Pass": {"Type": "Pass", "Next": "Work"},
        "Work": {"Type": "Task", "Resource": "echo", "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}},
            "End": True,
        },
    },
}


class Load:
    """Healthy executions, one after the other, beside whatever the test does."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.done = 0
        self.error: BaseException | None = None
        executor.deploy("healthy", HEALTHY)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                execution = self._executor.start("healthy", {"items": [1, 2]}).wait(WAIT_SECONDS)
                assert execution.output == [1, 2], execution.cause
                self.done += 1
        except BaseException as error:
            self.error = error

    def check(self) -> None:
        """Some more executions end right, now."""
        before = self.done
        deadline = time.monotonic() + WAIT_SECONDS
        while self.done < before + 3 and self.error is None:
            assert time.monotonic() < deadline, "healthy executions make no headway"
            time.sleep(0.005)
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error


LIMITS = Limits(restless_records=20_000, log_bytes=1 << 30)  # the whole log is replayed at the end


@pytest.fixture
def executor() -> Iterator[Executor]:
    with Executor(handlers={"echo": lambda given: given}, limits=LIMITS) as executor:
        yield executor
        store = executor.client.host.partition.store
        store.wait_applied(store.tail(), WAIT_SECONDS)
        with rebuilt(store) as again:
            assert differences(store, again) == []


@pytest.fixture
def load(executor: Executor) -> Iterator[Load]:
    load = Load(executor)
    yield load
    load.stop()


def fails(executor: Executor, definition: Definition, input: Any = None) -> tuple[str | None, str]:
    """Runs a definition, which must fail, and gives its error and cause."""
    context = executor.run(definition, input)
    assert context.status == "Failed"
    assert executor.history(context.id)[-1]["type"] == "ExecutionFailed"
    return context.error, context.cause or ""


# bugs in the engine itself


def broken(*_: Any) -> Any:
    raise ZeroDivisionError("a bug")


def break_processing(
    monkeypatch: pytest.MonkeyPatch, command: type[r.Command], part: int, is_hit: Callable[..., bool]
) -> None:
    """Lets one function of the table fail: 0 accept, 1 apply, 2 follow."""
    functions = list(processing.TABLE[command])
    whole = functions[part]
    functions[part] = lambda turn, *rest: broken() if is_hit(turn, *rest) else whole(turn, *rest)
    monkeypatch.setitem(processing.TABLE, command, tuple(functions))


def of(workflow: str) -> Callable[..., bool]:
    return lambda turn, command, *_: turn.execution is not None and turn.execution.workflow.name.startswith(workflow)


@pytest.mark.parametrize("part", [0, 1, 2], ids=["accept", "apply", "follow"])
@pytest.mark.parametrize(
    "command",
    [r.StartStateCommand, r.CompleteStateCommand, r.CreateTaskCommand, r.CompleteTaskCommand, r.ActivateTaskCommand],
    ids=lambda command: command.__name__,
)
def test_a_bug_in_processor_or_applier(
    executor: Executor, load: Load, monkeypatch: pytest.MonkeyPatch, command: type[r.Command], part: int
) -> None:
    break_processing(monkeypatch, command, part, lambda turn, *rest: turn.first_event > 1 and of("run-")(turn, *rest))
    first = {"Type": "Task", "Resource": "echo", "Next": "S"}
    definition = task("echo")
    error, cause = fails(executor, {"StartAt": "First", "States": {"First": first, **definition["States"]}})
    assert error == "States.Runtime"
    assert "ZeroDivisionError: a bug" in cause
    load.check()


def test_a_bug_that_lets_an_execution_neither_start_nor_end(
    executor: Executor, load: Load, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    executor.deploy("poison", task("echo"))
    break_processing(
        monkeypatch, r.StartExecutionCommand, 1, lambda turn, command, *_: command.workflow_id == "poison:1"
    )
    with pytest.raises(InternalError, match="ZeroDivisionError: a bug"):
        executor.start("poison")
    assert executor.list("poison") == []
    monkeypatch.undo()
    break_processing(monkeypatch, r.CompleteExecutionCommand, 1, of("slow"))
    executor.deploy("slow", one(Type="Wait", Seconds=1))
    execution = executor.start("slow")
    time.sleep(1.5)
    load.check()
    failures = [record for record in caplog.records if record.levelname == "CRITICAL"]
    assert [execution.id in record.getMessage() for record in failures] == [True]
    assert execution.status == "Running"  # stuck, yet only this one; and the log holds nothing wrong
    monkeypatch.undo()
    assert execution.stop().status == "Canceled"


# executions that ask for too much


def test_an_endless_loop(executor: Executor, load: Load) -> None:
    error, cause = fails(executor, ENDLESS)
    assert error == "States.Runtime"
    assert "without coming to rest" in cause
    load.check()


def test_an_endless_loop_in_a_branch_that_others_wait_for(executor: Executor, load: Load) -> None:
    sleeping = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1000, "End": True}}}
    error, _ = fails(executor, one(Type="Parallel", Branches=[sleeping, ENDLESS]))
    assert error == "States.Runtime"
    load.check()


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [100, 300, 500, 900, 990, 1000, 2000, 100_000])
def test_deep_json_from_a_handler(executor: Executor, load: Load, depth: int) -> None:
    executor.register("deep", lambda _: nested(depth))
    again = {**ENDLESS["States"]["Again"], "Default": "Enough"}
    context = executor.run(
        {
            "StartAt": "Deep",
            "States": {
                "Deep": {"Type": "Task", "Resource": "deep", "Next": "More"},
                "More": {"Type": "Pass", "Parameters": {"a": {"b.$": "$"}}, "Next": "Work"},
                "Work": {"Type": "Task", "Resource": "echo", "Next": "Again"},
                "Again": again,
                "Enough": {"Type": "Succeed"},
            },
        }
    )
    assert context.status in ("Succeeded", "Failed")
    if depth <= 500:
        assert context.status == "Succeeded", context.cause
    if depth >= 2000:
        assert context.error == "Runtime.MarshalError"
    executor.history(context.id)
    load.check()


def growing(**parameters: str) -> Definition:
    grow = {"Type": "Pass", "Parameters": parameters, "Next": "Again"}
    again = {**ENDLESS["States"]["Again"], "Default": "Grow"}
    return {"StartAt": "Grow", "States": {"Grow": grow, "Again": again, "Enough": {"Type": "Succeed"}}}


def test_json_that_grows_deeper_for_ever(executor: Executor, load: Load) -> None:
    error, cause = fails(executor, growing(**{"a.$": "$"}))
    assert error == "States.Runtime"
    assert "deep" in cause or "without coming to rest" in cause
    load.check()


def test_an_output_that_doubles_for_ever(executor: Executor, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = LIMITS._replace(document_bytes=1_000_000)
    partition = executor.client.host.partition  # type: ignore[attr-defined]
    monkeypatch.setattr(partition.processor, "limits", limits)
    monkeypatch.setattr(partition.services, "limits", limits)
    error, cause = fails(executor, growing(**{"a.$": "$", "b.$": "$"}))
    assert error == "States.DataLimitExceeded"
    assert cause.endswith("1000000 is the most that there may be.")
    with pytest.raises(StepwellError, match="1000000 is the most"):
        executor.start("healthy", "x" * 1_000_001)
    load.check()


def test_a_giant_output(executor: Executor, load: Load) -> None:
    giant = {"text": "x" * 30_000_000}
    executor.register("giant", lambda _: giant)
    context = executor.run(task("giant"))
    assert context.status == "Succeeded"
    assert len(context.output) > 30_000_000
    load.check()


# handlers that misbehave


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("not even a text")


def raises(error: BaseException) -> Callable[[Any], Any]:
    def handler(_: Any) -> Any:
        raise error

    return handler


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (lambda _: object(), "Runtime.MarshalError"),
        (lambda _: {1, 2}, None),
        (lambda _: float("nan"), "Runtime.MarshalError"),
        (lambda _: {"a": float("inf")}, "Runtime.MarshalError"),
        (lambda _: {("a", 1): 2}, "Runtime.MarshalError"),
        (lambda _: "\ud800", "Runtime.MarshalError"),
        (lambda _: 10**400, "Runtime.MarshalError"),
        (raises(Unprintable()), "Unprintable"),
        (raises(ValueError("\ud800")), "ValueError"),
        (raises(ValueError("x" * 10_000_000)), "ValueError"),
        (raises(TaskError("E", {"not": "a text"})), "E"),  # pyright: ignore[reportArgumentType]
        (raises(TaskError(7)), "7"),  # pyright: ignore[reportArgumentType]
        (raises(SystemExit(3)), "SystemExit"),
        (raises(KeyboardInterrupt()), "KeyboardInterrupt"),
        (raises(RecursionError()), "RecursionError"),
        (raises(MemoryError()), "MemoryError"),
    ],
)
def test_a_handler_that_returns_or_raises_what_it_should_not(
    executor: Executor, load: Load, handler: Callable[[Any], Any], error: str | None
) -> None:
    executor.register("odd", handler)
    context = executor.run(task("odd"))
    if error is None:
        assert context.status == "Succeeded"
    else:
        assert (context.status, context.error) == ("Failed", error)
        executor.history(context.id)
    load.check()


def test_an_async_handler_that_raises_what_it_should_not(executor: Executor, load: Load) -> None:
    async def odd(_: Any) -> Any:
        raise Unprintable

    executor.register("odd", odd)
    assert fails(executor, task("odd"))[0] == "Unprintable"
    load.check()


def test_a_handler_that_hangs_is_timed_out(executor: Executor, load: Load) -> None:
    release = threading.Event()
    executor.register("hangs", lambda _: release.wait(WAIT_SECONDS))
    assert fails(executor, task("hangs", TimeoutSeconds=1))[0] == "States.Timeout"
    load.check()
    release.set()


def test_a_handler_that_answers_after_its_timeout_changes_nothing(executor: Executor, load: Load) -> None:
    release = threading.Event()
    executor.register("late", lambda _: release.wait(WAIT_SECONDS) and "late")
    context = executor.run(task("late", TimeoutSeconds=1))
    history = executor.history(context.id)
    release.set()
    load.check()
    assert executor.history(context.id) == history


@pytest.mark.parametrize("value", [5, {"a": 1}, "\ud800", b"x"])
def test_texts_that_are_none_are_refused_by_the_api(executor: Executor, load: Load, value: Any) -> None:
    executor.deploy("sleep", one(Type="Wait", Seconds=1000))
    execution = executor.start("sleep")
    with pytest.raises(InvalidInput):
        execution.stop(error=value)
    with pytest.raises(InvalidInput):
        execution.stop(cause=value)
    assert execution.status == "Running"
    execution.stop()
    load.check()
