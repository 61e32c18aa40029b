"""The mock file of a server: it answers tasks of executions that were started as ``<state machine's ARN>#<test case>``.

The test case is part of the execution's row, so that an execution that goes on after a restart meets no real handler.
Which response a state's next call gets is counted in memory, and taken from the history after a restart.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from functools import partial
from typing import Any

from stepwell.asl.errors import RUNTIME
from stepwell.asl.machine import StateMachine
from stepwell.engine.api.async_executor import AsyncExecutor
from stepwell.engine.client.client import Client
from stepwell.engine.ids import execution_of
from stepwell.engine.partition.events import Event
from stepwell.engine.storage.contexts import ExecutionContext
from stepwell.errors import InvalidInput, TaskError
from stepwell.tasks.calls import Answered, Call
from stepwell.tasks.handlers import Registration
from stepwell.testing.answers import check_answer, result_of
from stepwell.testing.mocks import MockedCase, MockFile, UnscriptedTask

from .mock_counts import calls_before
from .mocked_activities import MockedActivities


class _Run:
    """An execution that runs by a test case, and the responses that its tasks got."""

    def __init__(self, case: MockedCase) -> None:
        self.case = case
        self.lock = threading.Lock()
        self.responses: dict[str, tuple[str, Any] | TaskError] = {}

    def respond(self, call: Call) -> tuple[str, Any]:
        """The place and the value of a task's response: the same one, if it is asked for again."""
        with self.lock:
            if call.id not in self.responses:
                try:
                    self.responses[call.id] = self.case.respond_at(call.state_name)
                except TaskError as error:
                    self.responses[call.id] = error
            response = self.responses[call.id]
        if isinstance(response, TaskError):
            raise response
        return response


class Mocks:
    """A mock file, and the executions that run by its test cases. Raises ``InvalidInput`` for a wrong file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = MockFile(path)
        self._client = Future[Client]()  # set when the engine is open, which hands out open tasks before that
        self._activities: MockedActivities | None = None
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}

    def attach(self, executor: AsyncExecutor) -> None:
        """Work with an engine that is open now; its handlers have these mocks already."""
        self._client.set_result(executor.client)
        executor.on("execution_ended", self._forget)
        self._activities = MockedActivities(executor.client, self._states, self._respond)
        self._activities.watch(self._file.workflows())

    def reload(self) -> None:
        """Read the file again. Executions that run keep the cases that they have. Raises ``InvalidInput``."""
        self._file = MockFile(self._path)
        if self._activities is not None:
            self._activities.watch(self._file.workflows())

    # what the engine asks

    def check(self, workflow: str, machine: StateMachine, test_case: str) -> None:
        """Raise ``InvalidInput`` unless the workflow has this test case, which its definition can run."""
        self._file.case(workflow, test_case).check(machine)
        if self._activities is not None:
            self._activities.watch([workflow])

    def handler_of(self, call: Call) -> Registration | None:
        """What answers a task; None: its state is not mocked. It reads no storage: the partition's thread asks."""
        try:
            is_mocked = call.state_name in self._states(call.execution_id, _workflow(call), call.test_case)
        except InvalidInput:  # it is not in the file any more; the answer says so
            is_mocked = True
        return Registration(partial(self._answer, call)) if is_mocked else None

    # answers

    def _states(self, execution_id: str, workflow: str, test_case: str) -> MockedCase:
        """The states that are mocked: those of the case that the execution has, or of the file."""
        run = self._runs.get(execution_id)
        return self._file.case(workflow, test_case) if run is None else run.case

    def _answer(self, call: Call, value: Any) -> Answered:
        return Answered(self._respond(call, value))

    def _respond(self, call: Call, value: Any) -> Any:
        """The result of a task. Raises ``TaskError``; what is wrong with the file fails the execution."""
        try:
            place, result = self._run(call).respond(call)
            check_answer(place, call.state_name, call.resource, value, result)
        except (InvalidInput, UnscriptedTask) as error:
            raise TaskError(RUNTIME, str(error)) from error
        return result_of(call.resource, result)

    def _run(self, call: Call) -> _Run:
        client = self._client.result()
        root = _root(client, call.execution_id)
        with self._lock:
            run = self._runs.get(root)
            if run is None:
                case = self._file.case(_workflow(call), call.test_case)
                case.count_from(calls_before(client, root, case))
                run = self._runs[root] = _Run(case)
            return run

    def _forget(self, event: Event) -> None:
        with self._lock:
            self._runs.pop(event.execution_id, None)


def _root(client: Client, execution_id: str) -> str:
    """The execution itself, or that whose map run it is a child of: they count together."""
    while True:
        context = client.host.storage.get(ExecutionContext, execution_id)
        if context is None or context.parent_iteration_id is None:
            return execution_id
        execution_id = execution_of(context.parent_iteration_id)


def _workflow(call: Call) -> str:
    """The workflow of a task; of a map run's child without the label."""
    return call.state_machine_arn.rpartition(":stateMachine:")[2].partition("/")[0]
