"""A partition: the one owner of its executions, and the loop that walks them.

inbox → turns → one batch on the log → effects, once the batch is durable. Nobody else touches a
partition's state, so there is no lock around it. The loop itself has no thread: an executor runs it
in one, a scripted run turns it by hand on a virtual clock.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from stepwell import _core
from stepwell.errors import StepwellError, StorageError
from stepwell.logs import logger
from stepwell.tasks.dispatch import Call

from . import contexts as c
from . import eviction, quarantine, quotas, recovery
from . import records as r
from .appliers import APPLIERS
from .appliers.tasks import later_task
from .batch import Batch
from .documents import NONE, Document
from .in_flight import AUDIT_SECONDS, InFlight
from .inbox import Clock, Dispatcher, Inbox, Limits, Reply, Request
from .live import Execution, wake
from .processors.common import shortened
from .processors.steps import STEPS
from .routing import scope_of
from .services import Services
from .state import PartitionState
from .storage import Storage
from .timers import TimerQueue
from .turn import Effect, Item, Turn, Unfinished
from .walk import forget_written, leave, walk
from .workflows import Workflows

if TYPE_CHECKING:
    from stepwell._core import Store

log = logger("stepwell.engine")
_encode = msgspec.msgpack.Encoder().encode
_WALK = {kind: (step.accept, APPLIERS[kind], step.follow, step.event()) for kind, step in STEPS.items()}
"""Command → accept, apply, follow, and the event that answers the record just before it."""
_ANY_DRIFT = 0xFFFF_FFFF
"""A machine's clock that was a year ahead and is set right must not end the engine: order comes from the counter."""


