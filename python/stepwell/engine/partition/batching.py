"""Makes batches: requests become turns, turns are processed, their changes are committed as one batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from stepwell.engine.limits import AWS, Limits
from stepwell.engine.processors import quotas
from stepwell.engine.state.batch import Batch
from stepwell.engine.state.executions import Executions
from stepwell.engine.state.services import Effect, Services
from stepwell.engine.state.turn import Item, Reply, Turn, Unfinished
from stepwell.errors import StepwellError, StorageError
from stepwell.logs import logger

from .effects import Effects
from .events import Tell, observed
from .in_flight import InFlight
from .inbox import Clock, Request
from .numbering import Numbering
from .processing import TABLE, process_turn, suspend
from .router import Router

if TYPE_CHECKING:
    from stepwell._core import Store

log = logger("stepwell.engine")


Progress = tuple[Mapping[str, object], Callable[[str], None]]
"""The executions that somebody follows, and what tells it that one of them has gone on."""


def _nobody(execution_id: str) -> None:
    """Nobody follows an execution."""


class BatchProcessor:
    """Makes batches, and keeps what is left for the next one."""

    def __init__(
        self,
        store: Store,
        executions: Executions,
        router: Router,
        in_flight: InFlight,
        numbering: Numbering,
        effects: Effects,
        services: Services,
        clock: Clock,
        limits: Limits,
        progress: Progress | None = None,
    ) -> None:
        self._store, self._executions, self._router, self._in_flight = store, executions, router, in_flight
        self._numbering, self._effects, self._services = numbering, effects, services
        self._state, self._clock, self.limits = executions.state, clock, limits
        self._followed, self._tell = progress or ({}, _nobody)
        is_aws = limits.profile == AWS
        self._whole_table = self._table = quotas.enforced(TABLE) if is_aws else TABLE
        self._warnings = None if is_aws else quotas.Warnings()
        self.unfinished: dict[str, Unfinished] = {}
        """What turns left for the next batch, by execution."""
        self.stuck: set[str] = set()
        """Executions that could not even be failed: their timers do not fire until the next opening."""

    def observe(self, names: Iterable[str], tell: Tell) -> None:
        """Tell the events of these names, from the next batch on; from any thread."""
        names = frozenset(names)
        self._table = observed(self._whole_table, names, tell) if names else self._whole_table

    def begin(self, unfinished: dict[str, Unfinished]) -> None:
        """Begin with what the replay found."""
        self.unfinished = unfinished

    def open_turns(self, requests: list[Request], now: int) -> dict[str, Turn]:
        """Make the turns of the next batch: from what the last one left, and from requests."""
        turns: dict[str, Turn] = {}
        timestamp = self._numbering.tick(now)
        unfinished, self.unfinished = self.unfinished, {}
        for execution_id, left in unfinished.items():
            try:
                turns[execution_id] = turn = self._turn(execution_id, timestamp, now)
            except StorageError:
                raise
            except Exception as error:  # noqa: BLE001 - any error concerns this execution only
                self._cannot_load(left.replies.values(), error)
                continue
            turn.resume(left)
        for request in requests:
            command, document, reply = request
            try:
                execution_id = self._router.execution_of(command, document, reply, turns)
                if execution_id is None:
                    continue
                turn = turns.get(execution_id)
                if turn is None:
                    turns[execution_id] = turn = self._turn(execution_id, timestamp, now)
            except StorageError:
                raise
            except StepwellError as error:
                self._effects.refuse(reply, error)
                continue
            except Exception as error:  # noqa: BLE001 - any error concerns this execution only
                self._cannot_load((reply,), error)
                continue
            turn.queue.append((command, document, 0))
            if reply is not None:
                turn.replies[id(command)] = reply
        return turns

    def _turn(self, execution_id: str, timestamp: int, now: int) -> Turn:
        execution = self._executions.get(execution_id) if execution_id else None
        return Turn(execution_id, execution, self._state, self._services, timestamp, now, 0)

    def _cannot_load(self, replies: Iterable[Reply | None], error: Exception) -> None:
        log.error("an execution cannot be loaded: %s: %s", type(error).__name__, error)
        for reply in replies:
            self._effects.refuse(reply, error)

    def process(self, turns: dict[str, Turn]) -> None:
        """Process the turns, and commit their changes as one batch."""
        batch, base, limits, table = Batch(), self._effects.position, self.limits, self._table
        max_records, max_bytes = limits.batch_records, limits.batch_bytes
        followed = self._followed
        effects: list[Effect] = []
        waiting = deque(turns.values())
        while waiting:
            turn = waiting.popleft()
            turns.pop(turn.execution_id)
            turn.position = base + batch.count
            if batch.count < max_records and batch.bytes < max_bytes:
                left = process_turn(turn, table, limits)
            else:
                left = suspend(turn, table, limits)
            if left is not None:
                self._keep(turn.execution_id, left)
            if turn.outbox:
                self._deliver(turn, turns, waiting)
            if turn.records:
                blob = turn.encode()
                if self._warnings is not None:
                    self._warnings.look(turn, len(blob))
                batch.add(turn, blob, len(turn.records))
                if turn.execution is not None:
                    turn.execution.position = base + batch.count
                if followed and turn.execution_id in followed:
                    turn.effects.append((self._tell, turn.execution_id))
            effects += turn.effects
        self._in_flight.batch_ends()
        position = base
        if batch.turns:
            position = self._store.commit(batch.turns, batch.changes(), batch.timestamp, deferred=True)
        self._effects.committed(position, effects)

    def _keep(self, execution_id: str, left: Unfinished) -> None:
        known = self.unfinished.setdefault(execution_id, left)
        if known is not left:  # left by an earlier turn in this batch
            known.items.extend(left.items)
            known.replies.update(left.replies)

    def _deliver(self, turn: Turn, turns: dict[str, Turn], waiting: deque[Turn]) -> None:
        """Give the commands that a turn sent to turns of their executions, in this batch."""
        for execution_id, command, document in turn.outbox:
            target = turns.get(execution_id)
            if target is None:
                turns[execution_id] = target = self._turn(execution_id, turn.timestamp, turn.now)
                waiting.append(target)
            target.queue.append((command, document, 0))

    # a batch that cannot be made

    def process_alone(self, execution_id: str, queue: deque[Item], replies: dict[int, Reply]) -> None:
        """Process one turn, and commit it as a batch of its own."""
        now = self._clock.now()
        turn = self._turn(execution_id, self._numbering.tick(now), now)
        turn.queue, turn.replies = queue, replies
        self.process({execution_id: turn})

    def discard(self, unfinished: dict[str, Unfinished]) -> None:
        """Discard what memory has of a batch that was not made. ``unfinished`` is what must still be done."""
        self.unfinished = unfinished
        self._store.wait_applied(self._effects.position, None)
        self._in_flight.batch_fails()
        self._state.forget()
        self._state.timers.load()

    def give_up(self, execution_id: str) -> None:
        """Leave an execution as it is, until the next opening."""
        self.stuck.add(execution_id)
