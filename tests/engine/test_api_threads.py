"""Many threads, a full inbox, a disk that fails, a process that forks: every call gets its answer."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from engine.support import machine, passing, task
from stepwell import Busy, Closed, Executor, Limits

ECHO = machine({"Echo": passing()})


def in_threads(count: int, body: Any) -> list[BaseException]:
    """Run ``body(number)`` in threads; the exceptions that they ended with."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            body(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert not any(thread.is_alive() for thread in threads)
    return errors


def test_32_threads_use_every_call_at_once(tmp_path: Path) -> None:
    handlers = {"double": lambda number: number * 2, "fails": lambda _: 1 / 0}
    definition = machine({"A": task("B", resource="double"), "B": passing("C"), "C": task(resource="double")})

    def use(number: int) -> None:
        name = f"w{number % 4}"
        ex.deploy(name, definition)
        for round in range(10):
            value = number * 100 + round
            execution = ex.start(name, value, f"n{value}")
            assert ex.start(name, value, f"n{value}x").wait(60).output == value * 4
            assert execution.wait(60).output == value * 4
            assert ex.get(execution.id) == execution
            assert len(execution.history()) == 14
            sleeper = ex.start("sleeps", value)
            assert sleeper in ex.list("sleeps", limit=10_000)
            assert sleeper.stop("Stopped").wait(60).error == "Stopped"
            ex.delete(sleeper.id)
            assert ex.start("fails").wait(60).error == "ZeroDivisionError"

    with Executor(tmp_path, handlers=handlers) as ex:
        ex.deploy("sleeps", machine({"S": {"Type": "Wait", "Seconds": 3600, "End": True}}))
        ex.deploy("fails", machine({"F": task(resource="fails")}))
        assert in_threads(32, use) == []
        assert len(ex.list(limit=10_000)) == 32 * 10 * 3
    with Executor(tmp_path) as ex:
        assert len(ex.list(status="Succeeded", limit=10_000)) == 32 * 10 * 2


