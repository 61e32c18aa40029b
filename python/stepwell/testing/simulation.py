"""A partition on a virtual clock, processed step by step: it can be stopped at any record and recovered."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from stepwell import _core
from stepwell.asl.json import dumps, loads
from stepwell.engine.client.history import HistoryReader
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.log.codec import decode_turn
from stepwell.engine.log.document import NONE, Document, of_value
from stepwell.engine.partition.partition import Partition
from stepwell.engine.state.turn import Reply
from stepwell.engine.status import ENDED
from stepwell.engine.storage.contexts import ExecutionContext, TaskContext, WorkflowContext, is_held
from stepwell.errors import StepwellError, TaskError
from stepwell.tasks.dispatch import Call

from .virtual import VirtualClock

HANGS: Final = object()
"""Returned by a worker for a task that it never answers."""

Worker = Callable[[TaskContext, str, Any], Any]
"""``worker(task, state_name, input)``: the output, ``HANGS``, or a ``TaskError``. It depends on its arguments alone."""

_TOKEN = re.compile(r'(\\?"token\\?":\\?")[^"\\]*')


class Stuck(StepwellError):
    """Executions cannot continue: there is no task, timer or command for them."""


class Simulation:
    """One partition. Whenever nothing else is to do, the oldest task is answered."""

    def __init__(
        self,
        worker: Worker,
        *,
        store: _core.Store | None = None,
        clock: VirtualClock | None = None,
        limits: Limits | None = None,
        most_steps: int = 100_000,
    ) -> None:
        self.store = store or _core.Store.open(None)
        self.clock = clock or VirtualClock()
        self._worker, self._steps_left = worker, most_steps
        self.dispatched: set[str] = set()
        """The ids of the tasks that were dispatched to handlers."""
        self._hanging: set[str] = set()
        self.partition = Partition(self.store, self.clock, self, limits, seed=0)
        self.partition.recover()
        self.dispatch(self.partition.open_calls())

    # called by the partition

    def dispatch(self, tasks: list[Call]) -> None:
        """Record tasks for handlers, which must be durable."""
        for task in tasks:
            if self.store.get(5, task.id) is None and task.id not in self.dispatched:
                raise AssertionError(f"task {task.id} was dispatched before it was durable")
        self.dispatched.update(task.id for task in tasks)

    def queued(self, queue: str) -> None:
        """Does nothing: tasks of activities are found in storage."""

    # called by a program

    def deploy(self, name: str, definition: dict[str, Any] | bytes, type: str = "STANDARD") -> None:
        """Store a definition as version 1, unless there is one."""
        text = definition if isinstance(definition, bytes) else dumps(definition)
        if self.partition.storage.get(WorkflowContext, name, 1) is None:
            self.partition.submit(r.PutWorkflowCommand(name, 1, text, type))
            self.settle()

    def start(self, workflow: str, input: Any, number: int = 1, reply: Reply | None = None, **options: Any) -> str:
        """Put a start into the inbox; ``number`` makes the execution's name unique."""
        tick = (1_700_000_000 << 32) + number
        id = _core.execution_id("default", "default", _core.hash7(workflow), tick)
        command = r.StartExecutionCommand(id, f"{workflow}:1", None, f"n{number}", **options)
        self.partition.submit(command, of_value(input), reply)
        return id

    # time

    def step(self) -> bool:
        """Process one batch, make it durable and run its effects. Returns whether there was one."""
        self._steps_left -= 1
        if self._steps_left < 0:
            raise Stuck("the partition needs far more batches than it should")
        worked = self.partition.step()
        self.store.wait_applied(self.store.tail(), None)
        self.partition.release(self.store.applied())
        return worked

    def settle(self) -> None:
        """Process batches until only tasks and timers are left."""
        while self.step() or not self.partition.idle:
            pass

    def run(self) -> None:
        """Process, answer tasks and advance the clock, until every execution has ended."""
        while True:
            self.settle()
            if self.answer_a_task():
                continue
            due = self.partition.state.timers.next_due()
            if due is None:
                break
            self.clock.advance_to(due)
        running = [row.id for row in self.executions() if row.status not in ENDED]
        if running:
            raise Stuck(f"{len(running)} executions cannot continue, {running[0]} among them")

    def answer_a_task(self) -> bool:
        """Put the answer of the oldest open task into the inbox. Returns whether there was one to answer."""
        tasks = self.partition.storage.scan(TaskContext, limit=1_000_000)
        for task in sorted(tasks, key=lambda task: task.id[-8:]):
            is_on_its_way = task.status == "Created" and not task.queue and not self.partition.idle
            if task.id in self._hanging or is_held(task.queue) or is_on_its_way:
                continue
            answers = self._answers(task)
            if answers:
                self.partition.answer(answers)
                return True
            self._hanging.add(task.id)
        return False

    def ask_again(self) -> None:
        """Ask the worker again for the answers to tasks for which it returned ``HANGS``."""
        self._hanging.clear()

    def _answers(self, task: TaskContext) -> list[tuple[r.Command, Document]]:
        if task.queue and task.status == "Created":
            return [(r.ActivateTaskCommand(task.id, task.resource, "worker", 0, 0, 0), NONE)]
        waits_for_token = task.token is not None and not task.queue
        if not task.queue and task.id not in self.dispatched and task.status != "Submitted":
            raise AssertionError(f"task {task.id} is {task.status}, yet no handler got it")
        state_name = self._state_of(task)
        try:
            output = self._worker(task, state_name, loads(task.input))
        except TaskError as error:
            return [(r.FailTaskCommand(task.id, task.resource, error.error, error.cause, False, 0, 0), NONE)]
        if output is HANGS:
            return []
        done = (r.CompleteTaskCommand(task.id, task.resource, None, 0, 0), of_value(output))
        if waits_for_token and task.status != "Submitted":
            return [(r.SubmitTaskCommand(task.id, task.resource, None, 0, 0), of_value({"sent": True}))]
        return [done]

    def _state_of(self, task: TaskContext) -> str:
        execution = self.partition.executions.get(task.activity_id.rpartition("/")[0])
        assert execution is not None, f"task {task.id} belongs to no execution"
        return execution.activities[task.activity_id].state.name

    # results

    def executions(self) -> list[ExecutionContext]:
        """All executions."""
        return self.partition.storage.scan(ExecutionContext, limit=1_000_000)

    def result(self, id: str) -> dict[str, Any] | None:
        """An execution's end and history, without what differs between runs: times and tokens."""
        context = self.partition.storage.get(ExecutionContext, id)
        if context is None:
            return None
        machine = self.partition.state.workflows.get(context.workflow_id).machine
        turns = self.partition.storage.history(id, limit=1_000_000)
        return {
            "status": context.status,
            "output": _TOKEN.sub(r"\1", context.output.decode()),
            "error": context.error,
            "cause": context.cause,
            "timed_out": context.timed_out,
            "events": [_timeless(event) for event in HistoryReader(machine).events(turns)],
        }

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def time_of(batch: bytes) -> int:
    """The physical time at which a batch of the log was made, in microseconds."""
    return max(decode_turn(blob).time for blob in _core.split_turns(batch))


def _timeless(event: dict[str, Any]) -> dict[str, Any]:
    return {key: loads(_TOKEN.sub(r"\1", dumps(value).decode())) for key, value in event.items() if key != "timestamp"}
