"""What an execution did, state by state: a tree of the states that it was in, their attempts, branches and iterations.

``run_reader`` makes the tree from the turns of an execution's history. All times are in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct

from stepwell.asl.json import loads
from stepwell.engine.wall_clock import utc

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine
    from stepwell.asl.states import State

RunStatus: TypeAlias = Literal["Running", "Succeeded", "Caught", "Failed", "Canceled"]
"""``Caught``: it failed, and a catcher chose the next state."""
LevelKind: TypeAlias = Literal["execution", "branch", "iteration", "child"]

_NO_VARIABLES: dict[str, Any] = {}


class _Timed(Struct, eq=False, kw_only=True):
    """What began, and ends."""

    started_micros: int
    stopped_micros: int = 0

    @property
    def started_at(self) -> datetime:
        """When it began."""
        return utc(self.started_micros)

    @property
    def stopped_at(self) -> datetime | None:
        """When it ended; None: it has not ended."""
        return utc(self.stopped_micros) if self.stopped_micros else None

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None: it has not ended."""
        return timedelta(microseconds=self.stopped_micros - self.started_micros) if self.stopped_micros else None


class Attempt(_Timed, eq=False):
    """One attempt of a state; ``number`` counts from 0, and again from 0 after a redrive.

    ``retrier`` is the index of the retrier that ordered the next attempt; None: none did. ``resource`` and
    ``arguments`` are those of a Task state's task.
    """

    number: int
    resource: str | None = None
    task_id: str | None = None
    heartbeat: bool = False
    error: str | None = None
    cause: str | None = None
    failed: bool = False
    """Whether it failed; an error may have no name."""
    retrier: int | None = None
    arguments_text: bytes = b""
    result_text: bytes = b""
    levels: list[LevelRun] = []
    items_text: bytes = b""
    source: str | None = None
    map_run: str | None = None
    """The id of the map run of a Distributed Map state."""

    @property
    def items(self) -> Any:
        """The items of a Map state; None if there are none so far."""
        return _value(self.items_text)

    @property
    def arguments(self) -> Any:
        """What its task was given; None if there was no task."""
        return _value(self.arguments_text)

    @property
    def result(self) -> Any:
        """What its task gave."""
        return _value(self.result_text)

    def __repr__(self) -> str:
        return f"<Attempt {self.number}{f' {self.error}' if self.failed else ''}>"


class StateRun(_Timed, eq=False):
    """One visit of a state, from its entry to its end, with all attempts."""

    id: str
    state: State
    level: LevelRun
    entered_event: int
    input_text: bytes
    entry_variables: dict[str, Any]
    attempts: list[Attempt]
    status: RunStatus = "Running"
    next: str | None = None
    """The state that came next; None: it was the last one of its level, or has not ended so far."""
    output_text: bytes = b""
    assigned: dict[str, Any] = _NO_VARIABLES
    """The variables that it set."""
    error: str | None = None
    cause: str | None = None
    rule: int | None = None
    """Of a Choice state: the index of the rule that held; None: none did, and ``Default`` was taken."""
    catcher: int | None = None
    """The index of the catcher that caught its error."""
    children: Callable[[str, int | None], list[LevelRun]] | None = None
    _child_levels: list[LevelRun] | None = None

    @property
    def name(self) -> str:
        """The state's name."""
        return self.state.name

    @property
    def type(self) -> str:
        """The state's type: ``Task``."""
        return self.state.type

    @property
    def input(self) -> Any:
        """Its raw input."""
        return _value(self.input_text)

    @property
    def output(self) -> Any:
        """Its output; None until it has succeeded, or an error was caught."""
        return _value(self.output_text)

    @property
    def variables(self) -> dict[str, Any]:
        """The variables that it could read when it was entered: those of its level, and of the levels around it."""
        outer = self.level.parent
        if outer is None or outer.state.distributed:
            return self.entry_variables
        return {**outer.variables, **self.entry_variables}

    @property
    def levels(self) -> list[LevelRun]:
        """Its branches, iterations or child executions, of its last attempt. Reads child executions from storage."""
        last = self.attempts[-1]
        if last.map_run is None or self.children is None:
            return last.levels
        if self._child_levels is None:
            self._child_levels = self.children(last.map_run, None)
        return self._child_levels

    def first_levels(self, most: int) -> list[LevelRun]:
        """Its branches or iterations, or the first ``most`` of its child executions."""
        last = self.attempts[-1]
        if last.map_run is None or self.children is None or self._child_levels is not None:
            return self.levels
        return self.children(last.map_run, most)

    @property
    def place(self) -> str:
        """Where it is: ``Fulfil[0]/Charge`` is the state Charge in the first branch or iteration of Fulfil."""
        return f"{self.level.place}{self.name}"

    def walk(self, most: int | None = None) -> Iterator[StateRun]:
        """This run and those in all of its attempts' branches, iterations and child executions.

        ``most`` child executions of each map run.
        """
        yield self
        for attempt in self.attempts[:-1]:
            for level in attempt.levels:
                yield from level.walk(most)
        for level in self.levels if most is None else self.first_levels(most):
            yield from level.walk(most)

    def __repr__(self) -> str:
        return f"<StateRun {self.place} {self.status}>"


class LevelRun(Struct, eq=False):
    """Where states ran one after the other: the execution, a branch, an iteration, or a Distributed Map's child."""

    id: str
    kind: LevelKind
    index: int
    parent: StateRun | None
    machine: StateMachine | None
    states: list[StateRun]
    status: RunStatus = "Running"
    input_text: bytes = b""
    output_text: bytes = b""
    error: str | None = None
    cause: str | None = None
    variables: dict[str, Any] = _NO_VARIABLES
    about: dict[str, Any] = _NO_VARIABLES
    """Of an execution: what the Context Object says of it and of its state machine."""

    @property
    def input(self) -> Any:
        """Its input."""
        return _value(self.input_text)

    @property
    def output(self) -> Any:
        """Its output; None until it has succeeded."""
        return _value(self.output_text)

    @property
    def place(self) -> str:
        """The place of its states, up to their name: ``Fulfil[0]/``, or nothing."""
        return "" if self.parent is None else f"{self.parent.place}[{self.index}]/"

    def walk(self, most: int | None = None) -> Iterator[StateRun]:
        """All runs of states in it, those within others too, each after the one that it is in.

        ``most`` child executions of each map run; None: all.
        """
        for run in self.states:
            yield from run.walk(most)

    def __repr__(self) -> str:
        return f"<LevelRun {self.kind} {self.place or self.id} {self.status}>"


def _value(text: bytes) -> Any:
    return loads(text) if text else None
