"""What both executors are made of: a host, and what a program may ask of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stepwell import _core

from .arguments import Definition, definition_text
from .contexts import VisibilityContext
from .deployments import Deployments
from .hosting import Hosting
from .inbox import Limits
from .map_reads import MapRuns
from .nested import nested_tasks
from .queues import TaskQueues
from .reads import Reads
from .requests import Request, Starts
from .workflows import Workflow


class Engine:
    """The rooms behind the doors. ``Executor`` waits in the caller's thread, ``AsyncExecutor`` on its event loop."""

    def __init__(self, host: Hosting, limits: Limits) -> None:
        self.host, self.limits = host, limits
        self.reads = Reads(host)
        self.map_runs = MapRuns(host, self.reads)
        self.deployments = Deployments(host, limits)
        self.starts = Starts(host, limits)
        self.queues = TaskQueues(host, limits)
        host.handlers.provide(nested_tasks(self))
        host.pool.retry_waiting()  # those that a former process has left

    def listed(
        self, workflow: str | None, status: str | None, limit: int, map_run: str | None
    ) -> list[VisibilityContext]:
        """Executions, the newest first: those of a workflow, of a map run, or of all workflows."""
        if map_run is not None:
            return self.map_runs.executions(map_run, status, limit)
        return self.reads.executions(workflow, status, limit)

    def start_request(
        self,
        workflow: str,
        input: Any,
        execution_name: str | None,
        delay: float | None,
        at: float | datetime | None,
        *,
        synchronous: bool = False,
    ) -> Request:
        """A start as it goes into the inbox, checked: the workflow, its handlers, the input, the name, the time."""
        found = self.reads.workflow(workflow)
        self.deployments.check_handlers(found)
        return self.starts.start(found, input, execution_name, delay, at, synchronous=synchronous)

    def deploy_to_run(self, definition: Definition, type: str) -> Workflow:
        """Deploy a definition under a name of its own."""
        text = definition_text(definition)
        name = f"run-{_core.hash7(text.decode(errors='replace'))}"
        return self.deployments.deploy(name, text, type)
