"""The errors of the API, each with the code, the text and the ``__type`` that AWS gives it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from stepwell.errors import ApiError

SERVICE = "com.amazonaws.swf.service.v2.model#"
CONSTRAINTS = "com.amazon.coral.validate#"
UNAVAILABLE = "ServiceUnavailable"
INVALID_TOKEN = "Invalid Token: 'Invalid token'"


class Fault(ApiError):
    """An error that a request is answered with; ``members`` are those of its body beside the message.

    ``namespace`` comes before the code in ``__type``.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        members: Mapping[str, str] = MappingProxyType({}),
        *,
        status: int = 400,
        namespace: str = SERVICE,
    ) -> None:
        super().__init__(code, message)
        self.status, self.namespace, self.members = status, namespace, members

    def body(self) -> dict[str, Any]:
        """The body of the answer."""
        body: dict[str, Any] = {"__type": self.namespace + self.code}
        if self.message:
            body["message"] = self.message
        return body | dict(self.members)


def unknown_operation() -> Fault:
    """No ``X-Amz-Target``, or one that names no operation."""
    return Fault("UnknownOperationException", namespace="")


def not_serialized() -> Fault:
    """A body that is no JSON object, or a member of a wrong type."""
    return Fault("SerializationException", namespace="")


def broken_constraints(broken: list[str]) -> Fault:
    """A request that does not keep the model's constraints."""
    count = f"{len(broken)} validation error{'s' if len(broken) > 1 else ''} detected: "
    return Fault("ValidationException", count + "; ".join(broken), namespace=CONSTRAINTS)


def invalid(message: str, reason: str | None = None) -> Fault:
    """A ``ValidationException`` of the service itself; ``reason`` is one of the model's."""
    return Fault("ValidationException", message, {} if reason is None else {"reason": reason})


def invalid_token() -> Fault:
    """A page's token, or a task's, that this service never made."""
    return Fault("InvalidToken", INVALID_TOKEN)


def invalid_arn(about: str) -> Fault:
    """A text that is no ARN of what is asked for."""
    return Fault("InvalidArn", f"Invalid Arn: '{about}'")


def invalid_name(name: str) -> Fault:
    """A name with a character that names may not have."""
    return Fault("InvalidName", f"Invalid Name: '{name}'")


def no_machine(arn: str) -> Fault:
    """There is no such state machine."""
    return Fault("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def machine_deleting(arn: str) -> Fault:
    """The state machine waits for the ends of its executions, to be deleted."""
    return Fault("StateMachineDeleting", f"State Machine is being deleted: '{arn}'")


def no_execution(arn: str) -> Fault:
    """There is no such execution."""
    return Fault("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def no_activity(arn: str) -> Fault:
    """There is no such activity."""
    return Fault("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")


def no_resource(message: str, name: str | None = None) -> Fault:
    """There is no such alias, map run, or resource with tags."""
    return Fault("ResourceNotFound", message, {} if name is None else {"resourceName": name})


def task_timed_out() -> Fault:
    """The task of a token is closed."""
    return Fault("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


def throttled() -> Fault:
    """The engine's inbox is full."""
    return Fault("ThrottlingException", "Rate exceeded", namespace="")


def unavailable(reason: str) -> Fault:
    """The engine does not work."""
    return Fault(UNAVAILABLE, reason, status=503, namespace="")


def internal_failure() -> Fault:
    """A defect of the server: the log has its traceback."""
    return Fault("InternalFailure", "The server failed; its log says how.", status=500, namespace="")


def date(microseconds: int) -> float:
    """A time as the API has it: seconds since the epoch, with milliseconds."""
    return microseconds // 1000 / 1000
