"""What a leader answers though no batch of its log stands behind the answer: reads, refusals, ends that were long ago.

A node that was paused may be a former leader, and would answer what was true then. So it confirms its lease before it
answers, unless it did so a short time ago. A command that was carried out needs no such thing: the log has taken it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.promises import Callback
from stepwell.engine.log.document import Document
from stepwell.errors import StorageError

from .led import LedPartition
from .node import Node


class Confirming:
    """One partition, while this node leads it. A reply with ``NotConfirmed`` says that the node does not know."""

    def __init__(self, node: Node, index: int, led: LedPartition) -> None:
        self._node, self._index, self.led = node, index, led

    def submit(self, message: m.Submit, reply: Callback) -> None:
        """Put a command into the inbox."""
        given = partial(self._reply, reply)
        self.led.take(message.command, Document(message.document), given, again=message.again)

    def _reply(self, reply: Callback, result: Any, error: BaseException | None) -> None:
        if error is None or self._is_confirmed or self.led.says_nothing(error):
            reply(result, error)
        else:
            self._node.reads.submit(self._refuse, reply, error)

    def _refuse(self, reply: Callback, error: BaseException) -> None:
        try:
            self._confirm()
        except StorageError as other:
            reply(None, other)
        else:
            reply(None, error)

    def read(self, message: m.Read, reply: Callback, *, may_be_here: bool) -> None:
        """Answer a read; in this thread, if ``may_be_here`` and nothing has to be asked for it."""
        if may_be_here and self._is_confirmed:
            self.led.answer(message, _nothing, reply)
        else:
            self._node.reads.submit(self.led.answer, message, self._confirm, reply)

    def watch(self, id: str, deliver: Callable[[bytes | None, BaseException | None], None]) -> None:
        """Report the end of an execution."""
        if self._is_confirmed:
            self.led.watch_end(id, deliver)
        else:
            self._node.reads.submit(self._watch, id, deliver)

    def _watch(self, id: str, deliver: Callable[[bytes | None, BaseException | None], None]) -> None:
        try:
            self._confirm()
        except StorageError as error:
            deliver(None, error)
        else:
            self.led.watch_end(id, deliver)

    @property
    def _is_confirmed(self) -> bool:
        return self._node.is_confirmed(self._index)

    def _confirm(self) -> None:
        self._node.confirm(self._index)


def _nothing() -> None:
    """It was confirmed a short time ago."""
