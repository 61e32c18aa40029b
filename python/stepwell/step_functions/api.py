"""Calls operations by name: with a body, as HTTP brings it, or with a value, as a state machine's task has it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, NamedTuple

from stepwell.engine.host.idle import ReadOnly
from stepwell.errors import ApiError, Busy, ClockError, Closed, StorageError
from stepwell.logs import logger

from . import model
from .constraints import Reader
from .errors import UNAVAILABLE, Fault, internal_failure, throttled, unavailable, unknown_operation
from .operations import OPERATIONS
from .service import Operation, Service

log = logger("stepwell.step_functions")


class _Call(NamedTuple):
    operation: Operation
    reader: Reader
    has_trace: bool


class Api:
    """The operations of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._calls = {name: _call(name, operation) for name, operation in OPERATIONS.items()}

    def answer(self, name: str, body: bytes, trace: str | None = None) -> Coroutine[Any, Any, dict[str, Any]]:
        """The answer to a request of JSON text; ``trace`` is its header ``X-Amzn-Trace-Id``. Raises ``Fault``."""
        call = self._find(name)
        request = call.reader.read(body)
        if trace is not None and call.has_trace:  # it wins over the member (API semantics, chapter 7)
            request.trace_header = trace
        return self._run(name, call, request)

    def call(self, name: str, request: dict[str, Any]) -> Coroutine[Any, Any, dict[str, Any]]:
        """The answer to a request, which is a value with the API's names. Raises ``Fault``."""
        call = self._find(name)
        return self._run(name, call, call.reader.convert(request))

    def _find(self, name: str) -> _Call:
        call = self._calls.get(name)
        if call is None:
            raise unknown_operation()
        return call

    async def _run(self, name: str, call: _Call, request: Any) -> dict[str, Any]:
        try:
            return await call.operation(self._service, request)
        except Fault:
            raise
        except Exception as error:
            fault = fault_of(error)
            if fault.code == UNAVAILABLE:  # the engine has logged why, once; clients ask again and again
                log.error("%s cannot be answered: %s", name, error)
            elif fault.status >= 500:
                log.error("%s failed: %s", name, error, exc_info=error)
            raise fault from error


def _call(name: str, operation: Operation) -> _Call:
    request = model.OPERATIONS[name].request
    return _Call(operation, Reader(request), "trace_header" in request.__struct_fields__)


def fault_of(error: Exception) -> Fault:
    """An exception of the engine as the error that the client gets."""
    match error:
        case ApiError():
            return Fault(error.code, error.message)
        case Busy():
            return throttled()
        case Closed() | StorageError() | ClockError():
            return unavailable(str(error))
        case ReadOnly():
            return Fault("AccessDeniedException", str(error), namespace="")
        case _:
            return internal_failure()
