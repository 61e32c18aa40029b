"""Tasks that call Step Functions' own API, ``aws-sdk:sfn:*``: the engine that runs them answers (ASL A15).

The operations are in ``step_functions``, which stands above this folder. It is loaded by name, by the first task that
calls one of them, so that an engine opens without it. The two operations that start executions are in
``nested_executions``: their tasks may wait for the execution's end.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from stepwell.tasks.context import HandlerContext
from stepwell.tasks.handlers import Handler
from stepwell.tasks.integrations.sfn import ACTIONS, PARTITIONS

OPERATIONS = "stepwell.step_functions.tasks"


class OwnApi:
    """The handlers of the operations, over the engine of a ``Client``."""

    def __init__(self, client: object) -> None:
        self._client = client
        self._tasks: Any = None

    def handlers(self) -> Mapping[str, Handler]:
        """A handler for each operation, with and without a task token."""
        resources = [f"aws-sdk:sfn:{action}{pattern}" for action in ACTIONS for pattern in ("", ".waitForTaskToken")]
        return {f"arn:{partition}:states:::{name}": self.call for partition in PARTITIONS for name in resources}

    async def call(self, arguments: Any, context: HandlerContext) -> Any:
        """Answer one task. It runs on the loop of the engine's coroutines."""
        if self._tasks is None:
            self._tasks = import_module(OPERATIONS).ApiTasks(self._client)
        return await self._tasks.call(arguments, context)