class Partition(Services):
    """One log, one storage, and the executions that live in them."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        dispatcher: Dispatcher,
        limits: Limits | None = None,
        seed: int | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        super().__init__(share)
        self.store, self.clock, self.dispatcher = store, clock, dispatcher
        self.limits = limits or Limits()
        is_aws = self.limits.profile == quotas.AWS
        self.table = quotas.enforced(_WALK) if is_aws else _WALK
        self._judged = quotas.judged if is_aws else None
        self._warnings = None if is_aws else quotas.Warnings()
        self.storage = Storage(store)
        self.random = random.Random(seed).random
        self.on_ended: Callable[[Execution], None] = lambda execution: None
        self.on_abandoned: Callable[[c.TaskContext], None] = lambda task: None
        storage = self.storage
        workflows = Workflows(
            lambda name, version: storage.get(c.WorkflowContext, name, version),
            lambda name: next(iter(storage.scan(c.WorkflowContext, name, limit=1, reverse=True)), None),
        )
        timers = TimerQueue(lambda limit: storage.scan(c.TimerContext, limit=limit), self.limits.timers)
        self.state = PartitionState(workflows, timers)
        self._inbox = Inbox(self.limits)
        self.unfinished: dict[str, Unfinished] = {}
        self.stuck: set[str] = set()
        """Executions that could not even be failed: their timers rest until the next opening."""
        self._unreleased: deque[tuple[int, list[Effect]]] = deque()
        self.calls: list[Call] = []
        self.in_flight = InFlight(storage, self.limits.tasks, self.limits.task_bytes)
        self.hlc = _core.Clock(store.clock_high_water(), _ANY_DRIFT)
        self.position = store.tail()
        self.applied = store.applied()

    # the door

    def submit(self, command: r.Command, document: Document = NONE, reply: Reply | None = None) -> None:
        """Put a command into the inbox, from any thread. Raises ``Busy`` when it is full."""
        self._inbox.submit(Request(command, document, reply))
        self.store.notify()

    def answer(self, answers: Iterable[tuple[r.Command, Document]]) -> None:
        """Put results of tasks into the inbox: they are always taken, for their work is done."""
        if self._judged is not None:
            answers = self._judged(answers)
        self._inbox.answer(
            [
                Request(_shortened(command) if type(command) is r.FailTaskCommand else command, document, None)
                for command, document in answers
            ]
        )
        self.store.notify()

    # the loop

    def step(self) -> bool:
        """Process what is there: one batch. Returns whether there was anything."""
        now = self.clock.now()
        requests = self._take(now)
        if not requests and not self.unfinished:
            return False
        turns = self._open_turns(requests, now)
        batch = quarantine.given(turns)
        try:
            self._process(turns)
        except StorageError:  # not an execution's fault: nothing more can be written, or read
            raise
        except Exception:
            log.exception("a batch cannot be made: its turns are done one by one")
            quarantine.process_one_by_one(self, batch)
        return True

    def _process(self, turns: dict[str, Turn]) -> None:
        """Walk the turns, and commit what they did as one batch."""
        batch, base = Batch(), self.position
        most_records, most_bytes = self.limits.batch_records, self.limits.batch_bytes
        effects: list[Effect] = []
        waiting = deque(turns.values())
        while waiting:
            turn = waiting.popleft()
            turns.pop(turn.scope)
            turn.position = base + batch.count
            if batch.count < most_records and batch.bytes < most_bytes:
                walk(self, turn)
            else:
                leave(self, turn)
            if turn.outbox:
                self._deliver(turn, turns, waiting)
            if turn.records:
                blob = turn.encode()
                if self._warnings is not None and (
                    len(blob) > quotas.PAYLOAD_BYTES or turn.first_event <= quotas.HISTORY_EVENTS < turn.last_event
                ):
                    self._warnings.look(turn)
                batch.add(turn, blob, len(turn.records))
                if turn.execution is not None:
                    turn.execution.position = base + batch.count
            effects += turn.effects
        self.in_flight.batch_ends()
        if batch.turns:
            self.position = self.store.commit(batch.turns, batch.changes(), batch.timestamp, deferred=True)
        if effects:
            self._unreleased.append((self.position, effects))

    def process(self, scope: str, queue: deque[Item], replies: dict[int, Reply]) -> None:
        """Walk one turn, and commit it as a batch of its own."""
        now = self.clock.now()
        turn = self._turn(scope, self.hlc.tick(now // 1_000_000), now)
        turn.queue, turn.replies = queue, replies
        self._process({scope: turn})

    def forget(self) -> None:
        """Lose what memory knows and storage knows as well, to be read again."""
        self.store.wait_applied(self.position, None)
        self.in_flight.batch_fails()
        self.state.forget()
        self.state.timers.load()

    def _deliver(self, turn: Turn, turns: dict[str, Turn], waiting: deque[Turn]) -> None:
        """Give the executions that a turn wrote to their commands, in turns of this batch."""
        for scope, command, document in turn.outbox:
            target = turns.get(scope)
            if target is None:
                turns[scope] = target = self._turn(scope, turn.timestamp, turn.now)
                waiting.append(target)
            target.queue.append((command, document, 0))

    def release(self, applied: int) -> None:
        """Let out the effects of batches that are durable and applied."""
        self.applied = applied
        unreleased = self._unreleased
        while unreleased and unreleased[0][0] <= applied:
            for effect, *arguments in unreleased.popleft()[1]:
                try:
                    effect(*arguments)
                except Exception:
                    log.exception("what follows a batch has failed")
        if self.calls:
            owners = self.state.task_owners
            calls = [call for call in self.calls if call.id in owners or self._is_still_open(call.id)]
            self.calls.clear()
            self.dispatcher.dispatch(calls)
        if self.in_flight.is_recovering:
            self.dispatcher.dispatch(self._calls_of(self.in_flight.recovered()))
        if eviction.is_crowded(self):
            eviction.evict(self)

    def _is_still_open(self, task_id: str) -> bool:
        if self.is_open(task_id):
            return True
        self.in_flight.ends(task_id)
        return False

    @property
    def asked(self) -> bool:
        """Whether something waits in the inbox."""
        return bool(self._inbox)

    @property
    def idle(self) -> bool:
        """Whether nothing is left to process or to release; timers may wait."""
        return not (self._inbox or self.unfinished or self._unreleased)

    def timeout(self) -> float | None:
        """The seconds until there is something to do, or None: until somebody asks for something."""
        unreleased = self._unreleased
        if self.unfinished or self._inbox or self.in_flight.is_recovering:
            return 0.0
        if unreleased and unreleased[0][0] <= self.applied:  # of a batch that wrote nothing
            return 0.0
        due = self.state.timers.next_due()
        timeout = None if due is None else max(0.0, (due - self.clock.now()) / 1_000_000)
        if self.in_flight.is_full:
            return AUDIT_SECONDS if timeout is None else min(timeout, AUDIT_SECONDS)
        return timeout

    def _take(self, now: int) -> list[Request]:
        """The next requests: due timers, tasks that were held back, the inbox; none of them keeps another waiting."""
        timers = self.state.timers
        if timers.needs_load(now):
            self.store.wait_applied(self.position, None)
            timers.load()
        limit = self.limits.batch_requests
        requests = [
            Request(r.TriggerTimerCommand(target, kind, due), NONE, None)
            for due, kind, target, execution_id in self._due(now, limit // 2 if self._inbox else limit)
            if execution_id not in self.stuck
        ]
        self.in_flight.audit(now, self.is_open)
        requests += [
            Request(r.ActivateTaskCommand(task.id, task.resource, None, 0, 0, 0), NONE, None)
            for task in self.in_flight.released(limit // 4, self.position, self.applied)
        ]
        return requests + self._inbox.take(limit - len(requests), self.limits.batch_bytes)

    def _due(self, now: int, limit: int) -> list[tuple[int, int, str, str]]:
        due = self.state.timers.pop_due(now, limit)
        self.timer_owners = {target: execution_id for _, _, target, execution_id in due}
        return due

    def _open_turns(self, requests: list[Request], now: int) -> dict[str, Turn]:
        turns: dict[str, Turn] = {}
        timestamp = self.hlc.tick(now // 1_000_000)
        unfinished, self.unfinished = self.unfinished, {}
        for scope, left in unfinished.items():
            try:
                turns[scope] = turn = self._turn(scope, timestamp, now)
            except StorageError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is that execution's alone
                self._cannot_wake(left.replies.values(), error)
                continue
            turn.queue, turn.replies, turn.walked = left.items, left.replies, left.walked
            forget_written(left.items)
        for request in requests:
            command, document, reply = request
            try:
                scope = scope_of(self, command, document, reply, turns)
                if scope is None:
                    continue
                turn = turns.get(scope)
                if turn is None:
                    turns[scope] = turn = self._turn(scope, timestamp, now)
            except StorageError:
                raise
            except StepwellError as error:
                self.refuse(reply, error)
                continue
            except Exception as error:  # noqa: BLE001 - whatever it is, it is that execution's alone
                self._cannot_wake((reply,), error)
                continue
            turn.queue.append((command, document, 0))
            if reply is not None:
                turn.replies[id(command)] = reply
        return turns

    def _cannot_wake(self, replies: Iterable[Reply | None], error: Exception) -> None:
        log.error("an execution does not wake: %s: %s", type(error).__name__, error)
        for reply in replies:
            self.refuse(reply, error)

    def _turn(self, scope: str, timestamp: int, now: int) -> Turn:
        return Turn(scope, self.execution(scope) if scope else None, self.state, self, timestamp, now, 0)

    def refuse(self, reply: Reply | None, error: BaseException) -> None:
        """Answer a request with an error, once what came before it is durable."""
        if not isinstance(error, StepwellError):
            error = quarantine.internal_error(error)
        if reply is not None:
            self.after_what_came_before([(reply, None, error)])

    def after_what_came_before(self, effects: list[Effect]) -> None:
        """Let out effects once all that was given a position by now is durable."""
        self._unreleased.append((self.position, effects))

    # executions, live and at rest

    def execution(self, id: str) -> Execution | None:
        """An execution, live or waked from storage."""
        execution = self.state.executions.get(id)
        if execution is None:
            rows = self.storage.load(id) if id not in self.state.deleted else ()
            if not rows:
                return None
            execution = self._wake(rows)
            self.state.executions[id] = execution
        return execution

    def _wake(self, rows: Sequence[c.Context]) -> Execution:
        root = rows[0]
        assert isinstance(root, c.ExecutionContext)
        tasks = [
            task
            for row in rows
            if isinstance(row, c.ActivityContext) and row.task_id is not None
            for task in (self.storage.get(c.TaskContext, row.task_id),)
            if task is not None
        ]
        execution = wake(rows, self.state.workflows.get(root.workflow_id), tasks)
        self.state.task_owners.update((task.id, execution.id) for task in tasks)
        self.state.weigh(execution)
        return execution

    # recovery

    def recover(self) -> None:
        """Replay what the log has and storage lacks; take up what was under way."""
        recovery.replay(self)
        self.position = self.store.tail()
        self.applied = self.store.applied()
        self.hlc = _core.Clock(self.store.clock_high_water(), _ANY_DRIFT)
        self.next_task = self.state.last_task or self._share
        self.state.timers.load()
        unanswered = recovery.unanswered(self.storage)
        self.unfinished = {scope: Unfinished(items, {}, 0) for scope, items in unanswered.items()}
        for command, _, _ in chain.from_iterable(unanswered.values()):
            if isinstance(command, r.CreateTaskCommand):  # its number was given out, though no task has it yet
                self.next_task = later_task(self.next_task, int(command.id[-8:], 16))

    def open_calls(self) -> list[Call]:
        """Tasks that handlers had when the process ended: they are begun again, under the same id. More may follow."""
        return self._calls_of(self.in_flight.recover())

    def _calls_of(self, tasks: list[c.TaskContext]) -> list[Call]:
        """What handlers get for open tasks; one that storage does not know to be closed is passed over."""
        calls: list[Call] = []
        for task in tasks:
            execution = self.execution(task.activity_id.rpartition("/")[0])
            if execution is not None and task.id in execution.tasks:
                calls.append(self.call_of(execution, task))
            else:
                self.in_flight.ends(task.id)
        return calls


def _shortened(command: r.FailTaskCommand) -> r.FailTaskCommand:
    command.error, command.cause = shortened(command.error), shortened(command.cause)
    return command
