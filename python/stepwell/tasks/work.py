"""Work: a call with its handler and its input, while the pool has it."""

from __future__ import annotations

from typing import Any

from stepwell.asl.json import dumps
from stepwell.asl.resources import Resource
from stepwell.errors import TaskError

from .calls import Answered, Call, Deferred, Result
from .failures import named
from .handlers import Registration

MARSHAL_ERROR = "Runtime.MarshalError"
"""The error of a handler whose result is not JSON: that of Lambda's Python runtime."""
LAMBDA_STATUS = {"ExecutedVersion": "$LATEST", "StatusCode": 200}


class Work:
    """A call with its handler and its input, from when it is dispatched until its handler has returned."""

    __slots__ = (
        "argument",
        "began",
        "call",
        "ends_at_once",
        "has_slot",
        "id",
        "is_called_up",
        "is_over",
        "is_replaced",
        "is_running",
        "registration",
        "resource",
    )

    def __init__(self, call: Call, resource: Resource, registration: Registration, argument: Any) -> None:
        self.id, self.call, self.resource = call.id, call, resource
        self.registration, self.argument = registration, argument
        self.ends_at_once = False
        """Whether its submission is its result, too."""
        self.is_over = False
        """Whether its task has ended without its result, which is ignored then."""
        self.is_running = False
        """Whether the handler is being called, or is about to be."""
        self.is_replaced = False
        """Whether it is overdue, and another thread may work in place of its own."""
        self.is_called_up = False
        """Whether its limit has reserved a slot for it, and its call has not begun."""
        self.has_slot = False
        """Whether its limit counts its call as running."""
        self.began = 0.0

    def succeeded(self, value: Any) -> Result:
        """The result when the handler returned ``value``."""
        call, resource = self.call, self.resource
        if type(value) is Deferred:
            output = None if value.submitted is None else dumps(value.submitted)
            return Result(call.id, call.resource, output, None, None, True, value.follow)
        waits = resource.waits_for_token
        if type(value) is Answered:
            value, waits = value.output, bool(resource.pattern)
            self.ends_at_once = waits
        elif resource.invokes_function and not waits:
            value = {**LAMBDA_STATUS, "Payload": value}
        try:
            output = dumps(value)
        except Exception as error:  # noqa: BLE001 - whatever a value's own encoding raises
            text = f"the handler of {call.resource!r} returned what is not JSON: {error}"
            return self.failed(TaskError(MARSHAL_ERROR, text))
        return Result(call.id, call.resource, output, None, None, waits)

    def failed(self, error: BaseException, traceback_characters: int = 0) -> Result:
        """The result when the handler raised: an ASL error, named by the exception's class or by a TaskError."""
        name, cause = named(error, traceback_characters)
        return Result(self.call.id, self.call.resource, None, name, cause, False)

    def results(self, result: Result) -> list[Result]:
        """What the engine gets for a result: the submission, and once more as the end if it is that, too."""
        return [result, result._replace(submitted=False)] if self.ends_at_once else [result]
