"""Runs a definition on the local engine with the results that an execution of AWS had, and compares the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from stepwell.asl.definition import compile_definition
from stepwell.asl.json import loads
from stepwell.asl.resources import parse_resource
from stepwell.engine.client.arguments import Definition, definition_text
from stepwell.engine.client.state_runs import LevelRun, StateRun
from stepwell.engine.status import SUCCEEDED
from stepwell.engine.storage.contexts import IterationContext
from stepwell.errors import WaitTimeout
from stepwell.tasks.handlers import Handler, Handlers
from stepwell.testing.answers_of_mocks import Answer
from stepwell.testing.mock import Mock
from stepwell.testing.mock_calls import MockCall
from stepwell.testing.virtual_time.executions import TestExecution
from stepwell.testing.virtual_time.executor import TestExecutor
from stepwell.testing.virtual_time.iterations import activities_around

from .compared import json_difference
from .distributed import without_distributed_maps
from .history import History, Source, read_events
from .recorded import Place, Recorded

if TYPE_CHECKING:
    from stepwell.engine.storage.storage import Storage

WORKFLOW = "replayed"


def aws_history(source: Source) -> AwsHistory:
    """The history of an execution of AWS: ``aws stepfunctions get-execution-history … > history.json``.

    Raises ``InvalidInput`` for a file that holds none, or one without the data of the execution.
    """
    return AwsHistory(read_events(source))


class AwsHistory(History):
    """The history of an execution of AWS. ``replay`` runs it on the local engine."""

    def replay(self, definition: Definition, handlers: Mapping[str, Handler] | None = None) -> Replay:
        """Run ``definition`` on the local engine; tasks have the results and errors of the history.

        ``handlers`` do, by their resources, what the history has no result for: the task that ran when it ended, and
        tasks on a path that AWS's execution did not take. Without one such a task stays open. What differs from the
        history is in ``Replay.differences``.
        """
        return _replay(self, definition, handlers or {})


class Difference(NamedTuple):
    """Where the local execution and the recorded one part. ``event`` is the number of AWS's event, if there is one."""

    place: str
    text: str
    event: int | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" + (f" (event {self.event})" if self.event is not None else "")


class Replay:
    """A replayed execution: ``execution`` is on ``executor``, an engine on a virtual clock. Close it, or use ``with``.

    A failed one can be redriven with handlers that are registered now: it goes on from the state that failed.
    """

    def __init__(
        self, history: AwsHistory, executor: TestExecutor, execution: TestExecution, recorded: Recorded
    ) -> None:
        self.history, self.executor, self.execution = history, executor, execution
        self.differences = list(_differences(recorded, execution.states.level))
        """Where it went another way than on AWS, or had another input."""

    @property
    def failing_state(self) -> StateRun | None:
        """The state that failed, or is still open where the history ends; None: it succeeded."""
        level = self.execution.states.level
        if level.status == "Succeeded":
            return None
        found = [run for run in level.walk() if run.status in ("Failed", "Running")]
        return next((run for run in reversed(found) if not run.levels), None)

    def close(self) -> None:
        """Close the engine."""
        self.executor.close()

    def __enter__(self) -> Replay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _replay(history: AwsHistory, definition: Definition, handlers: Mapping[str, Handler]) -> Replay:
    """Run a definition with what a history says of its tasks."""
    text = definition_text(definition)
    recorded = Recorded(history, compile_definition(text))
    mock = _Recordings(recorded, Handlers(handlers))
    executor = TestExecutor(mock=mock, handlers=handlers, start=history.started_at)
    executor.counts_for_coverage = False
    try:
        mock.storage = executor.storage
        executor.deploy(WORKFLOW, without_distributed_maps(loads(text)))
        execution = executor.start(WORKFLOW, history.input)
        with suppress(WaitTimeout):  # a task stays open where the history ends
            execution.wait()
            for _ in range(history.redrives):
                if execution.status == SUCCEEDED:
                    break
                executor.redrive(execution.id).wait()
        mock.is_over = True
        return Replay(history, executor, execution, recorded)
    except BaseException:
        executor.close()
        raise


class _Recordings(Mock):
    """Answers tasks as the history has it: by their state and place, in their order."""

    def __init__(self, recorded: Recorded, handlers: Handlers) -> None:
        super().__init__()
        self._outcomes = recorded.outcomes
        self._handlers = handlers
        self._calls: Counter[tuple[str, Place]] = Counter()
        self._answers: dict[str, Answer | None] = {}
        self.storage: Storage | None = None
        self.is_over = False
        """Whether the replay has ended: what runs from now on is a redrive."""

    def answer(self, call: MockCall) -> Answer | None:
        if self.is_over:
            return None
        if call.task_id not in self._answers:
            self._answers[call.task_id] = self._next(call)
        return self._answers[call.task_id]

    def _next(self, call: MockCall) -> Answer | None:
        assert self.storage is not None
        key = call.state, _place_of(self.storage, call.task_id)
        outcomes, number = self._outcomes.get(key, []), self._calls[key]
        self._calls[key] += 1
        outcome = outcomes[number] if number < len(outcomes) else None
        if outcome is None:  # AWS has no result for it
            is_handled = self._handlers.find(parse_resource(call.resource), lambda: call.input) is not None
            return None if is_handled else Answer(kind="hangs")
        if outcome.error is not None:
            return Answer(kind="fails", error=outcome.error, cause=outcome.cause)
        return Answer(kind="returns", value=outcome.value)


def _place_of(storage: Storage, task_id: str) -> Place:
    """The iterations that a task is in, the outermost first."""
    found: list[tuple[str, int]] = []
    for inner, outer in pairwise(activities_around(storage, task_id)):
        row = storage.get(IterationContext, inner.parent_iteration_id) if inner.parent_iteration_id else None
        if row is not None:
            found.insert(0, (outer.state_name, row.index))
    return tuple(found)


# the comparison


def _differences(recorded: Recorded, level: LevelRun) -> Iterator[Difference]:
    done: Counter[tuple[str, Place]] = Counter()
    for run in level.walk():
        key = run.name, _place_of_run(run)
        number = done[key]
        done[key] += 1
        entries = recorded.entries.get(key, [])
        if number >= len(entries):
            yield Difference(run.place, "it ran here, and not on AWS")
            continue
        found = json_difference(entries[number].input, run.input)
        if found is not None:
            yield Difference(run.place, f"its input was another one on AWS: {found}", entries[number].event)
    left = [entry for key, entries in recorded.entries.items() for entry in entries[done[key] :]]
    for entry in sorted(left, key=lambda entry: entry.event):
        place = "".join(f"{name}[{index}]/" for name, index in entry.place)
        yield Difference(f"{place}{entry.state}", "it ran on AWS, and not here", entry.event)


def _place_of_run(run: StateRun) -> Place:
    found: list[tuple[str, int]] = []
    level = run.level
    while level.parent is not None:
        if level.kind == "iteration":
            found.insert(0, (level.parent.name, level.index))
        level = level.parent.level
    return tuple(found)
