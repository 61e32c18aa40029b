"""An execution's history in AWS's shape (GetExecutionHistory), made from its turns.

The commands of a turn carry the numbers of their history events. The events themselves are made only when they are
read. Documents are JSON text, as in AWS's answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from stepwell.asl.json import dumps, is_object, loads
from stepwell.asl.resources import Resource, parse_resource
from stepwell.engine.arns import PLACE, map_run_arn, qualified_arns
from stepwell.engine.log import records as r
from stepwell.engine.log.codec import DocumentReader, decode_turn
from stepwell.engine.log.document import Document
from stepwell.engine.state.history_events import exit_events

from .arguments import MAX_ROWS

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine

_MOST = 8
"""One command has fewer events."""
Event = dict[str, Any]
Details = dict[str, Any]
_COMPLETE = {"truncated": False}
_DATA = ("input", "output", "parameters", "assignedVariables")


class HistoryReader:
    """Makes events from turns, for executions of one definition. ``name`` is its workflow's, ``role`` its role."""

    def __init__(self, machine: StateMachine, name: str = "", role: str | None = None) -> None:
        self._machine, self.name, self.role = machine, name, role or PLACE.role
        self._resources: dict[str, Resource] = {}

    def events(self, blobs: list[bytes], first: int = 0, last: int = MAX_ROWS) -> Iterator[Event]:
        """The events of turns, in order; of those before ``first`` and behind ``last`` most are left out."""
        for blob in blobs:
            turn = decode_turn(blob)
            documents = DocumentReader()
            previous: tuple[r.Command, Document] | None = None
            for record in turn.records:
                if isinstance(record, r.Command):
                    previous = (record, documents.read(record))
                elif previous is not None and not isinstance(record, r.CommandRejectedEvent):
                    command, document = previous
                    if first - _MOST <= getattr(command, "event", 1) <= last:
                        yield from self._of_command(command, document.text.decode() or None, turn.time)
                    previous = None
                else:
                    previous = None

    def _of_command(self, command: r.Command, text: str | None, micros: int) -> Iterator[Event]:
        parts_of = _EVENT_PARTS.get(type(command))
        if parts_of is None or not getattr(command, "event", 1):
            return
        number = getattr(command, "event", 1)
        previous = getattr(command, "previous", 0)
        for type_, name, details in parts_of(self, command, text):
            event: Event = {"timestamp": micros / 1_000_000, "type": type_, "id": number, "previousEventId": previous}
            if type_ == "MapStateSucceeded" and self.is_distributed(command):
                event["previousEventId"] = number - 1  # MapRunSucceeded, which MapStateExited does not follow
            if name:
                event[name] = details
            yield event
            if not type_.endswith(("StateSucceeded", "Aborted", "MapRunSucceeded")):
                previous = number
            number += 1

    def resource(self, text: str) -> Resource:
        """A task's parsed resource."""
        resource = self._resources.get(text)
        if resource is None:
            resource = self._resources[text] = parse_resource(text)
        return resource

    def is_distributed(self, command: r.Command) -> bool:
        """Whether a command is about a distributed Map state."""
        name = getattr(command, "state_name", None)
        return name is not None and getattr(self._machine.by_name[name], "distributed", False)

    def state_type(self, name: str) -> str:
        """The type of a state of this definition."""
        return self._machine.by_name[name].type


def without_data(event: Event) -> Event:
    """An event without what the execution's states read and wrote (``includeExecutionData`` of GetExecutionHistory)."""
    return {name: _bare(value) if is_object(value) else value for name, value in event.items()}


def _bare(details: Details) -> Details:
    return {name: value for name, value in details.items() if name not in _DATA}


EventParts = Iterator[tuple[str, str, Details]]


def _output(text: str | None) -> Details:
    return {"output": text, "outputDetails": _COMPLETE}


def _failure(error: str | None, cause: str | None) -> Details:
    details: Details = {}
    if error is not None:
        details["error"] = error
    if cause is not None:
        details["cause"] = cause
    return details


