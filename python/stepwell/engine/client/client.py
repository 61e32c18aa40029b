"""The client: what a program can ask of a host. Both executors and their handles on executions use it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from stepwell import _core
from stepwell.engine.host.host import Host
from stepwell.engine.host.promises import Latch
from stepwell.engine.limits import Limits
from stepwell.engine.partition.inbox import NameTaken, Rejected
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.storage.task_tokens import TaskOfToken, task_of_token
from stepwell.errors import NotRedrivable

from .activity_polls import ActivityPolls
from .arguments import Definition, definition_text
from .commands import ClientCommand, IfExists, Starts, complete_task, fail_task, heartbeat, redrive
from .deployments import Deployments
from .map_runs import MapRuns
from .nested_executions import NestedExecutions
from .own_api import OwnApi
from .queries import Queries
from .quotas import Quotas
from .resources import Resources

RETRY_SECONDS = 0.005
"""How long a start waits before it tries a full inbox again."""


class Client:
    """``Executor`` waits in the caller's thread, ``AsyncExecutor`` on its event loop. Both ask the same."""

    def __init__(self, host: Host, limits: Limits) -> None:
        self.host, self.limits = host, limits
        self.queries = Queries(host)
        self.map_runs = MapRuns(self.queries)
        quotas = Quotas(host, limits)
        self.deployments = Deployments(host, limits, quotas.workflows)
        self.resources = Resources(host, self.deployments, quotas.activities)
        self.starts = Starts(host, limits, quotas.executions)
        self.polls = ActivityPolls(host, limits)
        nested = NestedExecutions(host, self.queries, self.deployments, self.starts)
        host.handlers.provide({**OwnApi(self).handlers(), **nested.handlers()})
        host.pool.retry_waiting()  # tasks that an earlier process left, whose handlers are registered now

    def ask(self, request: ClientCommand) -> str:
        """Send a command to the inbox and wait; returns the id of the execution that it was processed in."""
        latch = Latch()
        self.host.submit(request.command, request.document, latch.deliver)
        try:
            found = latch.wait()
        except (Rejected, NameTaken) as refusal:
            return request.settled(None, refusal)
        return found if request.if_exists is None else request.settled(found)

    def start_request(
        self,
        workflow: str,
        input: Any,
        execution_name: str | None,
        delay: float | None,
        at: float | datetime | None,
        *,
        if_exists: IfExists | None = None,
        synchronous: bool = False,
        trace_header: str | None = None,
    ) -> ClientCommand:
        """The command of a start, after checking the workflow, its handlers, the input, the name and the time."""
        found, qualifier = self.queries.target(workflow)
        self.deployments.check_startable(found)
        self.deployments.check_handlers(found)
        return self.starts.start(
            found,
            input,
            execution_name,
            delay,
            at,
            if_exists=if_exists,
            synchronous=synchronous,
            qualifier=qualifier,
            trace_header=trace_header,
        )

    def redrive_request(self, id: str, client_token: str | None = None) -> ClientCommand:
        """The command of a redrive, once the children of the execution's map runs have ended.

        ``client_token`` is kept with it for a while: ``redriven_with`` of ``ExecutionContext.redrive_tokens`` finds it.
        """
        context = self.queries.context(id)
        if not self.host.workflows.has(context.workflow_id):
            raise NotRedrivable(f"execution {context.id} cannot be run on: its workflow was deleted")
        request = redrive(self.host, self.limits, self.queries.workflow_of(context.workflow_id), context, client_token)
        self.starts.quota.take()
        return request

    # answers to tasks that wait

    def success_request(self, token: str, output: Any) -> ClientCommand:
        """The result of the task of a token."""
        return complete_task(self.limits, partial(self.task_of_token, token), output)

    def failure_request(self, token: str, error: str | None, cause: str | None) -> ClientCommand:
        """The failure of the task of a token."""
        return fail_task(self.limits, partial(self.task_of_token, token), error, cause)

    def heartbeat_request(self, token: str) -> ClientCommand:
        """A sign of life of the task of a token."""
        return heartbeat(self.task_of_token(token))

    def task_of_token(self, token: str) -> TaskOfToken:
        """The open task of a token; of one that was polled a short time ago, perhaps closed since.

        Raises ``InvalidToken``, ``TaskTimedOut``.
        """
        self.host.check()
        polled = self.polls.task_of_token(token) if isinstance(token, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
        return polled or task_of_token(self.host.storage, token)

    def complete_request(self, id: str, state: str, output: Any) -> ClientCommand:
        """The result of the open task of an execution's state."""
        return complete_task(self.limits, partial(self.queries.open_task, id, state), output)

    def fail_request(self, id: str, state: str, error: str | None, cause: str | None) -> ClientCommand:
        """The failure of the open task of an execution's state."""
        return fail_task(self.limits, partial(self.queries.open_task, id, state), error, cause)

    # definitions

    def deploy(
        self, name: str, definition: Definition, type: str, retention: float | None, *, publish: bool
    ) -> Workflow:
        """Keep a definition under a name, and publish it if ``publish``."""
        with self.resources.changing:
            workflow = self.deployments.deploy(name, definition, type, retention)
            if publish:
                self.resources.publish(workflow)
            return workflow

    def deploy_to_run(self, definition: Definition, type: str) -> Workflow:
        """Deploy a definition under a name of its own."""
        text = definition_text(definition)
        name = f"run-{_core.hash7(text.decode(errors='replace'))}"
        return self.deployments.deploy(name, text, type)
