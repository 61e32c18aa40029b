"""One execution on a virtual clock, with scripted answers for its tasks."""

from __future__ import annotations

from typing import Any

import msgspec

from stepwell import _core
from stepwell.asl.definition import compile_definition
from stepwell.asl.json import dumps, loads
from stepwell.asl.machine import StateMachine
from stepwell.asl.resources import Resource, parse_resource
from stepwell.asl.validate import MAX_CHARACTERS
from stepwell.engine.client.history import HistoryReader
from stepwell.engine.limits import AWS, limits_of
from stepwell.engine.log import records as r
from stepwell.engine.log.document import NONE, Document, of_value
from stepwell.engine.partition.partition import Partition
from stepwell.engine.processors.tasks import TIMEOUT
from stepwell.engine.state.map_run import READ_ITEMS, WRITE_RESULTS
from stepwell.engine.status import ENDED
from stepwell.engine.storage.contexts import ExecutionContext
from stepwell.errors import InvalidInput, StepwellError, TaskError
from stepwell.tasks.dispatch import LAMBDA_STATUS, Call

from .answers import check_answer, check_script, result_of
from .mocks import MockedCase, UnscriptedTask
from .virtual import VirtualClock

Script = list[dict[str, Any]]


class ScriptedTasks:
    """Answers tasks by a script: each takes the first unused answer whose resource fits.

    A script that comes from a history has no answers for the child executions of a Distributed Map state, which have
    histories of their own: their tasks return their input if no answer is left.
    """

    def __init__(self, script: Script, mocks: MockedCase | None = None) -> None:
        self.root = ""
        """The execution that the script belongs to."""
        self._mocks = mocks
        check_script(script)
        self._left = [(f"tasks[{index}].output", answer) for index, answer in enumerate(script)]
        self.answers: list[tuple[r.Command, Document]] = []
        self.late: dict[str, dict[str, Any]] = {}
        self.failure: StepwellError | None = None

    def check(self, machine: StateMachine) -> None:
        """Raise ``InvalidInput`` for a mocked state for which ``machine`` needs no answer."""
        if self._mocks is not None:
            self._mocks.check(machine)

    def dispatch(self, tasks: list[Call]) -> None:
        """Answer tasks for handlers."""
        for task in tasks:
            arguments = loads(task.input)
            if self.mock(task.id, task.resource, task.state_name, arguments):
                continue
            echoes = task.execution_id != self.root and task.resource not in (READ_ITEMS, WRITE_RESULTS)
            if echoes and not self._has(task.resource):
                self._left.append(("the task's own input", _echo(task.resource, arguments)))
            self.take(task.id, task.resource, task.state_name, arguments)

    def mock(self, task_id: str, resource_text: str, state_name: str, arguments: Any) -> bool:
        """Answer one task from the mock file, if its state is mocked."""
        if self._mocks is None or state_name not in self._mocks:
            return False
        try:
            place, value = self._mocks.respond_at(state_name)
            check_answer(place, state_name, resource_text, arguments, value)
            output = of_value(result_of(resource_text, value))
        except TaskError as error:
            failed = r.FailTaskCommand(task_id, resource_text, error.error, error.cause, False, 0, 0)
            self.answers.append((failed, NONE))
        except (UnscriptedTask, InvalidInput) as error:
            self.failure = error
        else:
            if parse_resource(resource_text).pattern:
                self.answers.append((r.SubmitTaskCommand(task_id, resource_text, None, 0, 0), output))
            self.answers.append((r.CompleteTaskCommand(task_id, resource_text, None, 0, 0), output))
        return True

    def _has(self, resource_text: str) -> bool:
        resource = parse_resource(resource_text)
        return any(_answers(answer, resource) for _, answer in self._left)

    def queued(self, queue: str) -> None:
        """Does nothing: the run polls the tasks of activities itself."""

    def take(self, task_id: str, resource_text: str, state_name: str, arguments: Any) -> dict[str, Any] | None:
        """Answer one task."""
        place, answer = self._find(parse_resource(resource_text)) or ("", None)
        if answer is None:
            self.failure = UnscriptedTask(f"no answer is left for a task of {resource_text} with {arguments!r}")
            return None
        if "submitted" in answer:
            self.answers.append(
                (r.SubmitTaskCommand(task_id, resource_text, None, 0, 0), _document(answer["submitted"]))
            )
        outcome = answer["outcome"]
        if outcome == "succeeded":
            try:
                check_answer(place, state_name, resource_text, arguments, answer.get("output"))
            except InvalidInput as error:
                self.failure = error
                return None
            command: r.Command = r.CompleteTaskCommand(task_id, resource_text, None, 0, 0)
            self.answers.append((command, _document(answer.get("output"))))
        elif outcome == "failed":
            command = r.FailTaskCommand(
                task_id, resource_text, answer.get("error"), _text(answer.get("cause")), False, 0, 0
            )
            self.answers.append((command, NONE))
        else:  # it times out: by its own timer, or by the script if it has no time limit
            self.late[task_id] = answer
        return answer

    def _find(self, resource: Resource) -> tuple[str, dict[str, Any]] | None:
        for index, (_, answer) in enumerate(self._left):
            if _answers(answer, resource):
                return self._left.pop(index)
        return None


