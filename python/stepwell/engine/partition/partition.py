"""A partition owns its executions, and its loop processes them.

Requests are taken from the inbox and become turns. The turns become one batch on the log. Effects run once the batch
is durable. Nothing else uses a partition's state, so there are no locks. The loop has no thread of its own: a host
runs it in one, and a scripted run calls it step by step on a virtual clock.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from stepwell import _core
from stepwell.asl.resources import parse_resource
from stepwell.engine.limits import AWS, Limits
from stepwell.engine.log import records as r
from stepwell.engine.log.document import NONE, Document
from stepwell.engine.processors import quotas
from stepwell.engine.processors.failures import shortened
from stepwell.engine.replay.log_replay import replay
from stepwell.engine.state import pending_commands
from stepwell.engine.state.execution import LiveExecution
from stepwell.engine.state.executions import Executions
from stepwell.engine.state.turn import Item, Reply, Unfinished
from stepwell.engine.storage import contexts as c
from stepwell.engine.storage.storage import Storage
from stepwell.errors import StorageError
from stepwell.logs import logger
from stepwell.tasks.dispatch import Call
from stepwell.tasks.handlers import Handlers

from . import quarantine
from .batching import BatchProcessor, Progress
from .counters import COUNTED, Counters, PartitionStats
from .effects import Effects
from .events import Event, Tell
from .in_flight import AUDIT_SECONDS, InFlight
from .inbox import Clock, Dispatcher, Inbox, Request
from .numbering import Numbering
from .router import Router
from .services import PartitionServices

if TYPE_CHECKING:
    from stepwell._core import Store

log = logger("stepwell.engine")

_ANSWERS = (r.CompleteTaskCommand, r.FailTaskCommand)

Result = tuple[r.Command, Document]
"""The result of a task, as a command."""


class Partition:
    """One log, one storage, and their executions.

    Of several partitions it is number ``share[0]`` of ``share[1]``. ``on_ended`` is called for executions that
    ended, ``on_abandoned`` for tasks that were abandoned while they waited for an execution in another partition,
    ``on_tasks_ended`` for tasks that ended without results of their handlers. ``handlers`` is used for their limits.
    ``progress`` has the executions that somebody follows, and is called for each of their steps.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        dispatcher: Dispatcher,
        limits: Limits | None = None,
        seed: int | None = None,
        share: tuple[int, int] = (0, 1),
        on_ended: Callable[[LiveExecution], None] | None = None,
        on_abandoned: Callable[[c.TaskContext], None] | None = None,
        on_tasks_ended: Callable[[list[str]], None] | None = None,
        handlers: Handlers | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.store, self.storage = store, Storage(store)
        self._clock, self._dispatcher = clock, dispatcher
        self._listened: frozenset[str] = frozenset()
        self._tell: Tell = _nobody
        self._counters: Counters | None = None
        limits = limits or Limits()
        self._limits = limits
        self.executions = executions = Executions.over(self.storage, limits)
        self.state = executions.state
        self.inbox = Inbox(limits)
        self.in_flight = in_flight = InFlight(
            self.storage, limits.tasks, limits.task_bytes, Handlers() if handlers is None else handlers
        )
        self._effects = effects = Effects(store.tail(), store.applied())
        self.numbering = numbering = Numbering(share, store.clock_high_water(), executions.is_task_open)
        self._router = router = Router(executions, in_flight, effects)
        draw = random.Random(seed)
        self.services = services = PartitionServices(
            store,
            executions,
            in_flight,
            numbering,
            effects,
            clock,
            dispatcher,
            limits,
            draw.random,
            os.urandom if seed is None else draw.randbytes,
            on_ended,
            on_abandoned,
            on_tasks_ended,
            share[1] == 1,
        )
        self.processor = BatchProcessor(
            store, executions, router, in_flight, numbering, effects, services, clock, limits, progress
        )

    @property
    def hlc(self) -> _core.Clock:
        """The clock that ids come from."""
        return self.numbering.hlc

    # requests and results

    def submit(self, command: r.Command, document: Document = NONE, reply: Reply | None = None) -> None:
        """Put a command into the inbox, from any thread. Raises ``Busy`` when it is full."""
        if reply is not None and isinstance(command, _ANSWERS) and parse_resource(command.resource).kind != "activity":
            reply = partial(self._closed_from_outside, command.id, command.resource, reply)
        self.inbox.submit((command, document, reply))
        self.store.notify()

    def _closed_from_outside(
        self, task_id: str, resource: str, reply: Reply, result: Any, error: BaseException | None
    ) -> None:
        """A client has given a task's result: its handler, if it has one, is not needed any longer.

        The handler of a task that waits for its token goes on: it hands the token out, and the answer may be quick.
        """
        if error is None and not parse_resource(resource).waits_for_token:
            self.services.closed(task_id)
        reply(result, error)

    def answer(self, results: Iterable[Result]) -> None:
        """Put results of tasks into the inbox. They are always accepted, because the work is done."""
        if self._limits.profile == AWS:
            results = quotas.with_result_limits(results)
        self.inbox.answer(
            [
                (shortened_failure(command) if type(command) is r.FailTaskCommand else command, document, None)
                for command, document in results
            ]
        )
        self.store.notify()

    def free(self, limit: str) -> None:
        """A task that was handed out is not counted for its limit any longer. From any thread."""
        self.in_flight.limited.free(limit)
        self.store.notify()

    def observe(self, names: Iterable[str], tell: Tell) -> None:
        """Tell the events of these names, once they are durable, from the next batch on. From any thread."""
        self._listened, self._tell = frozenset(names), tell
        self._observe()

    def stats(self) -> PartitionStats:
        """What it has counted since the first call, and what it holds now. From any thread."""
        if self._counters is None:
            self._counters = Counters()
            self._observe()
        return self._counters.stats(
            self.store,
            self.storage,
            executions_in_memory=len(self.state.executions),
            tasks_in_flight=len(self.in_flight),
            inbox=len(self.inbox),
        )

    def _observe(self) -> None:
        if self._counters is None:
            self.processor.observe(self._listened, self._tell)
        else:
            self.processor.observe(self._listened | COUNTED, partial(self._count, self._counters))

    def _count(self, counters: Counters, event: Event) -> None:
        if event.name in COUNTED:
            counters.count(event)
        if event.name in self._listened:
            self._tell(event)

    # the loop

    def step(self) -> bool:
        """Process what is there, as one batch. Returns whether there was anything."""
        processor, now = self.processor, self._clock.now()
        requests = self._take(now)
        if not requests and not processor.unfinished:
            return False
        turns = processor.open_turns(requests, now)
        inputs = quarantine.turn_inputs(turns)
        try:
            processor.process(turns)
        except StorageError:  # not the fault of an execution: the store cannot be written or read
            raise
        except Exception:
            log.exception("a batch cannot be made: its turns are done one by one")
            quarantine.isolate(processor, self._effects, inputs)
        return True

    def release(self, applied: int) -> None:
        """Run the effects of batches that are durable and applied."""
        self._effects.run(applied)
        self.services.dispatch_calls()
        if self.in_flight.is_recovering:
            self._dispatcher.dispatch(self.services.calls_of(self.in_flight.recovered()))
        if self.executions.exceeds_memory():
            self.executions.evict(applied, self.processor.unfinished)

    @property
    def has_requests(self) -> bool:
        """Whether the inbox has requests."""
        return bool(self.inbox)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to process and no effect to run; timers may be waiting."""
        return not (self.inbox or self.processor.unfinished or self._effects)

    def timeout(self) -> float | None:
        """The seconds until there is something to do; None: until a request comes."""
        if self.processor.unfinished or self.inbox or self.in_flight.is_recovering or self._effects.are_due:
            return 0.0
        due = self.state.timers.next_due()
        timeout = None if due is None else max(0.0, (due - self._clock.now()) / 1_000_000)
        if self.in_flight.is_full:
            return AUDIT_SECONDS if timeout is None else min(timeout, AUDIT_SECONDS)
        return timeout

    def _take(self, now: int) -> list[Request]:
        """The next requests: due timers, held tasks, the inbox. None of them delays the others for long."""
        timers, effects = self.state.timers, self._effects
        if timers.needs_load(now):
            self.store.wait_applied(effects.position, None)
            timers.load()
        limit = self._limits.batch_requests
        due = timers.pop_due(now, limit // 2 if self.inbox else limit)
        self._router.expect(due)
        requests: list[Request] = [
            (r.TriggerTimerCommand(target, kind, at), NONE, None)
            for at, kind, target, execution_id in due
            if execution_id not in self.processor.stuck
        ]
        self.in_flight.audit(now, self.executions.is_task_open)
        requests += [
            (
                r.ActivateTaskCommand(task.id, resource=task.resource, worker=None, lease_until=0, event=0, previous=0),
                NONE,
                None,
            )
            for task in self.in_flight.released(limit // 4, effects.position, effects.applied)
        ]
        return requests + self.inbox.take(limit - len(requests), self._limits.batch_bytes)

    # recovery

    def recover(self) -> None:
        """Replay the part of the log that storage lacks, and collect what was not finished."""
        store = self.store
        replay(store, self.executions)
        self._effects.begin(store.tail(), store.applied())
        self.state.timers.load()
        unanswered = pending_commands.unanswered(self.storage)
        self.processor.begin({id: Unfinished(items, {}, 0) for id, items in unanswered.items()})
        self.numbering.begin(
            store.clock_high_water(), self.state.last_task, _numbers_given(chain.from_iterable(unanswered.values()))
        )

    def open_calls(self) -> list[Call]:
        """The first tasks that handlers had when the last process ended. They are called again, with the same ids."""
        return self.services.calls_of(self.in_flight.recover())


def _nobody(event: Event) -> None:
    """Nobody listens."""


def _numbers_given(items: Iterable[Item]) -> list[int]:
    """The numbers of tasks whose commands are on the log, though the tasks do not exist yet."""
    return [int(command.id[-8:], 16) for command, _, _ in items if isinstance(command, r.CreateTaskCommand)]


def shortened_failure(command: r.FailTaskCommand) -> r.FailTaskCommand:
    """A failure of a task, its error and cause cut to the length that is recorded."""
    command.error, command.cause = shortened(command.error), shortened(command.cause)
    return command
