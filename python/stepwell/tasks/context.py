"""What a handler can know about its task."""

from __future__ import annotations

from collections.abc import Callable


class HandlerContext:
    """The second argument of a handler that takes two.

    A handler runs at least once an attempt. ``task_id`` is the same when it runs again after a crash, so that it
    can detect work that was done already.
    """

    __slots__ = (
        "_heartbeat",
        "attempt",
        "execution_arn",
        "execution_id",
        "resource",
        "state_machine_arn",
        "state_name",
        "task_id",
        "task_token",
    )

    def __init__(
        self,
        task_id: str,
        execution_id: str,
        state_name: str,
        resource: str,
        attempt: int,
        task_token: str | None,
        heartbeat: Callable[[str], None],
        execution_arn: str = "",
        state_machine_arn: str = "",
    ) -> None:
        self.execution_arn, self.state_machine_arn = execution_arn, state_machine_arn
        self.task_id, self.execution_id, self.state_name = task_id, execution_id, state_name
        self.resource, self.attempt, self.task_token = resource, attempt, task_token
        self._heartbeat = heartbeat

    def heartbeat(self) -> None:
        """Report that the work continues, if the state has HeartbeatSeconds."""
        self._heartbeat(self.task_id)

    def __repr__(self) -> str:
        return f"<HandlerContext {self.task_id} of {self.resource!r}, attempt {self.attempt}>"
