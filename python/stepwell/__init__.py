"""Stepwell: durable workflows in the Amazon States Language, inside your program.

>>> from stepwell import Executor
>>> with Executor("orders.stepwell") as ex:
...     ex.deploy("order", "order.asl.json")
...     execution = ex.start("order", {"id": 7}).wait()
"""

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
from stepwell.errors import *  # noqa: F403
from stepwell.tasks.context import HandlerContext
from stepwell.test_state import test_state

__version__ = "0.1.0"
