"""Tasks without a handler: a start says what is missing, and only a task that is reached fails."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.support import GUARD_SECONDS, machine, map_over, one, task, until
from stepwell import AsyncExecutor, Executor, HandlerNotFound, Limits
from stepwell.tasks import unhandled
from stepwell.tasks.dispatch import Call, Result
from stepwell.tasks.handlers import Handlers

SOON = Limits(handler_seconds=0)
NEVER = Limits(handler_seconds=None)
EITHER = machine(
    {
        "Which": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.rare", "BooleanEquals": True, "Next": "Rare"}],
            "Default": "Usual",
        },
        "Rare": task(resource="rare"),
        "Usual": task(resource="usual"),
    }
)


@pytest.fixture(params=[1, 2], ids=["1 partition", "2 partitions"])
def open_executor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Executor]]:
    """Opens an executor, which is closed when the test is over."""
    opened: list[Executor] = []

    def open_one(**options: Any) -> Executor:
        opened.append(Executor(tmp_path / "data", partitions=request.param, **options))
        return opened[-1]

    yield open_one
    for ex in opened:
        ex.close()


@pytest.fixture
def reports_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unhandled, "REPORT_SECONDS", 0.05)


def test_a_start_warns_once_and_a_state_that_is_not_reached_needs_no_handler(
    open_executor: Callable[..., Executor], caplog: pytest.LogCaptureFixture
) -> None:
    with open_executor(handlers={"usual": lambda input: "done"}) as ex:
        ex.deploy("either", EITHER)
        for _ in range(3):
            assert ex.start("either", {"rare": False}).wait(GUARD_SECONDS).output == "done"
    (warning,) = [text for text in caplog.messages if "no handler is registered" in text]
    for part in ("'rare'", "'Rare'", "'either'"):
        assert part in warning


def test_a_state_that_is_reached_fails_when_no_handler_comes(open_executor: Callable[..., Executor]) -> None:
    with open_executor(handlers={"usual": str}, limits=SOON) as ex:
        ex.deploy("either", EITHER)
        execution = ex.start("either", {"rare": True}).wait(GUARD_SECONDS)
        assert (execution.status, execution.error) == ("Failed", "States.TaskFailed")
        for part in ("'rare'", "'Rare'", "register"):
            assert part in (execution.context().cause or "")


def test_a_program_without_any_handler_fails_what_it_starts(open_executor: Callable[..., Executor]) -> None:
    with open_executor(limits=SOON) as ex:
        assert ex.run(one("rare")).error == "States.TaskFailed"


def test_a_handler_may_come_later(open_executor: Callable[..., Executor]) -> None:
    with open_executor(handlers={"usual": str}, limits=NEVER) as ex:
        ex.deploy("either", EITHER)
        execution = ex.start("either", {"rare": True})
        assert ex.start("either", {"rare": False}).wait(GUARD_SECONDS).status == "Succeeded"
        ex.register("rare", lambda input: "at last")
        assert execution.wait(GUARD_SECONDS).output == "at last"


class Alarmed:
    """Alarms that ring when the test says so."""

    def __init__(self) -> None:
        self.set = list[tuple[float, Callable[[], None]]]()

    def after(self, seconds: float, callback: Callable[[], None]) -> None:
        self.set.append((seconds, callback))

    def ring(self) -> None:
        due, self.set = self.set, []
        for _, callback in due:
            callback()


def test_each_registration_gives_the_next_ones_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time counts from the last registration: a program may register its handlers one after the other."""
    clock = [0.0]
    monkeypatch.setattr(unhandled, "monotonic", lambda: clock[0])
    alarms, failed = Alarmed(), list[Result]()
    waiting = unhandled.Unhandled(Handlers({"usual": str}), 100, alarms, failed.extend)  # type: ignore[arg-type]
    waiting.add([Call("t1", "e", "Rare", "rare", b"{}", 0, None, 0)], are_new=True)
    waiting.add([Call("t2", "e", "Rare", "rare", b"{}", 0, None, 0)], are_new=False)
    clock[0] = 99.0
    waiting.registered()
    clock[0] = 197.5
    alarms.ring()
    assert failed == []
    assert 1.5 in [seconds for seconds, _ in alarms.set], "the time that is left"
    clock[0] = 199.0
    alarms.ring()
    assert [(result.id, result.error) for result in failed] == [("t1", "States.TaskFailed")]
    assert len(waiting) == 1, "what was handed out before the opening waits without limit"