def blocked(ex: Executor) -> threading.Event:
    """Keep the partition busy until the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def block(execution: Any) -> None:
        begun.set()
        go_on.wait(60)

    ex.client.host.partition.services.on_ended = block
    ex.start("echo")
    assert begun.wait(60)
    return go_on


def test_a_full_inbox_is_busy_and_nothing_is_taken_in() -> None:
    with Executor(limits=Limits(inbox=4)) as ex:
        ex.deploy("echo", ECHO)
        go_on = blocked(ex)
        answers: list[Any] = []
        for _ in range(4):
            ex.submit_start("echo", 1, None, lambda *answer: answers.append(answer))
        with pytest.raises(Busy, match="4 commands"):
            ex.start("echo", "refused")
        before = time.monotonic()
        with pytest.raises(Busy):
            ex.start("echo", "refused", timeout=0.1)
        assert time.monotonic() - before >= 0.1
        threading.Timer(0.2, go_on.set).start()
        assert ex.start("echo", "let in", timeout=20).wait(60).output == "let in"
        assert [error for _, error in answers] == [None] * 4
        assert sorted(str(execution.input) for execution in ex.list()) == ["1", "1", "1", "1", "let in", "{}"]


def test_submitted_starts_are_answered_once_they_are_durable() -> None:
    with Executor() as ex:
        ex.deploy("echo", ECHO)
        answers: list[Any] = []
        done = threading.Event()
        for number in range(100):
            ex.submit_start("echo", number, f"n{number % 50}", lambda *answer: answers.append(answer))
        ex.submit_start("echo", 0, None, lambda *answer: done.set())
        assert done.wait(60)
        ids = [id for id, error in answers if error is None]
        assert len(set(ids)) == 50
        assert [type(error).__name__ for _, error in answers if error] == ["ExecutionAlreadyExists"] * (100 - len(ids))


def run_in_child(body: str, *arguments: object) -> str:
    """What a Python process prints that runs ``body``."""
    script = f"import os, sys, threading, time\nfrom stepwell import *\n{textwrap.dedent(body)}"
    finished = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


FAILING_DISK = """
    import resource
    ex = Executor(sys.argv[1])
    ex.deploy("wait", {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}})
    execution = ex.start("wait")
    ex.check()
    errors = []

    def wait(call):
        try:
            call()
        except StepwellError as error:
            errors.append(error)

    threads = [threading.Thread(target=wait, args=(call,)) for call in (execution.wait, ex.wait_execution_done)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    # From here on no file may grow: the disk is full.
    paths = [os.path.join(folder, file) for folder, _, files in os.walk(sys.argv[1]) for file in files]
    biggest = max(map(os.path.getsize, paths))
    resource.setrlimit(resource.RLIMIT_FSIZE, (biggest, resource.RLIM_INFINITY))
    starts = [threading.Thread(target=wait, args=(lambda: ex.start("wait", "x" * biggest),)) for _ in range(8)]
    for thread in starts:
        thread.start()
    for thread in threads + starts:
        thread.join(20)
        assert not thread.is_alive(), "a caller waits for ever"
    for call in (lambda: ex.start("wait"), ex.list, ex.check, lambda: execution.wait(1), lambda: ex.stop(execution.id)):
        wait(call)
    ex.close()
    print(len(errors), {type(error).__name__ for error in errors})
    print(errors[0])
"""


def test_when_the_disk_fails_every_waiter_learns_of_it(tmp_path: Path) -> None:
    lines = run_in_child(FAILING_DISK, tmp_path).splitlines()
    assert lines[0] == "15 {'PoisonedError'}"
    assert "the executor has stopped" in lines[1]
    with Executor(tmp_path) as ex:  # what was acknowledged before is there
        assert ex.list()[-1].status == "Running"


FORK = """
    ex = Executor(sys.argv[1] or None, handlers={"work": lambda input: input})
    ex.deploy("w", {"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": "work", "End": True}}})
    execution = ex.start("w", 1).wait(60)
    child = os.fork()
    if child == 0:
        errors = []
        calls = [lambda: ex.start("w"), ex.list, lambda: ex.get(execution.id), lambda: ex.deploy("v", {})]
        calls += [lambda: ex.register("work", str), lambda: ex.task("other")(str)]
        calls += [lambda: ex.on("execution_ended", print)]
        for call in calls:
            try:
                call()
            except Closed as error:
                errors.append(error)
        try:
            Executor()
        except StorageError as error:
            errors.append(error)
        ex.close()
        said = [all(word in str(error) for word in ("forked", "spawn", str(os.getppid()))) for error in errors]
        print(said.count(True), flush=True)
        sys.exit()  # and so lets go of all that it has a copy of
    assert os.waitpid(child, 0)[1] == 0
    print(ex.start("w", 2).wait(60).output)
    ex.close()
    print("closed")
"""


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_forked_process_gets_an_error_if_it_uses_an_executor(tmp_path: Path, in_memory: bool) -> None:
    assert run_in_child(FORK, "" if in_memory else tmp_path).split() == ["8", "2", "closed"]


NEVER_CLOSED = """
    async def work(input):
        return input
    ex = Executor(sys.argv[1], handlers={"work": work, "hangs": lambda input: time.sleep(60)})
    for name in ("work", "hangs"):
        ex.deploy(name, {"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": name, "End": True}}})
    ex.start("hangs")
    print(ex.start("work", "kept").wait(60).id)
"""


def test_a_program_that_never_closes_ends_all_the_same(tmp_path: Path) -> None:
    id = run_in_child(NEVER_CLOSED, tmp_path).strip()
    with Executor(tmp_path) as ex:
        assert ex.get(id).output == "kept"


def test_errors_of_waiting_are_each_caller_s_own() -> None:
    ex = Executor()
    ex.deploy("w", machine({"W": {"Type": "Wait", "Seconds": 3600, "End": True}}))
    execution = ex.start("w")
    threading.Timer(0.2, ex.close).start()
    errors = in_threads(4, lambda _: execution.wait())
    assert {type(error) for error in errors} == {Closed}
    assert len({id(error) for error in errors}) == 4