def _execution_started(reader: HistoryReader, command: r.StartExecutionCommand, text: str | None) -> EventParts:
    details = {"input": text, "inputDetails": _COMPLETE, "roleArn": reader.role}
    details |= qualified_arns(reader.name, command.qualifier)
    yield "ExecutionStarted", "executionStartedEventDetails", details


def _execution_completed(reader: HistoryReader, command: r.CompleteExecutionCommand, text: str | None) -> EventParts:
    if command.status == "Succeeded":
        yield "ExecutionSucceeded", "executionSucceededEventDetails", _output(text)
    elif command.status == "Failed":
        yield "ExecutionFailed", "executionFailedEventDetails", _failure(command.error, command.cause)
    elif command.timed_out:
        # The execution itself has no error (ASL A1.3).
        yield "ExecutionTimedOut", "executionTimedOutEventDetails", _failure("States.Timeout", command.cause)
    else:
        yield "ExecutionAborted", "executionAbortedEventDetails", _failure(command.error, command.cause)


def _execution_redriven(reader: HistoryReader, command: r.RedriveExecutionCommand, text: str | None) -> EventParts:
    yield "ExecutionRedriven", "executionRedrivenEventDetails", {"redriveCount": command.count}


def _state_started(reader: HistoryReader, command: r.StartStateCommand, text: str | None) -> EventParts:
    details = {"name": command.state_name, "input": text, "inputDetails": _COMPLETE}
    yield f"{reader.state_type(command.state_name)}StateEntered", "stateEnteredEventDetails", details


def _state_completed(reader: HistoryReader, command: r.CompleteStateCommand, text: str | None) -> EventParts:
    for type_ in exit_events(reader.state_type(command.state_name), command.status, command.caught):
        if not type_.endswith("Exited"):
            yield type_, "", {}
            continue
        details: Details = {"name": command.state_name, **_output(text)}
        if command.assigned:
            variables = loads(command.assigned)
            details["assignedVariables"] = {name: dumps(value).decode() for name, value in variables.items()}
            details["assignedVariablesDetails"] = _COMPLETE
        yield type_, "stateExitedEventDetails", details


def _evaluation_failed(reader: HistoryReader, command: r.FailEvaluationCommand, text: str | None) -> EventParts:
    details = {**_failure(command.error, command.cause), "state": command.state_name}
    if command.location:  # empty: the error is of no field, such as a Map's input that is not an array
        details["location"] = command.location
    yield "EvaluationFailed", "evaluationFailedEventDetails", details


def _state_forked(reader: HistoryReader, command: r.ForkStateCommand, text: str | None) -> EventParts:
    if command.items is None:
        yield "ParallelStateStarted", "", {}
    else:
        yield "MapStateStarted", "mapStateStartedEventDetails", {"length": command.count}


def _map_run_started(reader: HistoryReader, command: r.StartMapRunCommand, text: str | None) -> EventParts:
    arn = map_run_arn(command.name, command.id)
    if command.redrive_count:
        details = {"mapRunArn": arn, "redriveCount": command.redrive_count}
        yield "MapRunRedriven", "mapRunRedrivenEventDetails", details
        return
    yield "MapStateStarted", "mapStateStartedEventDetails", {"length": command.count}
    yield "MapRunStarted", "mapRunStartedEventDetails", {"mapRunArn": arn}


def _map_run_completed(reader: HistoryReader, command: r.CompleteMapRunCommand, text: str | None) -> EventParts:
    if command.status == "Failed":
        yield "MapRunFailed", "mapRunFailedEventDetails", _failure(command.error, command.cause)
    else:
        yield "MapRunSucceeded" if command.status == "Succeeded" else "MapRunAborted", "", {}


def _iteration_started(reader: HistoryReader, command: r.StartIterationCommand, text: str | None) -> EventParts:
    yield "MapIterationStarted", "mapIterationStartedEventDetails", _place(command)


def _iteration_completed(reader: HistoryReader, command: r.CompleteIterationCommand, text: str | None) -> EventParts:
    outcome = "Aborted" if command.status == "Canceled" else command.status
    yield f"MapIteration{outcome}", f"mapIteration{outcome}EventDetails", _place(command)


def _place(command: r.StartIterationCommand | r.CompleteIterationCommand) -> Details:
    return {"name": command.state_name, "index": command.index}


