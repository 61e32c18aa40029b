"""An engine in another process, as a host: what a program asks of it goes through its socket, or through HTTP.

Queries read rows there, and are made of them here, so that they cost the other process little. Handlers run there.
"""

from __future__ import annotations

import secrets
from typing import Any, NoReturn

from msgspec.msgpack import Decoder

from stepwell.asl.json import dumps
from stepwell.asl.resources import Resource, parse_resource
from stepwell.engine.host.host import Host, Options
from stepwell.engine.host.listeners import Listeners
from stepwell.engine.host.promises import Callback, Promise
from stepwell.engine.host.stats import Stats
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.engine.state.workflows import SharedWorkflows, Workflows
from stepwell.engine.storage.contexts import ExecutionContext, WorkflowContext
from stepwell.engine.storage.storage import Storage
from stepwell.errors import Closed, InvalidInput, StorageError
from stepwell.tasks.dispatch import Call, Result
from stepwell.tasks.handlers import Handler, Handlers

from . import messages as m
from .channel import Channel
from .rows import RemoteRows
from .status import Live

_decode_row = Decoder(ExecutionContext).decode
_decode_live = Decoder(Live).decode
_decode_stats = Decoder(Stats).decode
_MICROSECONDS = 1_000_000


class ConnectedHost(Host):
    """The engine at the other end of a channel."""

    reads_wait = True
    opens_storage = False
    look_seconds = 0.05  # the owner gives no signals

    def __init__(self, connection: Channel, listeners: Listeners | None) -> None:
        self.connection = connection
        server = self.connection.server
        self._owner_clock = _OwnerClock(self.connection)
        super().__init__(
            _OwnersHandlers(self.connection),
            Options(
                server.tenant,
                server.namespace,
                1,
                server.limits,
                strict_handlers=server.strict_handlers,
                listeners=listeners,
            ),
        )
        self.storage = Storage(RemoteRows(self.connection))
        self.first_key = secrets.token_hex(8)
        self._workflows = SharedWorkflows.over(self.storage)
        self._watches: dict[Promise, int] = {}
        self.connection.on_end(self._lost)
        self._begin_events()

    @property
    def workflows(self) -> Workflows:
        return self._workflows

    @property
    def hlc(self) -> Any:
        return self._owner_clock

    @property
    def folder(self) -> None:
        return None

    def measure(self) -> NoReturn:
        raise InvalidInput("the process that has the folder open measures it: ask for `describe`")

    def describe(self) -> Live:
        """The state of the process that has the folder open."""
        return _decode_live(self.connection.ask(m.Describe))

    # questions

    def put_workflow(self, command: r.PutWorkflowCommand) -> int:
        self.check()
        latest = self._workflows.latest(command.name)
        kept = None if latest is None else latest.context  # a deployment leaves its settings; its revision is new
        if command.publish or command.tags or _settings_of(command) != _settings_of(kept):
            raise InvalidInput("AWS's settings of a workflow are made in the process that has the folder open")
        retention = None if command.retention is None else command.retention / _MICROSECONDS
        return self.connection.ask(
            lambda number: m.Deploy(number, command.name, command.definition, command.type, retention), None
        )

    def _put(self, command: r.Command, document: Document, answer: Promise) -> None:
        if isinstance(command, r.PublishVersionCommand):
            id, text = f"{command.workflow}:{command.version}", command.description
            self.connection.begin(lambda number: m.Publish(number, id, text), answer.reply)
            return
        if not isinstance(command, m.ClientCommandRecord):
            raise InvalidInput(f"{type(command).__name__} cannot be sent to the process that has the folder open")
        sent = command
        self.connection.begin(lambda number: m.Submit(number, sent, document.text), answer.reply)

    def watch(self, id: str, deliver: Callback) -> Promise:
        self.check()
        promise = self.ends.add(id, deliver)

        def ended(row: bytes | None, error: BaseException | None) -> None:
            self._watches.pop(promise, None)
            promise.reply(None if row is None else _decode_row(row), error)

        try:
            self._watches[promise] = self.connection.begin(lambda number: m.Watch(number, id), ended)
        except BaseException:
            self.ends.remove(id, promise)
            raise
        return promise

    def unwatch(self, id: str, answer: Promise) -> None:
        super().unwatch(id, answer)
        number = self._watches.pop(answer, None)
        if number is not None and self.connection.forget(number):
            self.connection.tell(m.Unwatch(number))

    # events, counters and handlers are at the other end

    def stats(self) -> Stats:
        self.check()
        return _decode_stats(self.connection.ask(m.Measure))

    def _partition_stats(self) -> NoReturn:
        raise AssertionError("the other process adds them up")

    def _observe(self, names: frozenset[str]) -> None:
        if names:
            raise InvalidInput("events are told in the process that has the folder open: listen there")

    def register(
        self, resource: str, function: Handler, *, concurrency: int | None = None, rate: str | None = None
    ) -> NoReturn:
        raise InvalidInput("handlers run in the process that has the folder open: register them there")

    def _handlers_changed(self) -> None:
        """None are registered here."""

    def _freed(self, call: Call) -> None:
        raise AssertionError("no handler runs here")

    def _take_results(self, results: list[Result]) -> None:
        raise AssertionError("no handler runs here")

    def _keep_alive(self, task_id: str) -> None:
        raise AssertionError("no handler runs here")

    def submit_results(self, answers: list[tuple[r.Command, Document]]) -> None:
        raise AssertionError("no handler runs here")

    # the end

    def _lost(self, error: StorageError) -> None:
        if not self._closed:
            self._failure = error
            self.promises.refuse(self._stopped)

    def _stopped(self) -> BaseException:
        return Closed("the connection was closed") if self._failure is None else StorageError(str(self._failure))

    def _end(self) -> None:
        """Nothing was taken in here."""

    def _close_folder(self) -> None:
        self.connection.close()


class _OwnerClock:
    """The clock of the process that has the folder open: no two clients get the same timestamp."""

    def __init__(self, connection: Channel) -> None:
        self._connection = connection

    def tick(self, seconds: int) -> int:
        """The next timestamp."""
        return self._connection.ask(m.Tick)


def _settings_of(version: r.PutWorkflowCommand | WorkflowContext | None) -> tuple[Any, ...]:
    """AWS's settings of a version; None has none."""
    if version is None:
        return ("", b"", False, b"")
    return (version.role, version.logging, version.tracing, version.encryption)


class _OwnersHandlers(Handlers):
    """The handlers of the process that has the folder open: whether there is one for a state."""

    def __init__(self, connection: Channel) -> None:
        super().__init__()
        self._connection = connection

    def has(self, resource: Resource, definition: dict[str, Any]) -> bool:
        text = dumps(definition)
        return self._connection.ask(lambda number: m.HasHandler(number, resource.text, text))

    def knows(self, name: str) -> bool:
        return self.has(parse_resource(name), {})
