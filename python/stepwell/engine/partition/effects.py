"""What turns ask of the world: done once their batch is durable and applied, in the order of the batches."""

from __future__ import annotations

from collections import deque

from stepwell.engine.state.services import Effect
from stepwell.engine.state.turn import Reply
from stepwell.errors import StepwellError
from stepwell.logs import logger

from .faults import internal_error

log = logger("stepwell.engine")


class Effects:
    """The effects that wait for their batch, and how far the partition is."""

    def __init__(self, position: int, applied: int) -> None:
        self.position = position
        """The last position given to a record."""
        self.applied = applied
        """The last position that is durable and applied."""
        self._unreleased: deque[tuple[int, list[Effect]]] = deque()

    def __bool__(self) -> bool:
        """Whether any wait."""
        return bool(self._unreleased)

    @property
    def are_due(self) -> bool:
        """Whether some can be released at once: those of a batch that wrote nothing."""
        unreleased = self._unreleased
        return bool(unreleased) and unreleased[0][0] <= self.applied

    def begin(self, position: int, applied: int) -> None:
        """Go on from what was replayed."""
        self.position, self.applied = position, applied

    def committed(self, position: int, effects: list[Effect]) -> None:
        """A batch ends at ``position``: its effects are released when it is durable and applied."""
        self.position = position
        if effects:
            self._unreleased.append((position, effects))

    def defer(self, effects: list[Effect]) -> None:
        """Release effects once all that was given a position by now is durable."""
        self._unreleased.append((self.position, effects))

    def refuse(self, reply: Reply | None, error: BaseException) -> None:
        """Answer a request with an error, once what came before it is durable."""
        if not isinstance(error, StepwellError):
            error = internal_error(error)
        if reply is not None:
            self.defer([(reply, None, error)])

    def run(self, applied: int) -> None:
        """Release the effects of batches that are durable and applied."""
        self.applied = applied
        unreleased = self._unreleased
        while unreleased and unreleased[0][0] <= applied:
            for effect, *arguments in unreleased.popleft()[1]:
                try:
                    effect(*arguments)
                except Exception:
                    log.exception("what follows a batch has failed")
