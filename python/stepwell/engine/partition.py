"""A partition: the one owner of its executions, and the loop that walks them.

inbox → turns → one batch on the log → effects, once the batch is durable. Nobody else touches a
partition's state, so there is no lock around it. The loop itself has no thread: an executor runs it
in one, a scripted run turns it by hand on a virtual clock.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from stepwell import _core
from stepwell.asl.json import canonical
from stepwell.errors import Busy, StepwellError, StorageError
from stepwell.tasks.dispatch import Call

from . import contexts as c
from . import quarantine, quotas, recovery
from . import records as r
from .appliers import APPLIERS
from .appliers.executions import idempotency_key
from .appliers.tasks import NUMBERS, later_task
from .codec import encode_record
from .documents import NONE, Document
from .in_flight import InFlight
from .inbox import Clock, Dispatcher, Limits, NameTaken, Rejected, Reply, Request
from .jobs import child_of
from .live import Execution, wake
from .map_run import child_list, execution_of
from .processors.steps import STEPS
from .state import PartitionState
from .status import DELETING, ENDED, RUNNING
from .storage import Storage
from .timers import TimerQueue
from .tokens import new_token
from .turn import Effect, Item, LimitExceeded, Turn, Unfinished
from .workflows import Workflows

if TYPE_CHECKING:
    from stepwell._core import Store

log = logging.getLogger("stepwell.engine")
_encode = msgspec.msgpack.Encoder().encode
_WALK = {kind: (step.accept, APPLIERS[kind], step.follow, step.event()) for kind, step in STEPS.items()}
"""Command → accept, apply, follow, and the event that answers the record just before it."""
_ANY_DRIFT = 0xFFFF_FFFF
"""A machine's clock that was a year ahead and is set right must not end the engine: order comes from the counter."""
_CANCEL_TYPES = (r.CancelExecutionCommand, r.DeleteExecutionCommand, r.RedriveExecutionCommand)


