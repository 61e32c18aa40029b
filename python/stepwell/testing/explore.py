"""Exploration: a workflow runs again and again, and each time something else goes wrong.

The seed of a run decides the order in which handlers are called, where the process dies, and which results are lost,
late or repeated. The engine promises that an execution ends as if nothing had happened, and that a handler is called at
least once. So what a failing seed finds is a handler that does its work twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, TypeAlias

from msgspec import Struct

from stepwell.asl.json import dumps, loads
from stepwell.engine.client.arguments import Definition, definition_text
from stepwell.engine.status import SUCCEEDED
from stepwell.tasks.calls import Call
from stepwell.tasks.handlers import Handler

from .normalized import Normalizer
from .virtual_time.base import START
from .virtual_time.durations import Time
from .virtual_time.executions import TestExecution
from .virtual_time.executor import TestExecutor
from .virtual_time.pool import Job

HandlersOrMaker: TypeAlias = Mapping[str, Handler] | Callable[[], Mapping[str, Handler]]
RATES = (0.0, 0.02, 0.1, 0.3)
"""How likely each thing goes wrong at each moment: a run draws one of them."""
SHOWN = 40
"""How many of the last steps the text of a failure shows."""
WORKFLOW = "explored"


class Exploration(Struct, frozen=True):
    """What was explored: the seeds, and how often handlers were called and things went wrong in all runs."""

    seeds: Sequence[int]
    calls: int
    crashes: int
    late: int
    repeated: int


class ExploreFailed(AssertionError):
    """A seed fails. ``trace`` says step by step what happened."""

    def __init__(self, seed: int | None, trace: list[str], problem: str) -> None:
        self.seed, self.trace = seed, trace
        if seed is None:
            how = "the run without any disturbance fails"
        else:
            how = f"seed {seed} fails, and replays with explore(…, seed={seed})"
        steps = "".join(f"\n  {step}" for step in trace[-SHOWN:])
        super().__init__(f"{how}: {problem}" + (f"\nwhat happened:{steps}" if steps else ""))


class Chaos:
    """What goes wrong in the run of one seed (``Disturbance``)."""

    def __init__(self, seed: int, most_crashes: int, has_late: bool) -> None:
        self.seed = seed
        self._random = Random(f"stepwell {seed}")
        self._left, self._has_late = most_crashes, has_late
        self._crash, self._lose, self._late, self._repeat = (self._random.choice(RATES) for _ in range(4))
        self.trace: list[str] = []
        self.calls = self.crashes = self.late = self.repeated = 0

    def pick(self, jobs: Sequence[Job]) -> int:
        index = self._random.randrange(len(jobs))
        self.calls += 1
        self._note(f"{jobs[index].call.resource} is called", jobs[index].call)
        return index

    def crashes_after_batch(self) -> bool:
        return self._dies(self._crash, "the process dies after a batch, and is opened again")

    def crashes_before_result(self, call: Call) -> bool:
        text = f"the process dies before the result of {call.resource} ({call.state_name}) is recorded"
        return self._dies(self._lose, text)

    def lateness(self, call: Call, deadline: int, now: int) -> int:
        if not self._has_late or not deadline or self._random.random() >= self._late:
            return 0
        self.late += 1
        self._note(f"the result of {call.resource} comes after its timeout", call)
        return max(1, deadline - now + self._random.randrange(1, 60) * 1_000_000)

    def repeats(self, call: Call) -> bool:
        if self._random.random() >= self._repeat:
            return False
        self.repeated += 1
        self._note(f"the result of {call.resource} comes twice", call)
        return True

    def _dies(self, rate: float, text: str) -> bool:
        if self._random.random() >= rate or not self._left:
            return False
        self._left -= 1
        self.crashes += 1
        self.trace.append(text)
        return True

    def _note(self, text: str, call: Call) -> None:
        self.trace.append(f"{text} (state {call.state_name}, attempt {call.attempt}, task {call.id[-8:]})")


def explore(
    definition: Definition,
    handlers: HandlersOrMaker,
    input: Any = None,
    *,
    check: Callable[[TestExecution], object] | None = None,
    script: Callable[[TestExecutor, TestExecution], object] | None = None,
    arrange: Callable[[TestExecutor], object] | None = None,
    seed: int | None = None,
    seeds: int | None = None,
    crashes: int = 3,
    late: bool = True,
    type: str = "STANDARD",
    start: Time = START,
) -> Exploration:
    """Run an execution once for each seed, and let things go wrong: raise ``ExploreFailed`` for the first that fails.

    ``handlers`` are functions by resource, or a function that makes them anew for each run, with what they work on.
    ``check(execution)`` raises if a run was wrong; without it, the undisturbed run must succeed, and each run must end
    as that one does, whatever UUIDs, ids and times its output has. ``script(executor, execution)`` takes the execution
    to its end, where waiting for it is not enough: it gives approvals, say. ``arrange(executor)`` prepares the engine:
    mocks, other workflows.

    ``seed`` runs that seed alone; with ``seeds`` so many from there on. Default: 100 seeds from 0. A run has at most
    ``crashes`` crashes. ``late=False``: no result comes after its task's timeout.
    """
    first = 0 if seed is None else seed
    count = seeds if seeds is not None else 100 if seed is None else 1
    run = _Run(definition, handlers, input, check, script, arrange, type, start)
    expected = run.undisturbed()
    chosen = range(first, first + count)
    made = [run.disturbed(Chaos(number, crashes, late), expected) for number in chosen]
    return Exploration(
        chosen,
        sum(chaos.calls for chaos in made),
        sum(chaos.crashes for chaos in made),
        sum(chaos.late for chaos in made),
        sum(chaos.repeated for chaos in made),
    )


class _Run(Struct, frozen=True):
    """Runs of one workflow, each in an engine of its own."""

    definition: Definition
    handlers: HandlersOrMaker
    input: Any
    check: Callable[[TestExecution], object] | None
    script: Callable[[TestExecutor, TestExecution], object] | None
    arrange: Callable[[TestExecutor], object] | None
    type: str
    start: Time

    def undisturbed(self) -> tuple[Any, ...]:
        """How it ends if nothing goes wrong."""
        try:
            end = self._once(None)
        except Exception as error:
            raise ExploreFailed(None, [], f"{error.__class__.__name__}: {error}") from error
        if self.check is None and end[0] != SUCCEEDED:
            raise ExploreFailed(None, [], f"it ended as {end!r}; if it is to, say so in `check`")
        return end

    def disturbed(self, chaos: Chaos, expected: tuple[Any, ...]) -> Chaos:
        """The run of a seed. Raises ``ExploreFailed``."""
        try:
            end = self._once(chaos)
        except Exception as error:
            raise ExploreFailed(chaos.seed, chaos.trace, f"{error.__class__.__name__}: {error}") from error
        if self.check is None and not chaos.late and end != expected:
            problem = f"it ended as {end!r}, and without disturbances as {expected!r}"
            raise ExploreFailed(chaos.seed, chaos.trace, problem)
        return chaos

    def _once(self, chaos: Chaos | None) -> tuple[Any, ...]:
        handlers = self.handlers() if callable(self.handlers) else self.handlers
        with TestExecutor(handlers=handlers, start=self.start) as executor:
            if self.arrange is not None:
                self.arrange(executor)
            executor.deploy(WORKFLOW, self.definition, type=self.type)
            executor.disturb(chaos)
            execution = executor.start(WORKFLOW, self.input)
            if self.script is not None:
                self.script(executor, execution)
            execution.wait()
            executor.disturb(None)
            if self.check is not None:
                self.check(execution)
            row = execution.context()
            return row.status, row.error, self._normalized(row.output)

    def _normalized(self, output: bytes | None) -> str | None:
        """An output without what two runs may differ in: each seed has other UUIDs."""
        if not output:
            return None
        given = [definition_text(self.definition), dumps(self.input)]
        return dumps(Normalizer(*given, ids=[])(loads(output))).decode()
