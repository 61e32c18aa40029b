"""What a client may ask for, each request by its own method; replies may come in another order."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from stepwell import _core
from stepwell.asl.json import loads
from stepwell.asl.resources import parse_resource
from stepwell.engine.host.promises import Promise
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.errors import InvalidId, StorageError
from stepwell.version import VERSION

from . import messages as m
from .target import Target

if TYPE_CHECKING:
    from stepwell.engine.client.client import Client

Answer = Callable[[int, Any, BaseException | None], None]


class Operations:
    """The requests of one client, carried out in its thread, and answered from any."""

    def __init__(self, target: Target, answer: Answer) -> None:
        self._target, self._answer = target, answer
        self._open: set[int] = set()
        self._watched: dict[int, tuple[str, Promise]] = {}
        self._polls: dict[int, tuple[str, Callable[[Any], None]]] = {}
        self._rows = target.rows
        self._methods: dict[type, Callable[[Any], Any]] = {
            m.Get: lambda ask: self._rows.get(ask.kind, *ask.key),
            m.Scan: self._scan,
            m.Load: lambda ask: self._rows.load(ask.execution_id),
            m.Turns: lambda ask: self._rows.history(ask.execution_id, ask.first_event, ask.limit, ask.reverse),
            m.Deploy: self._deploy,
            m.Publish: self._publish,
            m.Tick: self._tick,
            m.HasHandler: self._has_handler,
            m.Describe: lambda ask: m.encode(target.describe()),
            m.Measure: lambda ask: m.encode(self._client.host.stats()),
            m.Leave: lambda ask: self._client.host.remote_handlers().leave(ask.worker),
        }
        self._begun: dict[type, Callable[[Any], None]] = {
            m.Submit: self._submit,
            m.Watch: self._watch,
            m.Poll: self._poll,
            m.Results: self._results,
        }
        """Those whose replies come later."""

    @property
    def open(self) -> int:
        """How many requests have no reply yet."""
        return len(self._open)

    def welcome(self) -> m.Welcome:
        """Who serves."""
        target = self._target
        return m.Welcome(
            m.PROTOCOL,
            VERSION,
            os.getpid(),
            target.since,
            target.tenant,
            target.namespace,
            target.limits,
            target.client is not None and target.client.host.strict_handlers,
            target.follows,
        )

    def begin(self, request: m.Request) -> None:
        """Carry a request out, or begin it."""
        if isinstance(request, m.Unwatch):
            self._unwatch(request.number)
            return
        self._open.add(request.number)
        try:
            if not isinstance(request, m.Describe):  # which says why nothing else works
                self._target.check()
            begin = self._begun.get(type(request))
            if begin is not None:
                begin(request)
            else:
                self._done(request.number, self._methods[type(request)](request), None)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is to know
            self._done(request.number, None, error)

    def close(self) -> None:
        """The client is gone: wait for nothing on its behalf."""
        for number in list(self._watched):
            self._unwatch(number)
        for worker, deliver in self._polls.values():
            self._client.host.remote_handlers().give_up(worker, deliver)

    def _done(self, number: int, result: Any, error: BaseException | None) -> None:
        self._open.discard(number)
        self._answer(number, result, error)

    # reads

    def _scan(self, ask: m.Scan) -> list[bytes]:
        prefix = None if ask.prefix is None else tuple(ask.prefix)
        after = None if ask.after is None else tuple(ask.after)
        return self._rows.scan(ask.kind, prefix, after, ask.limit, ask.reverse, until=ask.until)

    # commands

    @property
    def _client(self) -> Client:
        if self._target.client is None:
            raise StorageError(f"this folder follows {self._target.follows}: it takes no commands until it is promoted")
        return self._target.client

    def _submit(self, ask: m.Submit) -> None:
        host, command, document = self._client.host, ask.command, Document(ask.document)
        if ask.document:
            _ = document.value  # raises unless it is JSON: nothing behind the inbox looks again
        if isinstance(command, r.StartExecutionCommand):
            self._check_start(command)
        host.submit(command, document, partial(self._done, ask.number))

    def _check_start(self, command: r.StartExecutionCommand) -> None:
        """Refuse an execution that this engine could not have made: its client is none of ours."""
        host, id = self._client.host, _core.parse_id(command.id)
        if (id.kind, id.tenant, id.namespace) != ("execution", host.tenant, host.namespace):
            raise InvalidId(f"{command.id!r} is no execution of /{host.tenant}/{host.namespace}")
        host.workflows.get(command.workflow_id)

    def _watch(self, ask: m.Watch) -> None:
        host = self._client.host
        promise = host.watch(ask.execution_id, partial(self._ended, ask.number))
        if ask.number in self._open:
            self._watched[ask.number] = (ask.execution_id, promise)

    def _ended(self, number: int, row: Any, error: BaseException | None) -> None:
        self._watched.pop(number, None)
        self._done(number, None if row is None else m.encode(row), error)

    def _unwatch(self, number: int) -> None:
        watched = self._watched.pop(number, None)
        if watched is not None:
            self._client.host.unwatch(*watched)
            self._open.discard(number)

    # workers

    def _poll(self, ask: m.Poll) -> None:
        def deliver(assigned: Any) -> None:
            self._polls.pop(ask.number, None)
            self._done(ask.number, m.encode(assigned), None)

        self._polls[ask.number] = (ask.worker, deliver)
        remote = self._client.host.remote_handlers()
        try:
            remote.poll(ask.worker, ask.handlers, ask.capacity, ask.holds, ask.seconds, deliver)
        except BaseException:
            del self._polls[ask.number]
            raise

    def _results(self, ask: m.Results) -> None:
        from .workers import record  # few programs have workers

        record(self._client.host, ask, partial(self._done, ask.number))

    def _deploy(self, ask: m.Deploy) -> int:
        deployed = self._client.deployments.deploy(ask.name, ask.definition, ask.kind, ask.retention)
        return deployed.context.version

    def _publish(self, ask: m.Publish) -> int:
        workflow = self._client.queries.workflow_of(ask.workflow_id)
        return self._client.resources.publish(workflow, ask.description).number

    def _tick(self, ask: m.Tick) -> int:
        return self._client.host.tick()

    def _has_handler(self, ask: m.HasHandler) -> bool:
        definition: Any = loads(ask.definition)
        return self._client.host.handlers.has(parse_resource(ask.resource), definition)
