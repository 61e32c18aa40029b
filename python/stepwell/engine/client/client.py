"""The client: what a program can ask of a host. Both executors and their handles on executions use it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stepwell import _core
from stepwell.engine.host.host import Host
from stepwell.engine.host.promises import Latch
from stepwell.engine.limits import Limits
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.storage.contexts import VisibilityContext

from .activity_polls import ActivityPolls
from .arguments import Definition, definition_text
from .commands import ClientCommand, Starts, redrive
from .deployments import Deployments
from .map_runs import MapRuns
from .nested_executions import NestedExecutions
from .queries import Queries

RETRY_SECONDS = 0.005
"""How long a start waits before it tries a full inbox again."""


class Client:
    """``Executor`` waits in the caller's thread, ``AsyncExecutor`` on its event loop. Both ask the same."""

    def __init__(self, host: Host, limits: Limits) -> None:
        self.host, self.limits = host, limits
        self.queries = Queries(host)
        self.map_runs = MapRuns(host, self.queries)
        self.deployments = Deployments(host, limits)
        self.starts = Starts(host, limits)
        self.polls = ActivityPolls(host, limits)
        host.handlers.provide(NestedExecutions(host, self.queries, self.deployments, self.starts).handlers())
        host.pool.retry_waiting()  # tasks that an earlier process left, whose handlers are registered now

    def ask(self, request: ClientCommand) -> str:
        """Send a command to the inbox and wait; returns the id of the execution that it was processed in."""
        latch = Latch()
        self.host.submit(request.command, request.document, request.with_refusals(latch.deliver))
        return latch.wait()

    def list(
        self, workflow: str | None, status: str | None, limit: int, map_run: str | None
    ) -> list[VisibilityContext]:
        """Executions, the newest first: those of a workflow, of a map run, or of all workflows."""
        if map_run is not None:
            return self.map_runs.executions(map_run, status, limit)
        return self.queries.executions(workflow, status, limit)

    def start_request(
        self,
        workflow: str,
        input: Any,
        execution_name: str | None,
        delay: float | None,
        at: float | datetime | None,
        *,
        synchronous: bool = False,
    ) -> ClientCommand:
        """The command of a start, after checking the workflow, its handlers, the input, the name and the time."""
        found = self.queries.workflow(workflow)
        self.deployments.check_handlers(found)
        return self.starts.start(found, input, execution_name, delay, at, synchronous=synchronous)

    def redrive_request(self, id: str) -> ClientCommand:
        """The command of a redrive, once the children of the execution's map runs have ended."""
        context = self.queries.context(id)
        return redrive(self.host, self.limits, self.queries.workflow_of(context.workflow_id), context)

    def deploy_to_run(self, definition: Definition, type: str) -> Workflow:
        """Deploy a definition under a name of its own."""
        text = definition_text(definition)
        name = f"run-{_core.hash7(text.decode(errors='replace'))}"
        return self.deployments.deploy(name, text, type)
