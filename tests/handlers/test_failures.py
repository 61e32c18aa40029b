"""Exceptions of handlers: in the log with their tracebacks, and in the cause where a program asks for it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from handlers.support import GUARD_SECONDS, one
from stepwell import AsyncExecutor, Executor, Limits, TaskError

NAME = "stepwell.handlers"


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def charge(input: Any) -> None:
    _deep(input)


def _deep(input: Any) -> None:
    raise ValueError(f"no card for {input}")


async def charge_async(input: Any) -> None:
    _deep(input)


@pytest.mark.parametrize("handler", [charge, charge_async])
def test_an_exception_is_logged_with_its_traceback_and_its_place(
    handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, NAME), Executor(handlers={"charge": handler}) as ex:
        context = ex.run(one("charge"), "ann")
    (record,) = caplog.records
    assert (record.name, record.levelname) == (NAME, "ERROR")
    text = caplog.text
    for part in ("'charge'", "'Work'", context.id, "attempt 0", "ValueError: no card for ann", "in _deep"):
        assert part in text
    assert "dispatch.py" not in text, "the frames are the program's"
    assert (context.error, context.cause) == ("ValueError", "no card for ann")


def test_an_error_that_was_meant_is_logged_as_information(caplog: pytest.LogCaptureFixture) -> None:
    def work(input: Any) -> None:
        raise TaskError("Declined", "no funds")

    with caplog.at_level(logging.INFO, NAME), Executor(handlers={"work": work}) as ex:
        ex.run(one("work"))
    assert [record.levelname for record in caplog.records if record.name == NAME] == ["INFO"]
    assert "Declined: no funds" in caplog.text


@pytest.mark.parametrize("characters", [0, 5000])
def test_an_exception_that_cannot_be_shown_fails_its_task_and_no_more(
    characters: int, caplog: pytest.LogCaptureFixture
) -> None:
    def work(input: Any) -> Any:
        if input == "bad":
            raise Unprintable
        return input

    with Executor(handlers={"work": work}, limits=Limits(traceback_characters=characters)) as ex:
        context = ex.run(one("work"), "bad")
        assert context.error == "Unprintable"
        assert context.cause is not None
        assert "its text cannot be read" in context.cause
        assert ex.run(one("work"), "good").status == "Succeeded"
    assert "Unprintable" in caplog.text


@pytest.mark.parametrize("handler", [charge, charge_async])
def test_the_cause_has_the_traceback_where_a_program_asks_for_it(handler: Any) -> None:
    with Executor(handlers={"charge": handler}, limits=Limits(traceback_characters=10_000)) as ex:
        cause = ex.run(one("charge"), "ann").cause
    assert cause is not None
    assert cause.startswith("no card for ann\n\nTraceback (most recent call last):\n")
    assert cause.endswith("ValueError: no card for ann\n")
    assert cause.count("File ") == 2, "the handler's frames and no others"


def test_of_a_long_traceback_the_end_is_kept() -> None:
    def endless(input: int) -> int:
        return endless(input + 1)

    with Executor(handlers={"work": endless}, limits=Limits(traceback_characters=500)) as ex:
        context = ex.run(one("work"), 0)
    assert context.error == "RecursionError"
    message, _, trace = (context.cause or "").partition("\n\n")
    assert len(trace) == 500
    assert trace.endswith(f"RecursionError: {message}\n")


def test_a_task_error_without_a_cause_has_its_traceback_alone() -> None:
    def work(input: Any) -> None:
        raise TaskError("Declined")

    with Executor(handlers={"work": work}, limits=Limits(traceback_characters=2000)) as ex:
        context = ex.run(one("work"))
    assert context.error == "Declined"
    assert (context.cause or "").startswith("Traceback")


async def stop_the_loop(input: Any) -> str:
    asyncio.get_running_loop().stop()
    return "done"


async def begin_what_ends_the_program(input: Any) -> str:
    async def leave() -> None:
        raise SystemExit(3)

    leaving = asyncio.create_task(leave())
    await asyncio.wait([leaving])
    return "done"


async def interrupt_in_a_callback(input: Any) -> str:
    def interrupt() -> None:
        raise KeyboardInterrupt

    asyncio.get_running_loop().call_soon(interrupt)
    await asyncio.sleep(0.01)
    return "done"


@pytest.mark.parametrize("handler", [stop_the_loop, begin_what_ends_the_program, interrupt_in_a_callback])
def test_a_handler_cannot_end_the_loop_of_the_others(handler: Any) -> None:
    async def later(input: Any) -> str:
        await asyncio.sleep(0.01)
        return "later"

    with Executor(handlers={"bad": handler, "later": later}) as ex:
        for name in ("bad", "later"):
            ex.deploy(name, one(name))
        assert ex.start("bad").wait(GUARD_SECONDS).output == "done"
        assert ex.start("later").wait(GUARD_SECONDS).output == "later"


async def cancel_itself(input: Any) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def cancel_everything(input: Any) -> None:
    for task in asyncio.all_tasks():
        task.cancel()
    await asyncio.sleep(0)


@pytest.mark.parametrize("handler", [cancel_itself, cancel_everything])
def test_a_coroutine_that_nobody_asked_to_stop_has_failed_when_it_is_canceled(handler: Any) -> None:
    with Executor(handlers={"work": handler}) as ex:
        ex.deploy("w", one("work"))
        execution = ex.start("w").wait(GUARD_SECONDS)
    assert (execution.status, execution.error) == ("Failed", "CancelledError")


def test_a_handler_that_the_program_cancels_is_named_and_called_again_at_the_next_opening(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    began = asyncio.Event()

    async def work(input: Any) -> None:
        began.set()
        await asyncio.sleep(GUARD_SECONDS)

    async def program() -> str:
        ex = AsyncExecutor(tmp_path / "data", handlers={"work": work})
        async with ex:
            await ex.deploy("w", one("work"))
            id = (await ex.start("w")).id
            await began.wait()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            while "the program canceled the handler of 'work'" not in caplog.text:
                await asyncio.sleep(0.005)
        return id

    id = asyncio.run(program())
    with Executor(tmp_path / "data", handlers={"work": lambda input: "again"}) as ex:
        assert ex.get(id).wait(GUARD_SECONDS).output == "again"
