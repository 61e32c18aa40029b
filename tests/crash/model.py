"""What must hold for executions, whatever happens to their process: a model outside of it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from stepwell import Execution, Executor

EVENTS = Counter(
    ["ExecutionStarted", "WaitStateEntered", "WaitStateExited", "PassStateEntered", "PassStateExited"]
    + ["ParallelStateEntered", "ParallelStateStarted", "ParallelStateSucceeded", "ParallelStateExited"]
    + ["TaskStateEntered", "LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"] * 2
    + ["TaskStateExited", "TaskStateExited", "ExecutionSucceeded"]
)
"""The history of an execution, from any reader."""


class Model:
    """What was confirmed."""

    def __init__(self) -> None:
        self.started: dict[str, int] = {}
        self.ended: dict[str, str] = {}
        self.errors: list[tuple[str, str]] = []

    def add_lines(self, lines: list[list[str]]) -> None:
        """Add what a leader reported."""
        for kind, *words in lines:
            if kind == "STARTED":
                self.started[words[0]] = int(words[1])
            elif kind == "ENDED":
                self.ended[words[0]] = words[1]
            elif kind == "ERROR":
                self.errors.append((words[0], words[1]))

    def check(self, executor: Executor, timeout: float = 60.0) -> int:
        """Let all executions end, and compare them with the model; returns how many there are."""
        executions = executor.list(limit=1_000_000)
        for execution in executions:
            execution.wait(timeout)
        found = {execution.id: execution for execution in executions}
        lost = [id for id in self.started if id not in found]
        assert not lost, f"{len(lost)} confirmed starts of {len(self.started)} are lost, {lost[0]} among them"
        names = Counter(execution.name for execution in executions)
        assert not [name for name, count in names.items() if count > 1], "a name was used for two executions"
        for id, output in self.ended.items():
            assert found[id].context().output.decode() == output, f"the result of {id} changed"
        for execution in executions:
            check_history(execution)
        self.ended = {id: execution.context().output.decode() for id, execution in found.items()}
        self.started = {id: int(execution.name[1:]) for id, execution in found.items()}
        return len(executions)


def check_history(execution: Execution) -> None:
    """Each part of ``crash.leader.MACHINE`` occurs once, the history has no gap, no timer is early."""
    assert execution.status == "Succeeded", (execution.id, execution.context())
    events = execution.history()
    assert [event["id"] for event in events] == list(range(1, len(events) + 1)), execution.id
    assert Counter(event["type"] for event in events) == EVENTS, execution.id
    assert events[-1]["type"] == "ExecutionSucceeded"
    woke = next(event["timestamp"] for event in events if event["type"] == "WaitStateExited")
    until = datetime.fromisoformat(execution.input["until"]).timestamp()
    assert woke >= until, f"a timer of {execution.id} fired {until - woke} s early"