def _task_created(reader: HistoryReader, command: r.CreateTaskCommand, text: str | None) -> EventParts:
    resource = reader.resource(command.resource)
    limits: Details = {}
    if command.timeout_seconds is not None:
        limits["timeoutInSeconds"] = command.timeout_seconds
    if command.heartbeat_seconds is not None:
        limits["heartbeatInSeconds"] = command.heartbeat_seconds
    credentials = {"taskCredentials": _credentials(command.credentials)} if command.credentials else {}
    if resource.kind == "integration":
        details = {**_integration(resource), "region": PLACE.region, "parameters": text, **limits, **credentials}
        yield "TaskScheduled", "taskScheduledEventDetails", details
        return
    details = {"resource": resource.text, "input": text, "inputDetails": _COMPLETE, **limits}
    if resource.kind == "activity":
        yield "ActivityScheduled", "activityScheduledEventDetails", details
    else:
        details.pop("heartbeatInSeconds", None)
        yield "LambdaFunctionScheduled", "lambdaFunctionScheduledEventDetails", {**details, **credentials}


def _credentials(text: bytes) -> Details:
    return {name[:1].lower() + name[1:]: value for name, value in loads(text).items()}


def _task_activated(reader: HistoryReader, command: r.ActivateTaskCommand, text: str | None) -> EventParts:
    resource = reader.resource(command.resource)
    if resource.kind == "integration":
        yield "TaskStarted", "taskStartedEventDetails", _integration(resource)
    elif resource.kind == "activity":
        details = {"workerName": command.worker} if command.worker is not None else {}
        yield "ActivityStarted", "activityStartedEventDetails", details
    else:
        yield "LambdaFunctionStarted", "", {}


def _task_submitted(reader: HistoryReader, command: r.SubmitTaskCommand, text: str | None) -> EventParts:
    details = {**_integration(reader.resource(command.resource)), **_output(text)}
    yield "TaskSubmitted", "taskSubmittedEventDetails", details


def _task_completed(reader: HistoryReader, command: r.CompleteTaskCommand, text: str | None) -> EventParts:
    yield _of_task(reader.resource(command.resource), "Succeeded", _output(text))


def _task_failed(reader: HistoryReader, command: r.FailTaskCommand, text: str | None) -> EventParts:
    if command.timed_out:
        # A missed heartbeat is reported as a timeout (ASL A6).
        yield _of_task(reader.resource(command.resource), "TimedOut", _failure("States.Timeout", command.cause))
    else:
        yield _of_task(reader.resource(command.resource), "Failed", _failure(command.error, command.cause))


def _of_task(resource: Resource, outcome: str, details: Details) -> tuple[str, str, Details]:
    if resource.kind == "integration":
        return f"Task{outcome}", f"task{outcome}EventDetails", {**_integration(resource), **details}
    if resource.kind == "activity":
        return f"Activity{outcome}", f"activity{outcome}EventDetails", details
    return f"LambdaFunction{outcome}", f"lambdaFunction{outcome}EventDetails", details


def _integration(resource: Resource) -> Details:
    return {"resourceType": resource.history_type, "resource": resource.history_resource}


_EVENT_PARTS: dict[type[r.Command], Callable[[HistoryReader, Any, str | None], EventParts]] = {
    r.StartExecutionCommand: _execution_started,
    r.CompleteExecutionCommand: _execution_completed,
    r.RedriveExecutionCommand: _execution_redriven,
    r.StartStateCommand: _state_started,
    r.CompleteStateCommand: _state_completed,
    r.FailEvaluationCommand: _evaluation_failed,
    r.ForkStateCommand: _state_forked,
    r.StartIterationCommand: _iteration_started,
    r.CompleteIterationCommand: _iteration_completed,
    r.CreateTaskCommand: _task_created,
    r.ActivateTaskCommand: _task_activated,
    r.SubmitTaskCommand: _task_submitted,
    r.CompleteTaskCommand: _task_completed,
    r.FailTaskCommand: _task_failed,
    r.StartMapRunCommand: _map_run_started,
    r.CompleteMapRunCommand: _map_run_completed,
}
