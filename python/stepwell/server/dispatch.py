"""From a request's target and body to the status and body of its answer."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import msgspec

from stepwell.errors import ApiError, Busy, Closed, PoisonedError, StorageError
from stepwell.logs import logger

from . import model
from .constraints import Reader
from .faults import Fault, internal_failure, throttled, unavailable, unknown_operation
from .operations import OPERATIONS
from .service import Operation, Service

log = logger("stepwell.server")

TARGET_PREFIX = "AWSStepFunctions."
WAITING = frozenset({"GetActivityTask"})
"""Operations that are given up when their client goes away."""
_encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """An answer without its headers."""

    status: int
    body: bytes


class Call(NamedTuple):
    """An operation of the API, and how its requests are read."""

    name: str
    operation: Operation
    reader: Reader
    has_trace: bool


class Dispatcher:
    """Answers the requests of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._calls = {
            (TARGET_PREFIX + name).encode(): Call(
                name,
                operation,
                Reader(model.OPERATIONS[name].request),
                "trace_header" in model.OPERATIONS[name].request.__struct_fields__,
            )
            for name, operation in OPERATIONS.items()
        }

    def waits(self, target: bytes) -> bool:
        """Whether an operation is to be canceled when its client goes away."""
        call = self._calls.get(target)
        return call is not None and call.name in WAITING

    async def answer(self, target: bytes, body: bytes, trace: bytes | None = None) -> Answer:
        """The answer to a request; ``trace`` is its ``X-Amzn-Trace-Id``. Raises nothing but ``CancelledError``."""
        call = self._calls.get(target)
        try:
            if call is None:
                raise unknown_operation()
            request = call.reader.read(body)
            if trace is not None and call.has_trace:  # it wins over the member (API semantics, chapter 7)
                request.trace_header = trace.decode("latin-1")
            return Answer(200, _encode(await call.operation(self._service, request)))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            fault = fault_of(error)
            if fault.status >= 500:
                log.error("%s failed: %s", "a request" if call is None else call.name, error, exc_info=error)
            return Answer(fault.status, _encode(fault.body()))


def fault_of(error: Exception) -> Fault:
    """An exception of an operation as the error that its client gets."""
    match error:
        case Fault():
            return error
        case ApiError():
            return Fault(error.code, error.message)
        case Busy():
            return throttled()
        case Closed() | PoisonedError() | StorageError():
            return unavailable(str(error))
        case _:
            return internal_failure()


def body_of(fault: Fault) -> Any:
    """The body of an error, as bytes."""
    return _encode(fault.body())
