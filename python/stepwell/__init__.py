"""Stepwell: durable workflows in the Amazon States Language, inside your program.

>>> from stepwell import Executor
>>> with Executor("orders.stepwell") as ex:
...     order = ex.deploy("order", "order.asl.json")
...     execution = ex.start("order", {"id": 7}).wait()

``stepwell.records`` holds the commands and events of the log; ``stepwell.testing`` runs workflows on a virtual clock.
"""

from typing import TYPE_CHECKING, Any

from stepwell.errors import (
    AlreadyPromoted,
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
    TaskCancelled,
    TaskDoesNotExist,
    TaskError,
    TaskTimedOut,
    TooLargeError,
    WaitTimeout,
    WorkflowDeleting,
    WorkflowNotFound,
)
from stepwell.test_state import test_state
from stepwell.version import VERSION

if TYPE_CHECKING:
    from stepwell import testing
    from stepwell._core import Clock, LogStream, MemoryLogStream, Timestamp, parse_timestamp
    from stepwell.asl.validate.diagnostic import Diagnostic
    from stepwell.engine.api.async_execution import AsyncExecution
    from stepwell.engine.api.async_executor import AsyncExecutor
    from stepwell.engine.api.execution import Execution
    from stepwell.engine.api.executor import Executor
    from stepwell.engine.api.follower import Follower, Lag
    from stepwell.engine.client.validation import validate
    from stepwell.engine.cluster.options import Cluster
    from stepwell.engine.host.stats import Stats
    from stepwell.engine.limits import Limits
    from stepwell.engine.log import records
    from stepwell.engine.partition.events import Event
    from stepwell.engine.state.workflows import Workflow
    from stepwell.engine.storage.contexts import (
        ActivityBranchStatus,
        ActivityContext,
        ActivityIterationStatus,
        BranchContext,
        ExecutionContext,
        IterationContext,
        TaskContext,
    )
    from stepwell.engine.storage.storage import Storage
    from stepwell.remote.executor import AsyncRemoteExecutor, RemoteExecutor
    from stepwell.tasks.context import HandlerContext
    from stepwell.tasks.items import ItemFiles

__version__ = VERSION

__all__ = [
    "ActivityBranchStatus",
    "ActivityContext",
    "ActivityIterationStatus",
    "AlreadyPromoted",
    "ApiError",
    "AsyncExecution",
    "AsyncExecutor",
    "AsyncRemoteExecutor",
    "BranchContext",
    "Busy",
    "Clock",
    "ClockError",
    "Closed",
    "Cluster",
    "CorruptionError",
    "Diagnostic",
    "Event",
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
    "RemoteExecutor",
    "Stats",
    "StepwellError",
    "Storage",
    "StorageError",
    "TaskCancelled",
    "TaskContext",
    "TaskDoesNotExist",
    "TaskError",
    "TaskTimedOut",
    "Timestamp",
    "TooLargeError",
    "WaitTimeout",
    "Workflow",
    "WorkflowDeleting",
    "WorkflowNotFound",
    "parse_timestamp",
    "records",
    "test_state",
    "testing",
    "validate",
]

_ON_FIRST_USE = {  # name: its module. A module is loaded when a program first names it.
    "ActivityBranchStatus": "stepwell.engine.storage.contexts",
    "ActivityContext": "stepwell.engine.storage.contexts",
    "ActivityIterationStatus": "stepwell.engine.storage.contexts",
    "AsyncExecution": "stepwell.engine.api.async_execution",
    "AsyncExecutor": "stepwell.engine.api.async_executor",
    "AsyncRemoteExecutor": "stepwell.remote.executor",
    "BranchContext": "stepwell.engine.storage.contexts",
    "Clock": "stepwell._core",
    "Cluster": "stepwell.engine.cluster.options",
    "Diagnostic": "stepwell.asl.validate.diagnostic",
    "Event": "stepwell.engine.partition.events",
    "Execution": "stepwell.engine.api.execution",
    "ExecutionContext": "stepwell.engine.storage.contexts",
    "Executor": "stepwell.engine.api.executor",
    "Follower": "stepwell.engine.api.follower",
    "HandlerContext": "stepwell.tasks.context",
    "ItemFiles": "stepwell.tasks.items",
    "IterationContext": "stepwell.engine.storage.contexts",
    "Lag": "stepwell.engine.api.follower",
    "Limits": "stepwell.engine.limits",
    "LogStream": "stepwell._core",
    "MemoryLogStream": "stepwell._core",
    "RemoteExecutor": "stepwell.remote.executor",
    "Stats": "stepwell.engine.host.stats",
    "Storage": "stepwell.engine.storage.storage",
    "TaskContext": "stepwell.engine.storage.contexts",
    "Timestamp": "stepwell._core",
    "Workflow": "stepwell.engine.state.workflows",
    "parse_timestamp": "stepwell._core",
    "records": "stepwell.engine.log.records",
    "testing": "stepwell.testing",
    "validate": "stepwell.engine.client.validation",
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
