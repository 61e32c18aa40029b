"""Stepwell: durable workflows in the Amazon States Language, inside your program.

>>> from stepwell import Executor
>>> with Executor("orders.stepwell") as ex:
...     ex.deploy("order", "order.asl.json")
...     execution = ex.start("order", {"id": 7}).wait()

``stepwell.records`` has the commands and events of the log, ``stepwell.testing`` runs on a virtual clock.
"""

from typing import TYPE_CHECKING, Any

from stepwell._core import Clock, LogStream, MemoryLogStream, Timestamp, parse_timestamp
from stepwell.engine import records
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
from stepwell.engine.inbox import Limits
from stepwell.engine.storage import Storage
from stepwell.engine.workflows import Workflow
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
    WaitTimeout,
    WorkflowNotFound,
)
from stepwell.tasks.context import HandlerContext
from stepwell.tasks.items import ItemFiles
from stepwell.test_state import test_state

if TYPE_CHECKING:
    from stepwell import testing
    from stepwell.engine.aio import AsyncExecutor
    from stepwell.engine.async_execution import AsyncExecution
    from stepwell.engine.follower import Follower, Lag

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
    "WaitTimeout",
    "Workflow",
    "WorkflowNotFound",
    "parse_timestamp",
    "records",
    "test_state",
    "testing",
]

_ON_FIRST_USE = {  # what most programs do without, asyncio among it, they do not pay for
    "AsyncExecution": "stepwell.engine.async_execution",
    "AsyncExecutor": "stepwell.engine.aio",
    "Follower": "stepwell.engine.follower",
    "Lag": "stepwell.engine.follower",
    "testing": "",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module 'stepwell' has no attribute {name!r}")
    from importlib import import_module

    module = _ON_FIRST_USE[name]
    value = getattr(import_module(module), name) if module else import_module(f"stepwell.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