def _echo(resource_text: str, arguments: Any) -> dict[str, Any]:
    resource = parse_resource(resource_text)
    if resource.kind != "integration":
        return {"outcome": "succeeded", "output": arguments}
    if resource.invokes_function:
        arguments = {**LAMBDA_STATUS, "Payload": arguments.get("Payload", {})}
    kind, action = resource.history_type, resource.history_resource
    return {"resourceType": kind, "resource": action, "outcome": "succeeded", "output": arguments}


def _answers(answer: dict[str, Any], resource: Resource) -> bool:
    kind = answer.get("resourceType")
    if resource.kind == "integration":
        return kind == resource.history_type and answer["resource"] == resource.history_resource
    if resource.kind == "activity":
        return kind == "activity"
    return kind is None


def _document(value: Any) -> Document:
    """An answer as its caller would write it: numbers keep their form."""
    return Document(msgspec.json.encode(value))


def _text(cause: Any) -> str | None:
    """A cause as text: recordings hold a JSON text as its value."""
    if cause is None or isinstance(cause, str):
        return cause
    return dumps(cause).decode()


def scripted_run(
    definition: dict[str, Any] | str,
    input: Any,
    tasks: Script = [],  # noqa: B006 - it is copied
    *,
    type: str = "STANDARD",
    profile: str = "aws",
    mocks: MockedCase | None = None,
) -> dict[str, Any]:
    """Run a definition to its end, on a virtual clock and in memory.

    ``tasks`` are the answers of external calls, each ``{"resource", "resourceType"?, "outcome":
    "succeeded" | "failed" | "timedout", "output"?, "error"?, "cause"?, "submitted"?}``. Returns
    ``{"status", "output"?, "error"?, "cause"?, "events"}`` with AWS's names. Raises ``InvalidDefinition`` for a
    definition that AWS refuses, ``UnscriptedTask`` if a task has no answer, and ``InvalidInput`` for an answer that its
    task cannot return. AWS's quotas apply, unless ``profile`` is "default". ``mocks`` is a case of a mock file of Step
    Functions Local (``MockFile``), which answers its states.
    """
    clock, script = VirtualClock(), ScriptedTasks(tasks, mocks)
    with _core.Store.open(None) as store:
        partition = Partition(store, clock, script, limits_of(profile, None), seed=0)
        return ScriptedRun(partition, clock, script).run(definition, input, type, profile)


