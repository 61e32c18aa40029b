"""A partition's process that dies takes nothing with it; a program that dies takes its processes with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from engine.partition_support import LONG, WORK, is_alive, pids_of, raises, until, work
from engine.support import machine, task
from stepwell import Executor, HandlerContext, StorageError, _core
from stepwell.engine.host.processes.host import MultiProcessHost


def test_a_process_that_dies_is_started_again_and_loses_nothing(tmp_path: Path) -> None:
    """Under load, partitions are killed again and again; the journal of the clients is the model."""
    tries: dict[str, int] = {}
    lock = threading.Lock()

    def steps(value: Any, context: HandlerContext) -> Any:
        with lock:
            tries[context.task_id] = tries.get(context.task_id, 0) + 1
        return value

    acknowledged: dict[str, tuple[int, str]] = {}
    refused: list[BaseException] = []
    stop = threading.Event()
    three = machine({"A": task("B", resource="steps"), "B": task("C", resource="steps"), "C": task(resource="steps")})
    with Executor(tmp_path / "data", handlers={"steps": steps}, partitions=3) as ex:
        ex.deploy("three", three)

        def client(number: int) -> None:
            while not stop.is_set():
                try:
                    execution = ex.start("three", number, f"client-{number}")
                    execution.wait(60)
                    acknowledged[execution.id] = (number, execution.status)
                except BaseException as error:
                    refused.append(error)
                number += 100

        clients = [threading.Thread(target=client, args=(number,)) for number in range(24)]
        for each in clients:
            each.start()
        before = pids_of(ex)
        for index in (0, 1, 2, 0):
            time.sleep(0.4)
            os.kill(pids_of(ex)[index], signal.SIGKILL)
        time.sleep(0.5)
        stop.set()
        for each in clients:
            each.join(60)
        assert not [each for each in clients if each.is_alive()]
        assert not refused
        assert not set(before) & set(pids_of(ex))
        assert {status for _, status in acknowledged.values()} == {"Succeeded"}
        listed = {execution.id: execution for execution in ex.list("three", limit=1_000_000)}
        assert listed.keys() == acknowledged.keys(), "each start is one execution, and each execution was started"
        for id, execution in listed.items():
            assert execution.output == acknowledged[id][0]
        events = [execution.history() for execution in list(listed.values())[:200]]
    for history in events:
        assert [event["id"] for event in history] == list(range(1, len(history) + 1))
        assert sum(event["type"] == "ExecutionSucceeded" for event in history) == 1
    assert len(tries) == 3 * len(listed), "an attempt keeps its task's id"


def _id_of(workflow: str, name: str) -> str:
    return f"/default/default/e{_core.hash7(f'{workflow}/{name}')}/{'0' * 16}"


def test_the_others_go_on_while_one_is_down(tmp_path: Path) -> None:
    with Executor(tmp_path / "data", handlers={"work": work}, partitions=2) as ex:
        host = ex.client.host
        assert isinstance(host, MultiProcessHost)
        ex.deploy("work", WORK)
        ex.deploy("long", LONG)
        started = [ex.start("long") for _ in range(10)]
        down = next(each for each in started if host.places.of_execution(each.id) == 1)
        os.kill(pids_of(ex)[1], signal.SIGSTOP)  # slow, not dead: what is asked of it waits
        try:
            names = [f"name-{number}" for number in range(40)]
            reachable = [name for name in names if host.places.of_execution(_id_of("work", name)) == 0]
            answered = [ex.start("work", 1, name).wait(60).output for name in reachable]
        finally:
            os.kill(pids_of(ex)[1], signal.SIGCONT)
        assert answered == [{"done": 1}] * len(reachable)
        assert 0 < len(reachable) < 40
        assert down.status == "Running"


def test_a_wait_survives_the_process_and_so_does_a_handler_s_work(tmp_path: Path) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()
    calls: list[str] = []

    def slow(value: Any, context: HandlerContext) -> Any:
        calls.append(context.task_id)
        begun.release()
        assert go_on.wait(60)
        return value

    with Executor(tmp_path / "data", handlers={"slow": slow}, partitions=2) as ex:
        ex.deploy("slow", machine({"Slow": task(resource="slow")}))
        executions = [ex.start("slow", number) for number in range(6)]
        for _ in executions:
            assert begun.acquire(timeout=20)
        before = pids_of(ex)
        outputs: list[Any] = []
        waits = [threading.Thread(target=lambda each=each: outputs.append(each.wait(60).output)) for each in executions]
        for wait in waits:
            wait.start()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not set(before) & set(pids_of(ex)))
        go_on.set()  # their results come while nobody is there yet to take them
        for wait in waits:
            wait.join(30)
        assert sorted(outputs) == list(range(6))
        assert not set(before) & set(pids_of(ex))
    assert len(calls) == len(set(calls)) == 6, "what handlers were at was not begun again"


def test_a_partition_that_cannot_be_opened_says_why_and_works_once_it_can(tmp_path: Path) -> None:
    with Executor(tmp_path / "data", partitions=2) as ex:
        host = ex.client.host
        assert isinstance(host, MultiProcessHost)
        ex.deploy("long", LONG)
        ids = [ex.start("long").id for _ in range(10)]
        in_first = next(id for id in ids if host.places.of_execution(id) == 0)
        in_second = next(id for id in ids if host.places.of_execution(id) == 1)
        folder, aside = tmp_path / "data" / "p1", tmp_path / "aside"
        folder.rename(aside)
        folder.write_text("not a folder")
        os.kill(pids_of(ex)[1], signal.SIGKILL)
        until(lambda: raises(StorageError, lambda: ex.get(in_second)))
        assert ex.get(in_first).status == "Running"
        folder.unlink()
        aside.rename(folder)
        until(lambda: not raises(StorageError, lambda: ex.get(in_second)))
        assert ex.get(in_second).status == "Running"


def test_what_cannot_be_opened_at_first_is_refused_and_leaves_no_process(tmp_path: Path) -> None:
    Executor(tmp_path / "data", partitions=2).close()
    before = _children()
    segment = next((tmp_path / "data" / "p1" / "log").glob("*.log"))
    segment.write_bytes(b"x" * 100)
    with pytest.raises(StorageError):
        Executor(tmp_path / "data", partitions=2)
    assert _children() == before


def _children() -> list[str]:
    found = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "pid=,args="], capture_output=True, text=True, check=False
    )
    return {line for line in found.stdout.splitlines() if "processes.process" in line}


PROGRAM = """
    import os, sys, threading
    from stepwell import Executor
    ex = Executor(sys.argv[1], handlers={"work": lambda value: value}, partitions=2)
    ex.deploy("w", {"StartAt": "A", "States": {
        "A": {"Type": "Task", "Resource": "work", "Next": "B"},
        "B": {"Type": "Task", "Resource": "work", "End": True}}})
    def client(number):
        while True:
            execution = ex.start("w", number)
            os.write(1, f"{execution.id} {number}\\n".encode())
            if number % 2:
                execution.wait()
                os.write(1, f"{execution.id} done\\n".encode())
            number += 100
    for number in range(16):
        threading.Thread(target=client, args=(number,)).start()
