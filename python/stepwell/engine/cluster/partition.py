"""One partition, as the program of a node sees it: requests reach its leader, which may be this node.

``leadership`` says when this node leads. Requests without a reply are asked again when the leader changes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from stepwell.engine.host.listeners import Listeners
from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.processes.stores import STATS
from stepwell.engine.host.processes.wire import encoded
from stepwell.engine.host.promises import Promise, answering
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.engine.log.records import Command
from stepwell.engine.status import ACTIVE
from stepwell.engine.storage.contexts import ExecutionContext, TaskContext
from stepwell.tasks.dispatch import Call, HandlerPool

from .confirming import Confirming
from .frames import Outbox
from .led import LedPartition, NotConfirmed
from .messages import NOT_LEADING, Deploy, FromLeader, Request
from .node import Leader, Node
from .requests import Pending, Requests

WATCH_SECONDS = 5.0
"""How often the leader elsewhere is told which executions callers wait for: it, or its word, may be lost."""
_decode_row = msgspec.msgpack.Decoder(ExecutionContext).decode


class ClusterPartition:
    """Every method may be called from any thread."""

    def __init__(self, index: int, node: Node) -> None:
        self.index, self._node = index, node
        self._requests = Requests(index, node.limits)
        self._lock = threading.Lock()
        self._led: LedPartition | None = None
        self._sure: Confirming | None = None
        self._has_ended = False
        """Whether this node has led, and is ending what it had begun."""
        self._unwatched: set[str] = set()
        """What is to be watched here once more: this node was not sure that it led."""
        self._leader: Leader | None = None
        self._outbox: Outbox | None = None
        self._watches_sent = 0.0
        self._with_handlers: set[str] = set()
        self._held: list[m.TaskResult] = []
        self._observed: list[str] = []
        self.answered = 0
        """Up to where leaders elsewhere had applied the log when they answered: what this node was told is in there."""

    # who leads it

    @property
    def is_led(self) -> bool:
        """Whether this node leads it."""
        return self._led is not None

    def forget_leader(self) -> None:
        """This node is about to lead: a result that comes before the partition runs is kept for it."""
        with self._lock:
            self._leader, self._outbox, self._has_ended = None, None, False

    def begin(self, led: LedPartition) -> None:
        """This node leads: send it what waits."""
        if self._observed:
            led.observe(self._observed)
        with self._lock:
            self._led, self._sure, held = led, Confirming(self._node, self.index, led), self._take_held()
        self._pass_results(led, None, held)
        with answering():
            for pending in self._requests.all():
                self._send(pending)
            for id in self._node.watched(self.index):
                self.watch(id)

    def end(self) -> None:
        """This node leads no longer."""
        with self._lock:
            self._led, self._sure, self._has_ended = None, None, True
        if self._node.spreading is not None:
            self._node.spreading.forget(self.index)

    def follow_leader(self, leader: Leader | None) -> None:
        """Another node leads it, or none. Requests without a reply are sent to the new one."""
        with self._lock:
            if self._led is not None or leader == self._leader:
                return
            self._leader = leader
            cluster = self._node.cluster
            self._outbox = (
                None
                if leader is None
                else Outbox(
                    self._node.link,
                    lambda: self._node.hlc,
                    cluster.subject("p", self.index, leader.boot),
                    cluster.subject("n", self._node.boot, self.index),
                )
            )
            held = [] if leader is None else self._take_held()
        self._pass_results(None, self._outbox, held)
        if self._node.spreading is not None:
            self._node.spreading.offer()  # the next leader is to know which of its tasks are here
        if leader is not None:
            self._requests.leader_changed()
            with answering():
                self._ask_again(self._requests.all())
                self._send_watches()

    def _take_held(self) -> list[m.TaskResult]:
        held, self._held = self._held, []
        return held

    def tick(self) -> None:
        """Called now and then, and when something is due: what has had no reply for long is asked again."""
        now = time.monotonic()
        with answering():
            self._requests.give_up(now)
            self._ask_again(self._requests.take_due(now))
            if now - self._watches_sent > WATCH_SECONDS:
                self._send_watches()
            unwatched, self._unwatched = self._unwatched, set()
            for id in unwatched:
                self.watch(id)

    def next_due(self) -> float | None:
        """When a request is to be asked again (``time.monotonic``); None: there is none, or nobody leads."""
        return self._requests.next_due() if self._led is not None or self._outbox is not None else None

    # requests of the program

    @property
    def pid(self) -> int:
        """The process that runs it is not known here."""
        return 0

    @property
    def unanswered(self) -> int:
        """How many requests have no reply yet."""
        return len(self._requests)

    @property
    def tasks(self) -> int:
        """How many of its tasks handlers have here."""
        spreading = self._node.spreading
        return len(self._with_handlers) if spreading is None else spreading.count(self.index)

    def submit(self, command: Command, document: Document, answer: Promise) -> None:
        """Put a command into the partition's inbox. Raises ``Busy``."""
        text = document.text
        self._send(self._requests.add(lambda number: m.Submit(number, command, text), answer))

    def deploy(self, command: r.PutWorkflowCommand | r.DeleteWorkflowCommand, answer: Promise) -> None:
        """Let the leader carry out a command for the definitions of all partitions."""
        self._send(self._requests.add(lambda number: Deploy(number, command), answer))

    def read(self, answer: Promise, operation: str, *arguments: Any, **options: Any) -> None:
        """Call a reading method of the leader's store."""
        self._send(self._requests.add(lambda number: m.Read(number, operation, arguments, options), answer))

    def watch(self, id: str) -> None:
        """Have the end of an execution reported; if it has ended, at once."""
        sure, outbox = self._sure, self._outbox
        if sure is not None:
            sure.watch(id, partial(self._tell_end, sure.led, id))
        elif outbox is not None:  # else it is asked for when somebody leads
            outbox.post(encoded(m.Watch(id)))

    def answer(self, results: list[m.TaskResult]) -> None:
        """Take results of handlers, or pass them to the leader. One that is lost on the way is no loss.

        A leader elsewhere has the same tasks done by its own handlers. Where nobody leads they are kept: this node may
        be about to, and has begun the tasks.
        """
        with self._lock:
            self._with_handlers.difference_update([result.id for result in results])
            led, outbox = self._led, self._outbox
            if led is None and outbox is None:
                self._held += results
        self._pass_results(led, outbox, results)

    def _pass_results(self, led: LedPartition | None, outbox: Outbox | None, results: list[m.TaskResult]) -> None:
        if led is not None:
            led.take_results(results)
            if self._node.spreading is not None:
                self._node.spreading.answered([result.id for result in results], self._node.boot)
        elif outbox is not None and results:
            outbox.post(encoded(m.Results(results)))

    def stats(self) -> bytes | None:
        """The partition's counters, if this node leads it."""
        led = self._led
        return None if led is None else led.read(m.Read(0, STATS, (), {}))

    def waits_for_handler(self, task_id: str) -> bool | None:
        """Whether a task still waits for its handler; None: this node does not lead the partition."""
        led = self._led
        if led is None:
            return None
        task = led.storage.get(TaskContext, task_id)
        return task is not None and task.status == ACTIVE and not task.queue

    def keep_alive(self, task_id: str) -> None:
        """A handler reports that its work continues."""
        led, outbox = self._led, self._outbox
        if led is not None:
            led.keep_alive(task_id)
        elif outbox is not None:
            outbox.post(encoded(m.Heartbeat(task_id)))

    def set_handlers(self, windows: list[tuple[str, int]]) -> None:
        """The node has another handler, or another limit."""
        led = self._led
        if led is not None:
            led.set_handlers(windows)

    def free(self, limit: str) -> None:
        """A task is not counted for its limit any longer."""
        led = self._led
        if led is not None:
            led.partition.free(limit)

    def observe(self, names: list[str]) -> None:
        """Tell the node's listeners the events of these names, while the node leads."""
        self._observed = names
        led = self._led
        if led is not None:
            led.observe(names)

    # sending

    def _send(self, pending: Pending) -> None:
        with self._lock:
            sure, outbox = self._sure, self._outbox
            message = pending.take(time.monotonic()) if sure is not None or outbox is not None else None
        if message is None:  # it is sent when somebody leads
            return
        if sure is not None:
            self._do(sure, message)
        elif outbox is not None:
            outbox.post(encoded(message))

    def _ask_again(self, requests: Iterable[Pending]) -> None:
        for pending in requests:
            is_inside = self._led is not None and not pending.is_unconfirmed  # what is in the inbox here has its reply
            if not is_inside or isinstance(pending.message, m.Read):
                self._send(pending)

    def _do(self, sure: Confirming, message: Request) -> None:
        deliver = partial(self._replied, sure.led, message.number)
        if isinstance(message, m.Submit):
            sure.submit(message, deliver)
        elif isinstance(message, Deploy):
            self._node.deploy_here(message.command, deliver)
        else:
            sure.read(message, deliver, may_be_here=True)

    def _replied(self, led: LedPartition, number: int, result: Any, error: BaseException | None) -> None:
        if led.says_nothing(error):
            self._requests.unanswered(number, is_unconfirmed=isinstance(error, NotConfirmed))
            self._node.poke()
            return
        pending = self._requests.settle(number)
        if pending is not None:
            pending.promise.reply(result, error)

    def _send_watches(self) -> None:
        self._watches_sent = time.monotonic()
        if self._led is None:
            for id in self._node.watched(self.index):
                self.watch(id)

    # from the leader elsewhere, in the connection's thread

    def receive(self, messages: list[FromLeader]) -> None:
        """Take what the leader says."""
        for message in messages:
            self.answered = max(self.answered, message.position)
            if isinstance(message, m.Ended):
                row = None if message.row is None else _decode_row(message.row)
                self._node.ended(message.id, row, None if message.failure is None else m.error_of(message.failure))
            elif message.failure is not None and message.failure.name == NOT_LEADING:
                self._requests.unanswered(message.number)
                self._node.poke()
            else:
                pending = self._requests.settle(message.number)
                if pending is not None:
                    failure = message.failure
                    pending.promise.reply(message.result, None if failure is None else m.error_of(failure))

    def unheard(self) -> None:
        """Nobody listens where the leader should: what was sent is sent again soon."""
        self._requests.unheard()

    # called by the led partition

    @property
    def pool(self) -> HandlerPool:
        """What calls the node's handlers."""
        return self._node.pool

    @property
    def listeners(self) -> Listeners:
        """The node's listeners."""
        return self._node.listeners

    def dispatch(self, tasks: list[Call]) -> None:
        """Give durable tasks to handlers."""
        if self._node.spreading is None:
            self._node.pool.dispatch(self._new(tasks))
        elif not self._has_ended:  # else the next leader finds them
            self._node.spreading.dispatch(tasks)

    def resume(self, tasks: list[Call]) -> None:
        """Give tasks to handlers that the last leader's handlers had, unless they are at work here."""
        if self._node.spreading is None:
            self._node.pool.resume(self._new(tasks))
        else:
            self._node.spreading.resume(tasks)

    def _new(self, tasks: list[Call]) -> list[Call]:
        with self._lock:
            calls = [call for call in tasks if call.id not in self._with_handlers]
            self._with_handlers.update([call.id for call in calls])
        return calls

    def tasks_ended(self, task_ids: list[str]) -> None:
        """Tasks have ended without results of their handlers."""
        if self._node.spreading is not None:
            self._node.spreading.ended(task_ids)
            return
        with self._lock:
            self._with_handlers.difference_update(task_ids)
        self._node.pool.ended(task_ids)

    def queued(self, queue: str) -> None:
        """A task waits for a worker that polls."""
        self._node.tell_queued(queue)

    def abandoned(self, task: m.Abandoned) -> None:
        """A task was abandoned, and what it waits for may be in another partition."""
        self._node.abandoned(task)

    def _tell_end(self, led: LedPartition, id: str, row: bytes | None, error: BaseException | None) -> None:
        if isinstance(error, NotConfirmed):
            self._unwatched.add(id)
        elif not led.says_nothing(error):
            context = None if row is None else _decode_row(row)
            self._node.ended(id, context, error if isinstance(error, Exception) else None)
