"""What a handle on an execution tells of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from stepwell.asl.json import loads
from stepwell.engine.client.queries import workflow_name, workflow_version
from stepwell.engine.ids import execution_of, short_id
from stepwell.engine.status import ENDED, RUNNING, SUCCEEDED, AwsStatus, Status, aws_status
from stepwell.engine.storage.contexts import ExecutionContext
from stepwell.engine.wall_clock import utc
from stepwell.errors import Closed, ExecutionNotFound, StepwellError

if TYPE_CHECKING:
    from stepwell.engine.client.queries import Queries
    from stepwell.graph.marks import Marks

    from .states import Path, States


class ExecutionView:
    """What is known of an execution: it is read from storage whenever it is asked for.

    Of one that was deleted, or whose executor was closed, a handle that saw its end tells what it saw.
    """

    __slots__ = ("_ended", "_queries", "id")

    def __init__(self, queries: Queries, id: str) -> None:
        self._queries = queries
        self._ended: ExecutionContext | None = None
        self.id = id

    def context(self) -> ExecutionContext:
        """All that storage knows of it. Raises ``ExecutionNotFound`` once it was deleted."""
        with self._queries.shown():
            return self._context()

    def _context(self) -> ExecutionContext:
        """The same, to decide about it."""
        seen = self._ended
        if seen is not None and seen.status == SUCCEEDED:  # what has failed, or was stopped, may be redriven
            return seen
        try:
            context = self._queries.context(self.id)
        except (ExecutionNotFound, Closed):
            if seen is None:
                raise
            return seen
        if context.status in ENDED:
            self._ended = context
        elif seen is not None and context.stopped_at:  # it is being deleted
            return seen
        else:
            self._ended = None
        return context

    # its state

    @property
    def status(self) -> Status:
        """Pending, Running, Completing, Succeeded, Failed, Canceling or Canceled.

        Or Deleting: it has ended, and what belongs to it is being removed.
        """
        return cast("Status", self.context().status)

    @property
    def aws_status(self) -> AwsStatus:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED (it was stopped) or PENDING_REDRIVE."""
        context = self.context()
        if context.status == RUNNING:
            return "RUNNING"
        with suppress(Closed), self._queries.shown():
            return self._queries.aws_status(context)
        return aws_status(context.status, timed_out=context.timed_out)

    @property
    def timed_out(self) -> bool:
        """Whether it was canceled because its time ran out: its ``TimeoutSeconds``, or AWS's limit."""
        return self.context().timed_out

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

    # its states

    @property
    def states(self) -> States:
        """The states that it was in up to now, with their attempts, inputs and outputs, read from its history.

        >>> execution.states["Charge"].attempts
        [<Attempt 0 Card.Down>, <Attempt 1>]
        """
        from .states import States

        with self._queries.shown():
            return States(self._queries.run(self.id))

    @property
    def path(self) -> Path:
        """The names of its states in order. One with branches or iterations is ``{name: [path of each]}``."""
        from .states import path_of

        with self._queries.shown():
            return path_of(self._queries.run(self.id))

    def draw(self, format: str = "svg") -> str:
        """Its state machine as a drawing of what it did: ``svg``, ``mermaid`` or ``dot``.

        Of a Distributed Map's child executions the newest 100 are shown.
        """
        from stepwell.graph import draw, graph_of

        return draw(graph_of(self._definition()), format, self._marks())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """What a notebook shows of it; nothing but its text once it cannot be read any more."""
        from stepwell.graph import graph_of, mime_bundle

        try:
            return mime_bundle(graph_of(self._definition()), self._marks(), repr(self))
        except StepwellError:
            return {"text/plain": repr(self)}

    def _definition(self) -> dict[str, Any]:
        with self._queries.shown():
            return loads(self._queries.workflow_of(self.context().workflow_id).definition)

    def _marks(self) -> Marks:
        from stepwell.engine.client.run_marks import marks_of

        with self._queries.shown():
            run = self._queries.run(self.id)
        return marks_of(run, f"{self.workflow}:{self.version} · {self.name} · {self.aws_status}")

    # its times

    @property
    def started_at(self) -> datetime:
        """When its start was recorded, in UTC. One that waits for its time is ``Pending`` since then."""
        return utc(self.context().started_at)

    @property
    def stopped_at(self) -> datetime | None:
        """When it ended, in UTC; None before that."""
        stopped_at = self.context().stopped_at
        return utc(stopped_at) if stopped_at else None

    @property
    def duration(self) -> timedelta:
        """From its start to its end; to now, while it runs."""
        context = self.context()
        end = utc(context.stopped_at) if context.stopped_at else datetime.now(UTC)
        return end - utc(context.started_at)

    # what it is

    @property
    def short_id(self) -> str:
        """Its id in letters, digits, ``-`` and ``_``; whatever takes an id takes this."""
        return short_id(self.id)

    @property
    def arn(self) -> str:
        """Its ARN; whatever takes an id takes this."""
        with self._queries.shown():
            return self._queries.arn(self.context())

    @property
    def name(self) -> str:
        """The name given at the start, or one made from the id."""
        return self.context().name

    @property
    def workflow(self) -> str:
        """The name of its workflow; of a child of a map run, its parent's."""
        return workflow_name(self.context())

    @property
    def version(self) -> int:
        """The version of its workflow that it runs."""
        return workflow_version(self.context())

    @property
    def parent(self) -> str | None:
        """The id of the execution whose Distributed Map it is a child of, or whose Task state started it; else None."""
        context = self.context()
        child_id = context.parent_iteration_id
        return context.started_by if child_id is None else execution_of(child_id)

    @property
    def input(self) -> Any:
        """The input, as a value."""
        return loads(self.context().input)

    def _end_as(self, context: ExecutionContext | None) -> None:
        """It has ended: with this row, or with what storage says; deleting it ends it too."""
        if context is not None:
            self._ended = context
            return
        with suppress(ExecutionNotFound):
            self._context()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExecutionView) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}{self._status_text()}>"

    def _status_text(self) -> str:
        """Its status, and AWS's where that says more; nothing where it cannot be read."""
        with suppress(StepwellError):
            context = self.context()
            status, aws = context.status, self.aws_status
            return f" {status} ({aws})" if status in ENDED and aws != status.upper() else f" {status}"
        return ""
