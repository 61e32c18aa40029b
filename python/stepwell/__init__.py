"""Stepwell: durable workflows in the Amazon States Language, inside your program.

>>> from stepwell import Executor
>>> with Executor("orders.stepwell") as ex:
...     ex.deploy("order", "order.asl.json")
...     execution = ex.start("order", {"id": 7}).wait()

``stepwell.records`` holds the commands and events of the log; ``stepwell.testing`` runs workflows on a virtual clock.
"""

from typing import TYPE_CHECKING, Any

from stepwell.errors import (
    ApiError,
    Busy,
    ClockError,
    Closed,
    CorruptionError,
    ExecutionAlreadyExists,
    ExecutionFailed,
    ExecutionNotFound,
    ExecutionRunning,
    FencedError,
    HandlerNotFound,
    InternalError,
    InvalidDefinition,
    InvalidId,
    InvalidInput,
    InvalidName,
    InvalidToken,
    LockedError,
    MapRunEnded,
    MapRunNotFound,
    NotRedrivable,
    PoisonedError,
    StepwellError,
    StorageError,
    TaskDoesNotExist,
    TaskError,
    TaskTimedOut,
    TooLargeError,
    WaitTimeout,
    WorkflowNotFound,
)
from stepwell.test_state import test_state

if TYPE_CHECKING:
    from stepwell import testing
    from stepwell._core import Clock, LogStream, MemoryLogStream, Timestamp, parse_timestamp
    from stepwell.engine import records
    from stepwell.engine.aio import AsyncExecutor
    from stepwell.engine.async_execution import AsyncExecution
    from stepwell.engine.contexts import (
        ActivityBranchStatus,
        ActivityContext,
        ActivityIterationStatus,
        BranchContext,
        ExecutionContext,
        IterationContext,
        TaskContext,
    )
    from stepwell.engine.execution import Execution
    from stepwell.engine.executor import Executor
    from stepwell.engine.follower import Follower, Lag
    from stepwell.engine.inbox import Limits
    from stepwell.engine.storage import Storage
    from stepwell.engine.workflows import Workflow
    from stepwell.tasks.context import HandlerContext
    from stepwell.tasks.items import ItemFiles

__version__ = "0.1.0"

__all__ = [
    "ActivityBranchStatus",
    "ActivityContext",
    "ActivityIterationStatus",
    "ApiError",
    "AsyncExecution",
    "AsyncExecutor",
    "BranchContext",
    "Busy",
    "Clock",
    "ClockError",
    "Closed",
    "CorruptionError",
    "Execution",
    "ExecutionAlreadyExists",
    "ExecutionContext",
    "ExecutionFailed",
    "ExecutionNotFound",
    "ExecutionRunning",
    "Executor",
    "FencedError",
    "Follower",
    "HandlerContext",
    "HandlerNotFound",
    "InternalError",
    "InvalidDefinition",
    "InvalidId",
    "InvalidInput",
    "InvalidName",
    "InvalidToken",
    "ItemFiles",
    "IterationContext",
    "Lag",
    "Limits",
    "LockedError",
    "LogStream",
    "MapRunEnded",
    "MapRunNotFound",
    "MemoryLogStream",
    "NotRedrivable",
    "PoisonedError",
    "StepwellError",
    "Storage",
    "StorageError",
    "TaskContext",
    "TaskDoesNotExist",
    "TaskError",
    "TaskTimedOut",
    "Timestamp",
    "TooLargeError",
    "WaitTimeout",
    "Workflow",
    "WorkflowNotFound",
    "parse_timestamp",
    "records",
    "test_state",
    "testing",
]

_ON_FIRST_USE = {  # name: its module. A module is loaded when a program first names it.
    "ActivityBranchStatus": "stepwell.engine.contexts",
    "ActivityContext": "stepwell.engine.contexts",
    "ActivityIterationStatus": "stepwell.engine.contexts",
    "AsyncExecution": "stepwell.engine.async_execution",
    "AsyncExecutor": "stepwell.engine.aio",
    "BranchContext": "stepwell.engine.contexts",
    "Clock": "stepwell._core",
    "Execution": "stepwell.engine.execution",
    "ExecutionContext": "stepwell.engine.contexts",
    "Executor": "stepwell.engine.executor",
    "Follower": "stepwell.engine.follower",
    "HandlerContext": "stepwell.tasks.context",
    "ItemFiles": "stepwell.tasks.items",
    "IterationContext": "stepwell.engine.contexts",
    "Lag": "stepwell.engine.follower",
    "Limits": "stepwell.engine.inbox",
    "LogStream": "stepwell._core",
    "MemoryLogStream": "stepwell._core",
    "Storage": "stepwell.engine.storage",
    "TaskContext": "stepwell.engine.contexts",
    "Timestamp": "stepwell._core",
    "Workflow": "stepwell.engine.workflows",
    "parse_timestamp": "stepwell._core",
    "records": "stepwell.engine.records",
    "testing": "stepwell.testing",
}


def __getattr__(name: str) -> Any:
    origin = _ON_FIRST_USE.get(name)
    if origin is None:
        raise AttributeError(f"module 'stepwell' has no attribute {name!r}")
    from importlib import import_module

    module = import_module(origin)
    value = module if origin.endswith(f".{name}") else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