class ScriptedRun:
    """A partition without a thread, whose tasks a script answers: ``run`` processes it step by step."""

    def __init__(self, partition: Partition, clock: VirtualClock, script: ScriptedTasks) -> None:
        self._partition, self._clock, self._script = partition, clock, script

    def run(self, definition: dict[str, Any] | str, input: Any, type: str, profile: str) -> dict[str, Any]:
        partition = self._partition
        text = definition.encode() if isinstance(definition, str) else dumps(definition)
        if profile == AWS:
            machine = compile_definition(definition, type=type, local_resources=False, max_characters=MAX_CHARACTERS)
        else:
            machine = compile_definition(definition, type=type)
        self._script.check(machine)
        partition.submit(r.PutWorkflowCommand("StateMachine", 1, text, type))
        self._script.root = id = _core.execution_id(
            "default", "default", _core.hash7("scripted"), self._clock.now() // 1_000_000 << 32
        )
        # As on AWS, only a caller that waits gets an EXPRESS execution's output; this one waits.
        start = r.StartExecutionCommand(id, "StateMachine:1", None, "scripted", type, synchronous=type == "EXPRESS")
        partition.submit(start, Document(msgspec.json.encode(input)))
        while True:
            self._process_until_idle()
            if self._script.failure is not None:
                raise self._script.failure
            execution = partition.storage.get(ExecutionContext, id)
            assert execution is not None
            if execution.status in ENDED:
                return self._answer(execution)
            if not self._advance_clock():
                raise StepwellError(f"the execution cannot continue: it is {execution.status}, and nothing is due")

    def _process_until_idle(self) -> None:
        partition, store = self._partition, self._partition.store
        while True:
            progressed = partition.step()
            store.wait_applied(store.tail(), None)
            partition.release(store.applied())
            self._poll_activities()
            if self._script.answers:
                answers, self._script.answers = self._script.answers, []
                partition.answer(answers)
            elif not progressed and partition.idle:
                return

    def _poll_activities(self) -> None:
        for execution in list(self._partition.state.executions.values()):
            for task in list(execution.tasks.values()):
                if task.queue and task.status == "Created" and task.id not in self._script.late:
                    state_name = execution.activities[task.activity_id].state.name
                    asked = (task.id, task.resource, state_name, loads(task.input))
                    if self._script.mock(*asked) or self._script.take(*asked) is not None:
                        command = r.ActivateTaskCommand(task.id, task.resource, "worker", 0, 0, 0)
                        self._script.answers.insert(0, (command, NONE))

    def _advance_clock(self) -> bool:
        due = self._partition.state.timers.next_due()
        live = self._partition.state.executions.values()
        is_the_last = all(due == execution.context.timeout_due for execution in live)
        if (due is None or is_the_last) and self._time_out_a_task():
            return True
        if due is not None:
            self._clock.advance_to(due)
        return due is not None

    def _time_out_a_task(self) -> bool:
        """Time out a task that has no time limit of its own, if the script says so."""
        owners = self._partition.state.task_owners
        for task_id in [id for id in self._script.late if id in owners]:
            task = self._partition.state.executions[owners[task_id]].tasks[task_id]
            if task.timeout_due or task.heartbeat_due:
                continue
            answer = self._script.late.pop(task_id)
            command = r.FailTaskCommand(task_id, task.resource, answer.get("error", TIMEOUT), None, True, 0, 0)
            self._partition.answer([(command, NONE)])
            return True
        return False

    def _answer(self, execution: ExecutionContext) -> dict[str, Any]:
        answer: dict[str, Any] = {"status": _STATUSES[execution.status]}
        if execution.timed_out:
            answer["status"] = "TIMED_OUT"
        if execution.output:
            answer["output"] = loads(execution.output)
        if execution.error is not None:
            answer["error"] = execution.error
        if execution.cause is not None:
            answer["cause"] = execution.cause
        machine = self._partition.state.workflows.get(execution.workflow_id).machine
        turns = self._partition.storage.history(execution.id, limit=1_000_000)
        answer["events"] = list(HistoryReader(machine).events(turns))
        return answer


_STATUSES = {"Succeeded": "SUCCEEDED", "Failed": "FAILED", "Canceled": "ABORTED"}
