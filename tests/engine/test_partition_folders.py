"""Executors with partitions are opened, closed and opened again; what does not fit is refused."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from engine.partition_support import LONG, WORK, is_alive, pids_of, raises, until, work
from engine.support import machine, task
from stepwell import (
    AsyncExecutor,
    Busy,
    Closed,
    ExecutionAlreadyExists,
    Executor,
    InvalidInput,
    Limits,
    LockedError,
    StorageError,
    WaitTimeout,
)


def time_of(id: str) -> str:
    """The timestamp of an execution's id; what is before it is drawn."""
    return id.rpartition("/")[2]


@pytest.mark.parametrize("partitions", [1, 4])
def test_what_runs_goes_on_when_the_folder_is_opened_again(tmp_path: Path, partitions: int) -> None:
    done: list[Any] = []
    handlers = {"work": done.append}
    with Executor(tmp_path / "data", handlers=handlers, partitions=partitions) as ex:
        ex.deploy(
            "naps", machine({"Nap": {"Type": "Wait", "Seconds": 1, "Next": "Work"}, "Work": task(resource="work")})
        )
        ids = [ex.start("naps", number).id for number in range(12)]
        task_ids = [ex.start("naps", "x", f"name-{number}").id for number in range(4)]
    with Executor(tmp_path / "data", handlers=handlers, partitions=partitions) as ex:
        assert ex.workflow("naps").id == "naps:1"
        for id in ids + task_ids:
            assert ex.get(id).wait(60).status == "Succeeded"
        with pytest.raises(ExecutionAlreadyExists):
            ex.start("naps", "x", "name-1")
        assert time_of(ex.start("naps", 1).id) > max(map(time_of, ids))
    assert len(done) >= 16


def test_another_number_of_partitions_is_refused(tmp_path: Path) -> None:
    with Executor(tmp_path / "two", partitions=2):
        pass
    for other in (1, 3):
        with pytest.raises(StorageError, match=r"has 2 partitions, not .*partitions=2"):
            Executor(tmp_path / "two", partitions=other)
    with Executor(tmp_path / "one"):
        pass
    with pytest.raises(StorageError, match=r"has 1 partition, not 2.*partitions=1"):
        Executor(tmp_path / "one", partitions=2)
    for wrong in (0, -1, 257, True):
        with pytest.raises(InvalidInput):
            Executor(partitions=wrong)
    Executor(tmp_path / "two", partitions=2).close()


def test_a_folder_has_one_executor(tmp_path: Path) -> None:
    with Executor(tmp_path / "data", partitions=2), pytest.raises(LockedError):
        Executor(tmp_path / "data", partitions=2)


def test_in_memory(tmp_path: Path) -> None:
    with Executor(handlers={"work": work}, partitions=2) as ex:
        ex.deploy("work", WORK)
        assert [ex.start("work", n).wait(60).output for n in range(6)] == [{"done": n} for n in range(6)]
        for pid in pids_of(ex):
            os.kill(pid, signal.SIGKILL)
        until(lambda: raises(StorageError, lambda: ex.start("work", 1)))


def test_what_is_asked_of_a_closed_one_is_refused_and_nobody_waits_for_ever(tmp_path: Path) -> None:
    ex = Executor(tmp_path / "data", partitions=2)
    ex.deploy("long", LONG)
    execution = ex.start("long")
    raised: list[BaseException] = []

    def wait() -> None:
        try:
            execution.wait()
        except Closed as error:
            raised.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    pids = pids_of(ex)
    ex.close()
    waiting.join(20)
    assert len(raised) == 1
    for ask in (
        lambda: ex.start("long"),
        lambda: ex.get(execution.id),
        lambda: ex.list(),
        lambda: ex.deploy("x", LONG),
    ):
        with pytest.raises(Closed):
            ask()
    ex.close()
    assert not any(is_alive(pid) for pid in pids)


def test_a_full_inbox_is_busy(tmp_path: Path) -> None:
    with Executor(tmp_path / "data", partitions=2, limits=Limits(inbox=1)) as ex:
        ex.deploy("long", LONG)
        pids = pids_of(ex)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            answers: list[Any] = []

            def fill() -> None:
                for _ in range(4):
                    ex.submit_start("long", {}, None, lambda *answer: answers.append(answer))

            with pytest.raises(Busy):
                fill()
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        assert ex.start("long", timeout=20).status == "Running"


async def _async_run(folder: Path, partitions: int) -> list[Any]:
    async def handler(value: Any) -> Any:
        await asyncio.sleep(0)
        return {"done": value}

    async with AsyncExecutor(folder, handlers={"work": handler}, partitions=partitions) as ex:
        await ex.deploy("work", WORK)
        executions = await asyncio.gather(*(ex.start("work", number) for number in range(50)))
        await asyncio.gather(*(execution.wait(60) for execution in executions))
        assert sorted([each.input for each in await ex.list("work")]) == list(range(50))
        await ex.deploy("long", LONG)
        waiting = await ex.start("long")
        with pytest.raises(WaitTimeout):
            await waiting.wait(0.05)
        return [execution.output["done"] for execution in executions]


@pytest.mark.parametrize("partitions", [1, 4])
def test_asyncio(tmp_path: Path, partitions: int) -> None:
    assert asyncio.run(_async_run(tmp_path / "data", partitions)) == list(range(50))


@pytest.mark.parametrize("name", ["data/p0", "data/p1/.", "link"])
def test_one_partition_of_several_is_not_opened_alone(tmp_path: Path, name: str) -> None:
    """What is started there alone would be in a partition where nobody looks for it."""
    (tmp_path / "link").symlink_to(tmp_path / "data" / "p1")
    with Executor(tmp_path / "data", handlers={"work": work}, partitions=2) as executor:
        executor.deploy("work", WORK)
        ids = [executor.start("work", n).wait(60).id for n in range(4)]
    with pytest.raises(StorageError, match=r"is one of several partitions: open .*data, which has them all"):
        Executor(os.path.join(tmp_path, name))
    with Executor(tmp_path / "data", partitions=2) as executor:
        assert {executor.get(id).status for id in ids} == {"Succeeded"}
