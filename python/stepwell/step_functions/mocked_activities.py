"""Activities of mocked states: a thread for each activity takes their tasks, as a worker would, and answers them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable
from typing import Any

from stepwell.asl.json import dumps, loads
from stepwell.asl.states import TaskState
from stepwell.engine.client import commands
from stepwell.engine.client.activity_polls import LOOK_SECONDS
from stepwell.engine.client.client import Client
from stepwell.engine.host.host import MOCKED
from stepwell.engine.ids import mock_case_of
from stepwell.engine.log.document import Document
from stepwell.engine.status import ACTIVE
from stepwell.engine.storage.contexts import ActivityContext, ExecutionContext, TaskContext
from stepwell.errors import Busy, Closed, InvalidInput, StorageError, TaskDoesNotExist, TaskError
from stepwell.tasks.calls import Call

WORKER = "mock"

States = Callable[[str, str, str], Container[str]]
"""The mocked states of an execution, by its id, workflow and test case. Raises ``InvalidInput`` for no such case."""


class MockedActivities:
    """The activities that mocked states of deployed workflows use."""

    def __init__(self, client: Client, states: States, respond: Callable[[Call, Any], Any]) -> None:
        self._client, self._states, self._respond = client, states, respond
        self._lock = threading.Lock()
        self._watched: set[str] = set()
        client.polls.is_mocked = lambda task: self._call(task) is not None

    def watch(self, workflows: Iterable[str]) -> None:
        """Answer the tasks of the activities of these workflows, those that are deployed."""
        for name in workflows:
            workflow = self._client.host.workflows.latest(name)
            if workflow is None:
                continue
            for state in workflow.machine.by_name.values():
                if isinstance(state, TaskState) and state.parsed.kind == "activity":
                    self._begin(state.resource)

    def _begin(self, queue: str) -> None:
        with self._lock:
            if queue in self._watched:
                return
            self._watched.add(queue)
        threading.Thread(target=self._work, args=(queue,), name="stepwell-mock", daemon=True).start()

    def _work(self, queue: str) -> None:
        """Answer the tasks of one activity until the engine is closed."""
        polls = self._client.polls
        try:
            for task in self._client.queries.open_tasks(None, None, queue, None):
                if task.status == ACTIVE:  # it was taken by the process before
                    self._do(task)
            while True:
                task = polls.claim(MOCKED + queue)
                if task is None:
                    polls.wait(MOCKED + queue, LOOK_SECONDS)
                else:
                    self._take(task)
        except (Closed, StorageError):
            return

    def _take(self, task: TaskContext) -> None:
        try:
            self._client.ask(commands.activate(task, WORKER))
        except (TaskDoesNotExist, Busy):  # it was canceled, or timed out; or it stays in the queue
            return
        finally:
            self._client.polls.release(task)
        self._do(task)

    def _do(self, task: TaskContext) -> None:
        call = self._call(task)
        if call is None:
            return
        limits = self._client.limits
        try:
            result = self._respond(call, loads(task.input))
            request = commands.complete_task_with(limits, lambda: task, Document(dumps(result)))
        except TaskError as error:
            request = commands.fail_task(limits, lambda: task, error.error, error.cause)
        try:
            self._client.ask(request)
        except TaskDoesNotExist:  # it was canceled, or timed out
            return

    def _call(self, task: TaskContext) -> Call | None:
        """The task as a call, if its state is mocked."""
        storage = self._client.host.storage
        activity = storage.get(ActivityContext, task.activity_id)
        execution = storage.get(ExecutionContext, task.activity_id.rpartition("/")[0])
        if activity is None or execution is None:
            return None
        case = mock_case_of(execution.qualifier)
        workflow = execution.workflow_id.partition("/")[0].rpartition(":")[0]
        if not case or not self._is_mocked(execution.id, workflow, case, activity.state_name):
            return None
        return Call(
            task.id,
            execution.id,
            activity.state_name,
            task.resource,
            task.input,
            task.attempt,
            task.token,
            task.timeout_due,
            state_machine_arn=f":stateMachine:{workflow}",
            test_case=case,
        )

    def _is_mocked(self, execution_id: str, workflow: str, case: str, state: str) -> bool:
        try:
            return state in self._states(execution_id, workflow, case)
        except InvalidInput:  # it is not in the file any more; the answer says so
            return True
