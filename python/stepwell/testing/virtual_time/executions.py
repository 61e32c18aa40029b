"""An execution of a test's engine: to wait for it moves the virtual clock."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from stepwell.engine.api.execution import Execution
from stepwell.engine.client.live import StateLook
from stepwell.engine.client.open_tasks import activities_in
from stepwell.engine.status import OVER
from stepwell.errors import StepwellError, WaitTimeout
from stepwell.testing.assertions import Assertions

from .durations import duration_of

if TYPE_CHECKING:
    from stepwell.engine.client.client import Client

    from .control import Control

__tracebackhide__ = operator.methodcaller("errisinstance", StepwellError)  # pytest shows the test's line instead


class TestExecution(Assertions, Execution):
    """One execution of a ``TestExecutor``: what it does is ``Execution``'s, but it waits in virtual time.

    ``assert_path``, ``attempts``, ``inputs`` and ``outputs`` say what it did (``Assertions``).
    """

    __slots__ = ("__weakref__", "_control")
    __test__ = False

    def __init__(self, client: Client, id: str, control: Control) -> None:
        super().__init__(client, id)
        self._control = control

    def rebind(self, client: Client) -> None:
        """Use the engine that was opened again after a crash."""
        self._client, self._queries = client, client.queries

    def wait(self, timeout: float | None = None) -> TestExecution:
        """Run it to its end; the virtual clock moves from timer to timer. Returns itself.

        ``timeout`` is in seconds of virtual time. Raises ``WaitTimeout`` if it has not ended by then, or if nothing
        is due any more: then it says where it stands.
        """
        is_over = self._control.drive_until(lambda: self.context().status in OVER, duration(timeout))
        if not is_over:
            raise WaitTimeout(standing(self._client, self.id, "has not ended", timeout))
        super().wait(0)
        return self

    def wait_for(self, state: str, timeout: float | None = None) -> TestExecution:
        """Run it until it is in a state, with an open task, if that is a Task state; the clock moves as far as needed.

        Raises ``WaitTimeout`` as ``wait`` does, and what ``Execution.wait_for`` raises.
        """
        StateLook(self._queries, self.id, state)  # there is such a state

        def is_there() -> bool:  # after a crash it is asked elsewhere
            return StateLook(self._queries, self.id, state).is_there()

        if not self._control.drive_until(is_there, duration(timeout)):
            raise WaitTimeout(standing(self._client, self.id, f"is not in state {state!r}", timeout))
        return self

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Its events until it has ended; the clock moves where it must for the next one. Raises ``WaitTimeout``."""
        while True:
            is_over = self._is_over()
            events = self.history(after=after)
            yield from events
            if events:
                after = events[-1]["id"]
            elif is_over:
                return
            elif not self._control.drive_until(partial(self._goes_on, after), None):
                raise WaitTimeout(standing(self._client, self.id, "has no further event"))

    def _goes_on(self, after: int) -> bool:
        return bool(self.history(1, after=after)) or self._is_over()

    def _is_over(self) -> bool:
        return self.context().status in OVER


def standing(client: Client, id: str, what: str, timeout: float | None = None) -> str:
    """Why an execution does not go on, for the text of an error."""
    within = "" if timeout is None or math.isinf(timeout) else f" within {timeout} s"
    names = sorted({activity.state_name for activity in activities_in(client.host.storage, id)})
    place = f"; it is in {', '.join(names)}" if names else ""
    due = "" if within else ", and nothing is due any more"
    return f"execution {id} {what}{within}{due}{place}"


def duration(timeout: float | None) -> int | None:
    """A timeout in microseconds; one below zero is none."""
    return None if timeout is None else duration_of(max(0, timeout))
