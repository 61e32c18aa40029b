"""A program's handle on one execution."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from stepwell.asl.json import loads
from stepwell.errors import ExecutionAlreadyExists, WaitTimeout

from .contexts import ExecutionContext
from .inbox import NameTaken
from .status import ENDED

if TYPE_CHECKING:
    from .executor import Executor


class Latch:
    """Lets one thread wait for one answer."""

    __slots__ = ("_error", "_lock", "_result")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._result: Any = None
        self._error: BaseException | None = None

    def reply(self, result: Any, error: BaseException | None) -> None:
        """Give the answer; called once."""
        self._result, self._error = result, error
        self._lock.release()

    def fail(self, error: BaseException) -> None:
        """Give an error as the answer."""
        self.reply(None, error)

    def wait(self, timeout: float | None) -> Any:
        """The answer. Raises what it failed with, and ``WaitTimeout``."""
        if not self._lock.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            raise WaitTimeout(f"no answer within {timeout} s")
        if self._error is not None:
            raise translated(self._error)
        return self._result


def translated(error: BaseException) -> BaseException:
    """An error of the partition as the program sees it."""
    if isinstance(error, NameTaken):
        return ExecutionAlreadyExists(
            f"{error}; a name can be used again only with the same input, while its execution runs",
            error.execution_id,
        )
    return error


class Execution:
    """One execution, read anew from storage whenever it is asked."""

    __slots__ = ("_ended", "_executor", "id")

    def __init__(self, executor: Executor, id: str) -> None:
        self._executor = executor
        self._ended: ExecutionContext | None = None
        self.id = id

    def context(self) -> ExecutionContext:
        """All that storage knows of it. Raises ``ExecutionNotFound`` once it was deleted."""
        if self._ended is not None:
            return self._ended
        context = self._executor.context(self.id)
        if context.status in ENDED:
            self._ended = context
        return context

    @property
    def status(self) -> str:
        """``Pending``, ``Running``, ``Completing``, ``Succeeded``, ``Failed``, ``Canceling``, ``Canceled``."""
        return self.context().status

    @property
    def name(self) -> str:
        """The name given at the start, or one made from the id."""
        return self.context().name

    @property
    def workflow(self) -> str:
        """The name of its workflow."""
        return self.context().workflow_id.rpartition(":")[0]

    @property
    def input(self) -> Any:
        """The input, as a value."""
        return loads(self.context().input)

    @property
    def output(self) -> Any:
        """The output, as a value; None until it has succeeded."""
        output = self.context().output
        return loads(output) if output else None

    @property
    def error(self) -> str | None:
        """The error's name, where it failed or was stopped."""
        return self.context().error

    @property
    def cause(self) -> str | None:
        """The error's text for people."""
        return self.context().cause

    def wait(self, timeout: float | None = None) -> Execution:
        """Wait until it has ended, ``timeout`` seconds at most; raises ``WaitTimeout`` then. Returns itself."""
        executor = self._executor
        latch = executor.latch_for(self.id)
        try:
            if self.context().status not in ENDED:
                latch.wait(timeout)
        except WaitTimeout:
            raise WaitTimeout(f"execution {self.id} has not ended within {timeout} s") from None
        finally:
            executor.forget_latch(self.id, latch)
        return self

    def history(self) -> list[dict[str, Any]]:
        """Its events in AWS's shape."""
        return self._executor.history(self.id)

    def stop(self, error: str | None = None, cause: str | None = None) -> Execution:
        """Cancel it."""
        return self._executor.stop(self.id, error, cause)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Execution) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Execution {self.id}>"
