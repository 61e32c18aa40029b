"""Effects: what turns cause outside the engine, once their batch is durable and applied, in the order of batches."""

from __future__ import annotations

from collections import deque

from stepwell.engine.state.services import Effect
from stepwell.engine.state.turn import Reply
from stepwell.errors import StepwellError
from stepwell.logs import logger

from .faults import internal_error

log = logger("stepwell.engine")


class Effects:
    """The effects that wait for their batch, and the partition's positions."""

    def __init__(self, position: int, applied: int) -> None:
        self.position = position
        """The last position given to a record."""
        self.applied = applied
        """The last position that is durable and applied."""
        self._unreleased: deque[tuple[int, list[Effect]]] = deque()

    def __bool__(self) -> bool:
        """Whether any effects wait."""
        return bool(self._unreleased)

    @property
    def are_due(self) -> bool:
        """Whether some can run at once: those of a batch without records."""
        unreleased = self._unreleased
        return bool(unreleased) and unreleased[0][0] <= self.applied

    def begin(self, position: int, applied: int) -> None:
        """Begin with what the replay found."""
        self.position, self.applied = position, applied

    def committed(self, position: int, effects: list[Effect]) -> None:
        """A batch ends at ``position``. Its effects run when it is durable and applied."""
        self.position = position
        if effects:
            self._unreleased.append((position, effects))

    def defer(self, effects: list[Effect]) -> None:
        """Run effects once everything that has a position by now is durable."""
        self._unreleased.append((self.position, effects))

    def refuse(self, reply: Reply | None, error: BaseException) -> None:
        """Answer a request with an error, once everything before it is durable."""
        if not isinstance(error, StepwellError):
            error = internal_error(error)
        if reply is not None:
            self.defer([(reply, None, error)])

    def run(self, applied: int) -> None:
        """Run the effects of batches that are durable and applied."""
        self.applied = applied
        unreleased = self._unreleased
        while unreleased and unreleased[0][0] <= applied:
            for effect, *arguments in unreleased.popleft()[1]:
                try:
                    effect(*arguments)
                except Exception:
                    log.exception("what follows a batch has failed")