"""


@pytest.mark.parametrize("seconds", [1.0, 1.3, 1.7])
def test_a_program_that_is_killed_loses_nothing_that_it_was_told(tmp_path: Path, seconds: float) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path / "data")]
    with (tmp_path / "journal").open("wb") as journal:
        program = subprocess.Popen(command, stdout=journal)
        try:
            until(lambda: (tmp_path / "journal").stat().st_size > 0)
            time.sleep(seconds)
        finally:
            program.kill()
            program.wait()
    lines = (tmp_path / "journal").read_text().rpartition("\n")[0].splitlines()
    started = {id: int(number) for id, number in (line.split() for line in lines) if number != "done"}
    ended = {line.split()[0] for line in lines if line.endswith("done")}
    assert len(started) > 20
    with Executor(tmp_path / "data", handlers={"work": lambda value: value}, partitions=2) as ex:
        for id in ended:
            assert ex.get(id).status == "Succeeded"
        for id, number in started.items():
            assert ex.get(id).wait(60).output == number
        listed = ex.list("w", limit=1_000_000)
        assert {execution.id for execution in listed} >= started.keys()
        assert len(listed) <= len(started) + 16, "no start was done that nobody asked for"
        assert len({execution.id for execution in listed}) == len(listed)


def test_processes_end_when_their_program_is_gone(tmp_path: Path) -> None:
    program = """
        import os, sys
        from stepwell import Executor
        ex = Executor(sys.argv[1], partitions=2)
        print(*[partition.pid for partition in ex.client.host.partitions], flush=True)
        os.kill(os.getpid(), 9)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "data")]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    pids = [int(pid) for pid in finished.stdout.split()]
    assert len(pids) == 2
    until(lambda: not any(is_alive(pid) for pid in pids))
