"""Support for tests of the engine: short machines, and one execution on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.engine.log import records as r
from stepwell.engine.log.document import NONE, Document, of_value
from stepwell.engine.replay.redrive import redrive_command
from stepwell.engine.storage.contexts import ExecutionContext, TaskContext
from stepwell.errors import TaskError
from stepwell.testing.replay import differences, rebuilt
from stepwell.testing.simulation import HANGS, Simulation

Definition = dict[str, Any]
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:polled"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:work"
INVOKE = "arn:aws:states:::lambda:invoke"
SECOND = 1_000_000


def task(next: str | None = None, resource: str = LAMBDA, **fields: Any) -> Definition:
    """A Task state."""
    return {"Type": "Task", "Resource": resource, **fields, **_way(next)}


def passing(next: str | None = None, **fields: Any) -> Definition:
    """A Pass state."""
    return {"Type": "Pass", **fields, **_way(next)}


def parallel(*branches: Definition, next: str | None = None, **fields: Any) -> Definition:
    """A Parallel state."""
    return {"Type": "Parallel", "Branches": list(branches), **fields, **_way(next)}


def map_over(processor: Definition, next: str | None = None, **fields: Any) -> Definition:
    """An inline Map state."""
    return {"Type": "Map", "ItemProcessor": processor, **fields, **_way(next)}


def machine(states: dict[str, Definition], **fields: Any) -> Definition:
    """A machine that begins with the first of its states."""
    return {"StartAt": next(iter(states)), "States": states, **fields}


def retry(*errors: str, **fields: Any) -> Definition:
    """An entry of Retry."""
    return {"ErrorEquals": list(errors), **fields}


def catch(*errors: str, next: str = "Caught", **fields: Any) -> Definition:
    """An entry of Catch."""
    return {"ErrorEquals": list(errors), "Next": next, **fields}


def _way(next: str | None) -> Definition:
    return {"End": True} if next is None else {"Next": next}


class Lab(Simulation):
    """One execution. ``answers`` has the result of each state's task: a value or an error; a list is used item by item.

    The last item of a list is used for all further attempts. A function gets the task's input.
    """

    polls = True
    """Whether workers poll for the tasks of activities."""

    def __init__(self, answers: dict[str, Any] | None = None, **options: Any) -> None:
        self.answers = {
            state: list(each) if isinstance(each, list) else [each] for state, each in (answers or {}).items()
        }
        self.calls: list[tuple[str, float]] = []
        """State, and seconds since the start, of every attempt."""
        self.inputs: list[Any] = []
        self.id = ""
        super().__init__(self._work, **options)
        self.began = self.clock.now()

    def _work(self, task: TaskContext, state: str, input: Any) -> Any:
        key = (task.id, task.status == "Submitted")
        if not any(call == key for call in self._seen):
            self._seen.append(key)
            self.calls.append((state, (self.clock.now() - self.began) / SECOND))
            self.inputs.append(input)
        left = self.answers.get(state, [{}])
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer(input) if isinstance(answer, Callable) else answer  # type: ignore[arg-type]

    def _answers(self, task: TaskContext) -> list[tuple[r.Command, Document]]:
        return [] if task.queue and task.status == "Created" and not self.polls else super()._answers(task)

    @property
    def _seen(self) -> list[tuple[str, bool]]:
        return self.__dict__.setdefault("_seen_calls", [])

    def begin(self, definition: Definition, input: Any = None, type: str = "STANDARD") -> Lab:
        """Start the execution, and process until it has to wait."""
        self.deploy("w", definition, type)
        self.id = self.start("w", {} if input is None else input, type=type)
        self.settle()
        return self

    def finish(self, definition: Definition | None = None, input: Any = None, type: str = "STANDARD") -> Lab:
        """Start the execution, unless it was started, and process until it has ended."""
        if definition is not None:
            self.begin(definition, input, type)
        self.run()
        return self

    def redrive(self, problem: Callable[[ExecutionContext], str | None] = lambda child: None) -> list[Any]:
        """Ask for a redrive; return the answer. ``problem`` says which children of map runs cannot be redriven."""
        storage, context = self.partition.storage, self.context
        command = redrive_command(storage, self.partition.state.workflows.get(context.workflow_id), context, problem)
        answers: list[Any] = []
        self.partition.submit(command, reply=lambda *answer: answers.append(answer))
        self.settle()
        return answers

    def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """Stop the execution."""
        self.partition.submit(r.CancelExecutionCommand(self.id, error, cause))
        self.settle()

    def wait(self, seconds: float) -> None:
        """Advance the clock."""
        until = self.clock.now() + round(seconds * SECOND)
        while (due := self.partition.state.timers.next_due()) is not None and due <= until:
            self.clock.advance_to(due)
            self.settle()
        self.clock.advance_to(until)

    @property
    def times(self) -> list[float]:
        """When the attempts started, in seconds since the start."""
        return [seconds for _, seconds in self.calls]

    # results

    @property
    def context(self) -> ExecutionContext:
        """The execution's row."""
        context = self.partition.storage.get(ExecutionContext, self.id)
        assert context is not None
        return context

    @property
    def outcome(self) -> tuple[str, Any]:
        """The status, and the output or the error's name."""
        context = self.context
        from stepwell.asl.json import loads

        return context.status, loads(context.output) if context.output else context.error

    @property
    def events(self) -> list[Definition]:
        """The history."""
        result = self.result(self.id)
        assert result is not None
        return result["events"]

    @property
    def types(self) -> list[str]:
        """The types of the history's events."""
        return [event["type"] for event in self.events]

    @property
    def path(self) -> list[str]:
        """The states entered."""
        return [event["stateEnteredEventDetails"]["name"] for event in self.events if event["type"].endswith("Entered")]

    @property
    def tasks(self) -> list[TaskContext]:
        """The open tasks."""
        return self.partition.storage.scan(TaskContext)

    def answer(self, command: r.Command, value: Any = NONE) -> list[Any]:
        """Put an answer into the inbox as a client does; return its replies."""
        answers: list[Any] = []
        self.partition.submit(
            command, value if value is NONE else of_value(value), lambda *answer: answers.append(answer)
        )
        self.settle()
        return answers

    def check(self) -> None:
        """Check that the history has no gaps and that replay gives the same storage; then close the store."""
        events = self.events
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        assert all(event["previousEventId"] < event["id"] for event in events)
        again = rebuilt(self.store)
        assert differences(self.store, again) == []
        again.close()
        self.close()


def boom(error: str = "Boom", cause: str | None = None) -> TaskError:
    """A failure."""
    return TaskError(error, cause)


__all__ = ["HANGS", "Lab", "boom"]