def test_a_task_that_comes_late_has_the_whole_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is started anew is away for a moment, long after the last registration."""
    clock = [0.0]
    monkeypatch.setattr(unhandled, "monotonic", lambda: clock[0])
    alarms, failed = Alarmed(), list[Result]()
    waiting = unhandled.Unhandled(Handlers({"usual": str}), 100, alarms, failed.extend)  # type: ignore[arg-type]
    for id, clock[0] in (("t1", 1000.0), ("t2", 1050.0)):
        waiting.add([Call(id, "e", "Rare", "rare", b"{}", 0, None, 0)], are_new=True)
    clock[0] = 1100.0
    alarms.ring()
    assert [result.id for result in failed] == ["t1"]
    assert 50.0 in [seconds for seconds, _ in alarms.set], "the time that is left of the second one"
    clock[0] = 1150.0
    alarms.ring()
    assert [result.id for result in failed] == ["t1", "t2"]


def test_a_strict_executor_refuses_the_start_and_leaves_nothing(open_executor: Callable[..., Executor]) -> None:
    with open_executor(handlers={"usual": str}, strict_handlers=True) as ex:
        ex.deploy("either", EITHER)
        with pytest.raises(HandlerNotFound, match="'rare'"):
            ex.start("either", {"rare": False})
        assert ex.list() == []
        ex.register("rare", str)
        assert ex.start("either", {"rare": True}).wait(GUARD_SECONDS).status == "Succeeded"


def test_a_missing_handler_is_named_as_it_must_be_registered(open_executor: Callable[..., Executor]) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "askk"},
        "End": True,
    }
    with open_executor(handlers={"ask": str}, strict_handlers=True) as ex:
        ex.deploy("w", {"StartAt": "T", "States": {"T": state}})
        with pytest.raises(HandlerNotFound, match="no handler is registered for 'askk'"):
            ex.start("w")


@pytest.mark.usefixtures("reports_soon")
def test_a_folder_that_is_opened_without_handlers_says_which_tasks_wait(
    open_executor: Callable[..., Executor], caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()

    def hang(input: Any) -> None:
        release.wait(GUARD_SECONDS)

    with open_executor(handlers={"charge": hang, "ship": hang}) as ex:
        ex.deploy("charge", machine({"Each": map_over(one("charge"))}))
        ex.deploy("ship", one("ship"))
        executions = [ex.start("charge", [1, 2, 3]), ex.start("ship", 4)]
        until(lambda: ex.client.host.pool.running == 4)
        ex.client.host.pool.stop(0)  # what runs is cut short
    release.set()

    ex = open_executor()  # a program that only looks into the folder fails nothing
    until(lambda: len(_named(caplog)) == 2)
    assert _named(caplog) == {"charge": 3, "ship": 1}
    ex.close()

    caplog.clear()
    with open_executor(handlers={"charge": lambda input: input}, limits=SOON) as ex:
        assert executions[0].id in {each.id for each in ex.list()}
        assert ex.get(executions[0].id).wait(GUARD_SECONDS).output == [1, 2, 3]
        until(lambda: _named(caplog))
        assert _named(caplog) == {"ship": 1}
        assert ex.get(executions[1].id).status == "Running", "it had a handler, and waits for it"
        ex.register("ship", lambda input: input)
        assert ex.get(executions[1].id).wait(GUARD_SECONDS).output == 4


def _named(caplog: pytest.LogCaptureFixture) -> dict[str, int]:
    found = [re.search(r"registered for '(\w+)'; waiting tasks: (\d+)", text) for text in caplog.messages]
    return {match[1]: int(match[2]) for match in found if match is not None}


@pytest.mark.usefixtures("reports_soon")
def test_tasks_that_wait_for_a_handler_and_end_meanwhile_are_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    calls = list[Any]()
    with caplog.at_level(logging.WARNING), Executor(handlers={"usual": str}, limits=NEVER) as ex:
        ex.deploy("rare", one("rare"))
        stopped = ex.start("rare", 1)
        until(lambda: _named(caplog) == {"rare": 1})
        ex.stop(stopped.id)
        until(lambda: ex.client.host.pool.unhandled == 0)
        ex.register("rare", calls.append)
        ex.start("rare", 2).wait(GUARD_SECONDS)
    assert calls == [2]


def test_an_async_executor_does_the_same() -> None:
    import asyncio

    async def run() -> None:
        async with AsyncExecutor(handlers={"usual": str}, limits=SOON) as ex:
            await ex.deploy("either", EITHER)
            assert (await (await ex.start("either", {"rare": False})).wait()).status == "Succeeded"
            assert (await (await ex.start("either", {"rare": True})).wait()).error == "States.TaskFailed"
        async with AsyncExecutor(handlers={"usual": str}, strict_handlers=True) as ex:
            await ex.deploy("either", EITHER)
            with pytest.raises(HandlerNotFound, match="'rare'"):
                await ex.start("either")

    asyncio.run(asyncio.wait_for(run(), GUARD_SECONDS))