class Partition:
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
        self.store, self.clock, self.dispatcher = store, clock, dispatcher
        self.limits = limits or Limits()
        is_aws = self.limits.profile == quotas.AWS
        self._table = quotas.enforced(_WALK) if is_aws else _WALK
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
        self._inbox: deque[Request] = deque()
        self.unfinished: dict[str, Unfinished] = {}
        self.stuck: set[str] = set()
        """Executions that could not even be failed: their timers rest until the next opening."""
        self._unreleased: deque[tuple[int, list[Effect]]] = deque()
        self._calls: list[Call] = []
        self.in_flight = InFlight(storage, self.limits.tasks)
        self._task_prefixes: dict[tuple[str, str, str], str] = {}
        self._share, self._step = share
        """Of the numbers of tasks it gives out those that leave ``_share`` when divided by ``_step``."""
        self._next_task = self._share
        self.hlc = _core.Clock(store.clock_high_water(), _ANY_DRIFT)
        self._position = store.tail()
        self._applied = store.applied()

    # the door

    def submit(self, command: r.Command, document: Document = NONE, reply: Reply | None = None) -> None:
        """Put a command into the inbox, from any thread. Raises ``Busy`` when it is full."""
        if len(self._inbox) >= self.limits.inbox:
            raise Busy(f"the inbox holds {self.limits.inbox} commands; try again later")
        self._inbox.append(Request(command, document, reply))
        self.store.notify()

    def answer(self, answers: Iterable[tuple[r.Command, Document]]) -> None:
        """Put results of tasks into the inbox: they are always taken, for their work is done."""
        if self._judged is not None:
            answers = self._judged(answers)
        self._inbox.extend([Request(command, document, None) for command, document in answers])
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
        base = self._position
        committed: list[tuple[str, int, int, bytes]] = []
        rows: list[Any] = []
        effects: list[Effect] = []
        waiting, timestamp = deque(turns.values()), 0
        while waiting:
            turn = waiting.popleft()
            turns.pop(turn.scope)
            turn.position = base
            if base - self._position < self.limits.batch_records:
                self._walk(turn)
            else:
                self._leave(turn)
            if turn.outbox:
                self._deliver(turn, turns, waiting)
            if turn.records:
                timestamp = max(timestamp, turn.high_water)
                base += len(turn.records)
                execution = turn.execution
                advanced = execution is not None and execution.context.last_event >= turn.first_event
                blob = turn.encode()
                if self._warnings is not None and (
                    len(blob) > quotas.PAYLOAD_BYTES or turn.first_event <= quotas.HISTORY_EVENTS < turn.last_event
                ):
                    self._warnings.look(turn)
                committed.append((turn.scope, turn.first_event if advanced else 0, len(turn.records), blob))
                rows += turn.rows()
                if execution is not None:
                    execution.position = base
            effects += turn.effects
        self.in_flight.batch_ends()
        if committed:
            self._position = self.store.commit(committed, _encode(rows), timestamp)
        if effects:
            self._unreleased.append((self._position, effects))

    def process(self, scope: str, queue: deque[Item], replies: dict[int, Reply]) -> None:
        """Walk one turn, and commit it as a batch of its own."""
        now = self.clock.now()
        turn = self._turn(scope, self.hlc.tick(now // 1_000_000), now)
        turn.queue, turn.replies = queue, replies
        self._process({scope: turn})

    def forget(self) -> None:
        """Lose what memory knows and storage knows as well, to be read again."""
        self.store.wait_applied(self._position, None)
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
        self._applied = applied
        unreleased = self._unreleased
        while unreleased and unreleased[0][0] <= applied:
            for effect, *arguments in unreleased.popleft()[1]:
                try:
                    effect(*arguments)
                except Exception:
                    log.exception("what follows a batch has failed")
        if self._calls:
            calls = [call for call in self._calls if self._is_still_open(call.id)]
            self._calls.clear()
            self.dispatcher.dispatch(calls)
        if self.in_flight.is_recovering:
            self.dispatcher.dispatch(self._calls_of(self.in_flight.recovered()))
        if len(self.state.executions) > self.limits.live_executions:
            self._evict()

    def _is_open(self, task_id: str) -> bool:
        """Whether a task wants an answer: a sibling's failure may have closed it in the turn that created it."""
        return task_id in self.state.task_owners or self.storage.get(c.TaskContext, task_id) is not None

    def _is_still_open(self, task_id: str) -> bool:
        if self._is_open(task_id):
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
        """The seconds until the next timer is due, or None."""
        if self.unfinished or self._inbox or self.in_flight.is_recovering:
            return 0.0
        due = self.state.timers.next_due()
        return None if due is None else max(0.0, (due - self.clock.now()) / 1_000_000)

    def _take(self, now: int) -> list[Request]:
        """The next requests: due timers first, then the inbox."""
        timers = self.state.timers
        if timers.needs_load(now):
            self.store.wait_applied(self._position, None)
            timers.load()
        limit = self.limits.batch_requests
        requests = [
            Request(r.TriggerTimerCommand(target, kind, due), NONE, None)
            for due, kind, target, execution_id in self._due(now, limit // 2 if self._inbox else limit)
            if execution_id not in self.stuck
        ]
        requests += [
            Request(r.ActivateTaskCommand(task.id, task.resource, None, 0, 0, 0), NONE, None)
            for task in self.in_flight.released(limit // 4, self.position, self.applied)
        ]
        inbox = self._inbox
        while inbox and len(requests) < limit:
            requests.append(inbox.popleft())
        return requests

    def _due(self, now: int, limit: int) -> list[tuple[int, int, str, str]]:
        due = self.state.timers.pop_due(now, limit)
        self._timer_owners = {target: execution_id for _, _, target, execution_id in due}
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
            except Exception as error:
                self._cannot_wake(left.replies.values(), error)
                continue
            turn.queue, turn.replies, turn.walked = left.items, left.replies, left.walked
        for request in requests:
            command, document, reply = request
            try:
                scope = self._scope(command, document, reply, turns)
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
            except Exception as error:
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
            self._unreleased.append((self._position, [(reply, None, error)]))

    # which execution a command belongs to

    def _scope(self, command: r.Command, document: Document, reply: Reply | None, turns: dict[str, Turn]) -> str | None:
        if isinstance(command, r.StartExecutionCommand):
            return self._start_scope(command, document, reply, turns)
        if isinstance(command, r.TriggerTimerCommand):
            return self._timer_owners[command.target]
        if isinstance(command, _CANCEL_TYPES):
            return command.id
        if isinstance(command, r.PutWorkflowCommand):
            return ""
        if isinstance(command, r.UpdateMapRunCommand):
            return execution_of(command.id)
        assert isinstance(
            command,
            r.ActivateTaskCommand
            | r.SubmitTaskCommand
            | r.CompleteTaskCommand
            | r.FailTaskCommand
            | r.HeartbeatTaskCommand,
        )
        if not isinstance(command, r.ActivateTaskCommand | r.HeartbeatTaskCommand):
            self.in_flight.ends(command.id)
        return self.owner_of_task(command.id, command, reply)

    def owner_of_task(self, task_id: str, command: r.Command, reply: Reply | None) -> str | None:
        """The execution of an open task; a task that is closed is refused."""
        owner = self.state.task_owners.get(task_id)
        if owner is None:
            task = self.storage.get(c.TaskContext, task_id)
            owner = task.activity_id.rpartition("/")[0] if task is not None else None
        if owner is None:
            self.refuse(reply, Rejected("the task is not open"))
        return owner

    def _start_scope(
        self, command: r.StartExecutionCommand, document: Document, reply: Reply | None, turns: dict[str, Turn]
    ) -> str | None:
        if not command.idempotent:
            return command.id
        workflow = self.state.workflows.get(command.workflow_id)
        key = idempotency_key(command.id, workflow.name, command.name)
        existing = self.state.names.get(key)
        if existing is None:
            row = self.storage.get(c.IdempotencyContext, key)
            existing = row.execution_id if row is not None else None
        if existing is None:
            self.state.names[key] = command.id
            return command.id
        execution = self.execution(existing)
        effects: list[Effect] = []
        if execution is not None and execution.status == DELETING:  # its name is free
            self.state.names[key] = command.id
            return command.id
        if execution is not None:
            status, input = execution.status, execution.input
            self._unreleased.append((self._position, effects))
        elif (turn := turns.get(existing)) is not None:  # it starts in this very batch
            status, input, effects = RUNNING, turn.queue[0][1], turn.effects
        else:
            self.state.names[key] = command.id
            return command.id
        if reply is not None:
            same = status not in ENDED and canonical(input.value) == canonical(document.value)
            effects.append((reply, existing, None if same else NameTaken(existing, status)))
        return None

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
        return execution

    def _evict(self) -> None:
        """Forget executions that rest and that storage has; they wake when something happens to them."""
        state = self.state
        excess = len(state.executions) - self.limits.live_executions * 3 // 4
        for id, execution in list(state.executions.items()):
            if excess <= 0:
                return
            if execution.position <= self._applied and id not in self.unfinished:
                del state.executions[id]
                self._forget_name(execution)
                for task_id in execution.tasks:
                    state.task_owners.pop(task_id, None)
                excess -= 1

    # a turn

    def _walk(self, turn: Turn, budget: int = 0) -> None:
        """Process a turn's commands and what follows from them, until the execution rests."""
        queue, records, walk = turn.queue, turn.records, self._table
        budget = budget or self.limits.turn_records
        most_messages = self.limits.turn_messages
        while queue:
            if len(records) >= budget or len(turn.outbox) >= most_messages:
                self._leave(turn)
                return
            command, document, logged = queue.popleft()
            accept, apply, follow_up, event = walk[type(command)]
            is_applied = True
            try:
                reason = accept(turn, command)
                if reason is not None:
                    self._reject(turn, command, logged, reason)
                    continue
                turn.write(command, document)
                if logged:
                    records.append(type(event)(logged))
                    turn.changes[f"pending {logged}"] = (-12, logged)
                else:
                    records.append(event)
                is_applied = False
                apply(turn, command, document)
                is_applied = True
                follow = follow_up(turn, command, document)
            except StorageError:
                raise
            except Exception as error:
                if not is_applied:  # half of it may be done: nothing of this turn can be kept
                    raise
                self._poison(turn, command, logged, error)
                continue
            if follow:
                queue.extend(follow)
            if turn.replies:
                reply = turn.replies.pop(id(command), None)
                if reply is not None:
                    turn.effects.append((reply, turn.scope, None))

    def _reject(self, turn: Turn, command: r.Command, logged: int, reason: str) -> None:
        if logged:
            turn.records.append(r.CommandRejectedEvent(logged, reason))
            turn.changes[f"pending {logged}"] = (-12, logged)
        reply = turn.replies.pop(id(command), None)
        if reply is not None:
            turn.effects.append((reply, None, Rejected(reason)))

    def _leave(self, turn: Turn) -> None:
        """Put what is left on the log, unanswered, and go on with it in the next batch."""
        walked = turn.walked + len(turn.records)
        if walked > self.limits.restless_records and turn.execution is not None:
            text = f"The execution made {walked} records without coming to rest: it may go round in a circle."
            self._end(turn, LimitExceeded("States.Runtime", text))
            return
        left = self.unfinished.setdefault(turn.scope, Unfinished(deque(), {}, walked))
        for command, document, logged in turn.queue:
            if not logged:
                if command.document is not None:
                    setattr(command, command.document, document.text)
                turn.records.append(command)
                logged = turn.position + len(turn.records)
                row = c.PendingCommandContext(logged, turn.scope, encode_record(command))
                turn.create(f"pending {logged}", row)
            left.items.append((command, document, logged))
        left.replies.update(turn.replies)
        turn.queue = deque()

    def _poison(self, turn: Turn, command: r.Command, logged: int, error: Exception) -> None:
        """A defect met in one execution ends that execution, and says so in its cause."""
        execution = turn.execution
        if execution is None or isinstance(command, r.CompleteExecutionCommand) or execution.status in ENDED:
            raise error
        if not isinstance(error, LimitExceeded):
            log.error("execution %s is at fault, and fails", execution.id, exc_info=error)
        reply = turn.replies.pop(id(command), None)
        if reply is not None:
            told = error if isinstance(error, StepwellError) else quarantine.internal_error(error)
            turn.effects.append((reply, None, told))
        if logged and f"pending {logged}" not in turn.changes:
            self._reject(turn, command, logged, str(error))
        turn.queue.appendleft((quarantine.failure(execution.id, error), NONE, 0))

    def _end(self, turn: Turn, error: Exception) -> None:
        assert turn.execution is not None
        turn.queue.appendleft((quarantine.failure(turn.execution.id, error), NONE, 0))
        turn.walked = -len(turn.records)
        self._walk(turn, len(turn.records) + len(turn.queue) + 1)

    # what processors ask for

    def task_id(self, execution_id: str, task_type: str) -> str:
        """The next task's id, in the tenant and namespace of its execution."""
        _, tenant, namespace, _ = execution_id.split("/", 3)
        key = (tenant, namespace, task_type)
        prefix = self._task_prefixes.get(key)
        if prefix is None:
            prefix = self._task_prefixes[key] = _core.task_id(tenant, namespace, task_type, 0)[:-8]
        while True:
            number = self._next_task + self._step
            if number & NUMBERS < self._step:  # they went round: each share begins anew
                number = (number & ~NUMBERS) | self._share
            self._next_task = number
            id = f"{prefix}{number & NUMBERS:08x}"
            if number <= NUMBERS or not self._is_open(id):
                return id

    def reserve_ids(self, turn: Turn, count: int) -> int:
        """The first of ``count`` timestamps that are a map run's alone: the ids of its child executions."""
        return self.hlc.reserve(turn.now // 1_000_000, max(1, count))

    @staticmethod
    def task_token(task_id: str) -> str:
        """A token for a task."""
        return new_token(task_id)

    def activated(self, turn: Turn, task: c.TaskContext) -> None:
        """A task was handed out: to a handler of this process, unless a worker polled for it."""
        if not task.queue:
            self.in_flight.begins(task.id)
            turn.effects.append((self._calls.append, self.call_of(turn.execution, task)))

    def longest_seconds(self, type: str, given: int | None) -> int | None:
        """For how long an execution may run; None: for ever."""
        return quotas.longest_seconds(self.limits, type, given)

    def abandon(self, turn: Turn, task: c.TaskContext) -> None:
        """A task was given up: the execution that it waits for is canceled in the same batch."""
        child = child_of(task, self.state, self.storage)
        if child is None:
            turn.effects.append((self._abandoned, task))
        else:
            turn.send(child, r.CancelExecutionCommand(child, None, None))

    def _abandoned(self, task: c.TaskContext) -> None:
        self.on_abandoned(task)

    def call_of(self, execution: Execution | None, task: c.TaskContext) -> Call:
        """What a handler gets."""
        assert execution is not None
        state_name = execution.activities[task.activity_id].state.name
        return Call(
            task.id,
            execution.id,
            state_name,
            task.resource,
            task.input,
            task.attempt,
            task.token,
            task.timeout_due,
        )

    def queued(self, queue: str) -> None:
        """A task waits for a worker, or for room."""
        if queue == c.HELD:
            self.in_flight.holds()
        else:
            self.dispatcher.queued(queue)

    def ended(self, turn: Turn, execution: Execution) -> None:
        """An execution has ended."""
        turn.effects.append((self._ended, execution))

    def _ended(self, execution: Execution) -> None:
        if execution.status in ENDED and execution.position <= self._applied:
            self.state.executions.pop(execution.id, None)
            self._forget_name(execution)
        self.on_ended(execution)

    def _forget_name(self, execution: Execution) -> None:
        """Storage has the name of an execution that is not live."""
        if execution.context.idempotent:
            context = execution.context
            self.state.names.pop(idempotency_key(context.id, execution.workflow.name, context.name), None)

    def retention_of(self, execution: Execution) -> int | None:
        """For how many microseconds an execution that ends is kept; None: until it is deleted."""
        if execution.context.parent_iteration_id is not None:  # it goes with its parent
            return None
        latest = self.state.workflows.latest(execution.workflow.name)
        if latest is not None and latest.context.retention is not None:
            return latest.context.retention
        seconds = self.limits.retention
        return None if seconds is None else round(seconds * 1_000_000)

    def had_map_runs(self, execution: Execution) -> bool:
        """Whether an ended execution began any map run, as far as storage can tell by now."""
        if execution.position > self._position:  # it ended in this very batch
            return True
        self.store.wait_applied(execution.position, None)
        return bool(self.storage.scan(c.MapRunContext, execution.id, limit=1))

    def children_of(self, execution: Execution, limit: int) -> list[str]:
        """Child executions of an ended execution that are still there, some of them."""
        self.store.wait_applied(self._position, None)
        after: tuple[Any, ...] | None = None
        while runs := self.storage.scan(c.MapRunContext, execution.id, after=after):
            for run in runs:
                rows = self.storage.scan(c.VisibilityContext, child_list(run.id), limit=limit)
                if rows:
                    return [row.execution_id for row in rows]
            after = (runs[-1].id,)
        return []

    def deleted(self, turn: Turn, execution_id: str) -> None:
        """An execution is gone."""
        turn.effects.append((self.state.deleted.discard, execution_id))

    # recovery

    def recover(self) -> None:
        """Replay what the log has and storage lacks; take up what was under way."""
        recovery.replay(self)
        self._position = self.store.tail()
        self._applied = self.store.applied()
        self.hlc = _core.Clock(self.store.clock_high_water(), _ANY_DRIFT)
        sequence = self.storage.get(c.SequenceContext, "task")
        self.state.last_task = self._next_task = sequence.value if sequence is not None else self._share
        self.state.timers.load()
        unanswered = recovery.unanswered(self.storage)
        self.unfinished = {scope: Unfinished(items, {}, 0) for scope, items in unanswered.items()}
        for command, _, _ in chain.from_iterable(unanswered.values()):
            if isinstance(command, r.CreateTaskCommand):  # its number was given out, though no task has it yet
                self._next_task = later_task(self._next_task, int(command.id[-8:], 16))

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
