"""The process that is killed: it opens the folder and runs executions."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stepwell.engine.api.executor import Executor
from stepwell.engine.limits import Limits
from stepwell.errors import TaskDoesNotExist, TaskError
from stepwell.tasks.context import HandlerContext

from . import journal, workflows
from .journal import Journal

MAX_RUNNING = 16
"""How many executions may run at a time."""
DRAIN_SECONDS = 60.0
LIMITS = (
    Limits(),
    Limits(log_bytes=60_000),  # many flushes and truncations in a run
    Limits(turn_records=12, live_executions=4, timers=3, tasks=4, batch_requests=8, log_bytes=200_000),
)
"""Limits for the executor; each run draws one of them."""


class Child:
    """One run of the process."""

    def __init__(self, folder: Path, seed: int, round: int) -> None:
        self._folder = folder
        self._chance = random.Random(f"{seed} {round}")
        self._round = round
        self._before = journal.read(folder / "journal")
        self._journal = Journal(folder / "journal", round)
        self._tokens: list[tuple[str, int]] = []
        handlers = {
            workflows.TENFOLD: self._tenfold,
            workflows.FLAKY: self._flaky,
            workflows.SLOW: self._slow,
            workflows.CALLBACK: self._ask,
        }
        self._executor = self._open(handlers)
        self._journal.write("opened")
        (folder / "open").write_text(str(round))

    def _open(self, handlers: dict[str, Callable[..., Any]]) -> Executor:
        limits = self._chance.choice(LIMITS)
        return Executor(self._folder / "data", handlers=handlers, max_workers=16, limits=limits)

    # handlers

    def _tenfold(self, input: dict[str, Any], context: HandlerContext) -> Any:
        self._called(context)
        time.sleep(self._chance.choice((0.0, 0.0, 0.005, 0.05)))
        return {"n": input["n"] * 10}

    def _flaky(self, input: dict[str, Any], context: HandlerContext) -> Any:
        self._called(context)
        if context.attempt < workflows.failures(input["n"]):
            raise TaskError("Flaky", f"attempt {context.attempt}")
        return {"n": input["n"] * 10}

    def _slow(self, input: dict[str, Any], context: HandlerContext) -> Any:
        self._called(context)
        time.sleep(1.5)
        return "in time"

    def _ask(self, input: dict[str, Any], context: HandlerContext) -> Any:
        self._called(context)
        message = input["MessageBody"]
        self._journal.write("token", **message)
        self._tokens.append((message["token"], message["n"]))
        return {"asked": True}

    def _called(self, context: HandlerContext) -> None:
        self._journal.write(
            "called",
            task=context.task_id,
            execution=context.execution_id,
            state=context.state_name,
            attempt=context.attempt,
        )

    # the program

    def live(self) -> None:
        """Start executions, answer tokens, stop sleepers, and record ends, until the process is killed."""
        self._resume()
        threading.Thread(target=self._answer_tokens, daemon=True).start()
        number = 0
        while True:
            for _ in range(self._chance.randrange(1, 4)):
                number += 1
                self._start(f"r{self._round}-{number}")
            while len(self._running) > MAX_RUNNING:
                self._watch()
                time.sleep(0.005)

    def drain(self) -> None:
        """Start no more executions, and wait until all have ended."""
        self._resume()
        threading.Thread(target=self._answer_tokens, daemon=True).start()
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._running and time.monotonic() < deadline:
            self._watch()
            time.sleep(0.01)
        self._executor.close()

    def _resume(self) -> None:
        for name, definition in workflows.DEFINITIONS.items():
            self._executor.deploy(name, definition)
        self._running = {
            execution.id: execution.workflow
            for status in ("Pending", "Running", "Completing", "Canceling")
            for execution in self._executor.list(status=status)
        }
        answered = {line["token"] for line in self._before if line["what"] == "answered"}
        given = ((line["token"], line["n"]) for line in self._before if line["what"] == "token")
        self._tokens += [(token, n) for token, n in given if token not in answered]

    def _start(self, name: str) -> None:
        plan = workflows.draw(self._chance)
        self._journal.write("asked", name=name, workflow=plan.workflow, input=plan.input)
        execution = self._executor.start(plan.workflow, plan.input, name, delay=plan.delay)
        self._journal.write("acknowledged", name=name, id=execution.id)
        self._running[execution.id] = plan.workflow

    def _watch(self) -> None:
        for id, workflow in list(self._running.items()):
            execution = self._executor.get(id)
            context = execution.context()
            if context.status in ("Succeeded", "Failed", "Canceled"):
                self._journal.write("ended", id=id, status=context.status, output=context.output.decode())
                del self._running[id]
            elif workflow == "sleeper" and self._chance.random() < 0.05:
                self._journal.write("stopping", id=id)
                self._executor.stop(id, "Stopped", name_of_round(self._round))
                self._journal.write("stopped", id=id)

    def _answer_tokens(self) -> None:
        while True:
            time.sleep(0.01)
            while self._tokens:
                token, n = self._tokens.pop()
                self._journal.write("answering", token=token)
                # Twice, as a worker that did not get the first reply would: at most one of them counts.
                for output in ({"approved": n}, {"approved": -1}):
                    try:
                        self._executor.send_task_success(token, output)
                        self._journal.write("answered", token=token)
                    except TaskDoesNotExist:
                        self._journal.write("refused", token=token)


def name_of_round(round: int) -> str:
    """The name of a run of the process, as the cause of what it did."""
    return f"in round {round}"
