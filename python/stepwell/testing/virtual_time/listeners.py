"""Listeners that are called in the thread that drives the engine, so that a test sees at once what they did."""

from __future__ import annotations

import threading

from stepwell.engine.host.listeners import Listeners


class DrivenListeners(Listeners):
    """Calls listeners when the host has processed what was there."""

    def __init__(self) -> None:
        super().__init__()
        self._calling = threading.local()

    def _wake(self) -> None:
        """Wakes no thread: ``call`` follows."""

    def call(self) -> None:
        """Call the listeners of all events that wait, unless one of them has asked for this."""
        if getattr(self._calling, "is_busy", False):
            return
        self._calling.is_busy = True
        try:
            while (event := self._next()) is not None:
                for subscription in self._subscriptions.get(event.name, ()):
                    self._call(subscription, event)
        finally:
            self._calling.is_busy = False
