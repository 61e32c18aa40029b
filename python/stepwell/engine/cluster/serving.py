"""Answers other nodes while this one leads a partition.

A request may come twice, because its reply was lost. So replies are kept for a while, by the node that asks and its
number of the request: what was taken once is not taken again, and what was answered is answered again.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any

from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.processes.wire import encoded
from stepwell.engine.host.promises import Callback, answering
from stepwell.logs import logger

from .confirming import Confirming
from .frames import Inbox, Outbox
from .led import LedPartition
from .messages import NOT_LEADING, Deploy, ToLeader, to_leader
from .node import Node

if TYPE_CHECKING:
    from nats.aio.msg import Msg

log = logger("stepwell.cluster")

REPLIES = 20_000
"""So many requests are remembered with their replies."""


class Serving:
    """Serves one partition, from the promotion of this node on."""

    def __init__(self, node: Node, led: LedPartition, index: int) -> None:
        self._node, self._led = node, led
        self._sure = Confirming(node, index, led)
        self._inbox: Inbox[ToLeader] = Inbox(to_leader, lambda: node.hlc)
        self._outboxes: dict[str, Outbox] = {}
        self._replies: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        """By node and number; empty: the request is being done."""
        self._watched: set[tuple[str, str]] = set()
        self._subscription = node.link.subscribe(node.cluster.subject("p", index, node.boot), self._receive)

    def close(self) -> None:
        """Answer nobody any more."""
        self._node.link.unsubscribe(self._subscription)

    async def _receive(self, message: Msg) -> None:
        sender = message.reply
        with answering():
            for each in self._inbox.take(sender, message.data, self._node.clock.now()):
                try:
                    self._take(sender, each)
                except Exception:
                    log.exception("a message of %s cannot be dealt with", sender)

    def _take(self, sender: str, message: ToLeader) -> None:
        if isinstance(message, m.Results):
            self._led.take_results(message.results)
            if self._node.spreading is not None:
                self._node.spreading.answered([result.id for result in message.results], _boot_of(sender))
        elif isinstance(message, m.Heartbeat):
            self._led.keep_alive(message.task_id)
        elif isinstance(message, m.Watch):
            self._watch(sender, message.id)
        elif self._is_new(sender, message.number):
            self._do(message, partial(self._reply, sender, message))

    def _is_new(self, sender: str, number: int) -> bool:
        key = (sender, number)
        known = self._replies.get(key)
        if known:
            self._outbox(sender).post(known)
        if known is not None:
            return False
        self._replies[key] = b""
        if len(self._replies) > REPLIES:
            self._replies.popitem(last=False)
        return True

    def _do(self, message: m.Submit | m.Read | Deploy, reply: Callback) -> None:
        if isinstance(message, m.Submit):
            self._sure.submit(message, reply)
        elif isinstance(message, m.Read):
            self._sure.read(message, reply, may_be_here=False)
        else:
            self._node.deploy_here(message.command, reply)

    def _reply(
        self, sender: str, message: m.Submit | m.Read | Deploy, result: Any, error: BaseException | None
    ) -> None:
        failure = None if error is None else m.failure_of(error)
        if self._led.says_nothing(error):
            failure = m.Failure(NOT_LEADING, str(error))
        piece = encoded(m.Reply(message.number, result, failure, self._led.position))
        key = (sender, message.number)
        if isinstance(message, m.Read) or (failure is not None and failure.name == NOT_LEADING):
            self._replies.pop(key, None)  # done once more if it is asked again
        elif key in self._replies:
            self._replies[key] = piece
        self._outbox(sender).post(piece)

    def _watch(self, sender: str, id: str) -> None:
        if (sender, id) not in self._watched:
            self._watched.add((sender, id))
            self._sure.watch(id, partial(self._tell_end, sender, id))

    def _tell_end(self, sender: str, id: str, row: bytes | None, error: BaseException | None) -> None:
        self._watched.discard((sender, id))
        if not self._led.says_nothing(error):
            failure = None if error is None else m.failure_of(error)
            self._outbox(sender).post(encoded(m.Ended(id, row, failure, self._led.position)))

    def _outbox(self, sender: str) -> Outbox:
        found = self._outboxes.get(sender)
        if found is None:
            found = Outbox(self._node.link, lambda: self._node.hlc, sender)
            found = self._outboxes.setdefault(sender, found)
        return found


def _boot_of(sender: str) -> str:
    """The node that has sent a message: its subject is ``stepwell.NAME.n.BOOT.PARTITION``."""
    return sender.split(".")[-2]
