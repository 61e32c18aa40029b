"""Assertions about what an execution did: its path, and the inputs, outputs and attempts of its states."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from stepwell.asl.json import is_array, is_object
from stepwell.engine.client.state_runs import LevelRun, StateRun
from stepwell.errors import InvalidInput

if TYPE_CHECKING:
    from stepwell.engine.api.execution_view import ExecutionView
    from stepwell.engine.api.states import States

Step: TypeAlias = Any
"""A state's name; ``...`` for any states, or none; or ``{name: [a path for each branch, iteration or child]}``.

``{name: {0: path, 2: path}}`` compares some of them, ``{name: {"*": path}}`` each of them with one path.
"""

EACH = "*"


def assert_path(execution: ExecutionView, expected: Sequence[Step]) -> None:
    """Assert which states an execution was in, in order.

    A name alone says nothing of what is within a Parallel or Map state. ``...`` stands for any states, or none. Of a
    state that was retried the branches or iterations of its last attempt count. Raises ``AssertionError`` with a
    difference, ``InvalidInput`` for an expectation that is no path.

    >>> assert_path(execution, ["Reserve", {"Fulfil": [["Pack", "Ship"], ["Bill"]]}, ..., "Done"])
    """
    __tracebackhide__ = True
    _check_path(expected, "the path")
    level = execution.states.level
    if not _is_path(list(expected), level.states):
        raise AssertionError(_difference(execution, expected, level))


class Assertions:
    """What a test asks of an execution beside ``states`` and ``path``."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def states(self) -> States: ...

    def assert_path(self, expected: Sequence[Step]) -> None:
        """Assert which states it was in, as ``stepwell.testing.assert_path`` does."""
        __tracebackhide__ = True
        assert_path(cast("ExecutionView", self), expected)

    def attempts(self, state: str) -> int:
        """How often a state was attempted, in all of its runs."""
        return sum(len(run.attempts) for run in self.states.of(state))

    def inputs(self, state: str) -> list[Any]:
        """The input of each run of a state, in order."""
        return [run.input for run in self.states.of(state)]

    def outputs(self, state: str) -> list[Any]:
        """The output of each run of a state, in order; None for one that failed or has not ended."""
        return [run.output for run in self.states.of(state)]


# the comparison


def _is_path(expected: list[Step], runs: list[StateRun]) -> bool:
    """Whether runs are as expected: ``reached`` has the counts of runs that the steps up to now may stand for."""
    reached = {0}
    for step in expected:
        if step is ...:
            reached = set(range(min(reached), len(runs) + 1))
        else:
            reached = {count + 1 for count in reached if count < len(runs) and _is_step(step, runs[count])}
        if not reached:
            return False
    return len(runs) in reached


def _is_step(step: Step, run: StateRun) -> bool:
    if isinstance(step, str):
        return step == run.name
    name, paths = _parts(step)
    if name != run.name:
        return False
    levels = run.levels
    if isinstance(paths, list) and len(paths) != len(levels):
        return False
    return all(
        ((found := _levels_at(index, levels)) and all(_is_path(path, level.states) for level in found))
        or (index == EACH and not levels)
        for index, path in _by_index(paths)
    )  # fmt: skip


def _parts(step: dict[str, Any]) -> tuple[str, list[Any] | dict[Any, Any]]:
    ((name, paths),) = step.items()
    return name, paths


def _by_index(paths: list[Any] | dict[Any, Any]) -> list[tuple[Any, list[Step]]]:
    """The paths of branches or iterations by their place among them, or by ``*``."""
    pairs = paths.items() if isinstance(paths, dict) else enumerate(paths)
    return [(index, list(path)) for index, path in pairs]


def _levels_at(index: Any, levels: list[LevelRun]) -> list[LevelRun]:
    return levels if index == EACH else levels[index : index + 1]


def _check_path(path: Any, place: str) -> None:
    if not isinstance(path, list | tuple):
        raise InvalidInput(f"{place} is a list of names of states, not {path!r}")
    for number, step in enumerate(cast("Sequence[Any]", path)):
        if not isinstance(step, str) and step is not ...:
            _check_step(step, f"{place}[{number}]")


def _check_step(step: Any, place: str) -> None:
    if not is_object(step) or len(step) != 1:
        raise InvalidInput(f"{place} is a name, ... or one state with its paths, not {step!r}")
    name, paths = _parts(step)
    if not is_array(paths) and not isinstance(paths, dict):
        raise InvalidInput(f"{place}: {name!r} has a list of paths, or an object of them by index, not {paths!r}")
    for index, path in paths.items() if isinstance(paths, dict) else enumerate(paths):
        if index != EACH and not isinstance(index, int):
            raise InvalidInput(f'{place}: {name!r} has paths by index, or by "*", not by {index!r}')
        _check_path(path, f"{place}[{name!r}][{index}]")


# the text of a failure


def _difference(execution: ExecutionView, expected: Sequence[Step], level: LevelRun) -> str:
    wanted, done = list(_expected_lines(expected, "")), list(_done_lines(expected, level.states, ""))
    lines = list(difference(wanted, done))
    failed = [f"{run.place} failed: {_failure(run)}" for run in level.walk(10) if run.status in ("Failed", "Caught")]
    end = execution.aws_status + (f", {execution.error}" if execution.error is not None else "")
    head = f"the execution took another path (- expected, + done); it is {end}:"
    return "\n".join([head, *lines, *failed[:10]])


def difference(wanted: list[str], found: list[str]) -> Iterator[str]:
    """The lines of two texts: ``-`` before those that are wanted and missing, ``+`` before those that came instead."""
    for kind, i, j, k, m in difflib.SequenceMatcher(None, wanted, found, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from (f"  {line}" for line in wanted[i:j])
        else:
            yield from (f"- {line}" for line in wanted[i:j])
            yield from (f"+ {line}" for line in found[k:m])


def _failure(run: StateRun) -> str:
    return ": ".join(text for text in (run.error, run.cause) if text) or "without an error's name"


def _expected_lines(path: Sequence[Step], indent: str) -> Iterator[str]:
    for step in path:
        if isinstance(step, dict):
            name, paths = _parts(cast("dict[str, Any]", step))
            yield f"{indent}{name}"
            for index, inner in _by_index(paths):
                yield from _expected_lines(inner, f"{indent}  [{index}] ")
        else:
            yield f"{indent}{'...' if step is ... else step}"


def _done_lines(expected: Sequence[Step], runs: list[StateRun], indent: str) -> Iterator[str]:
    """What was done; what is within a state only where the expectation says something of it."""
    asked = dict(_parts(cast("dict[str, Any]", step)) for step in expected if isinstance(step, dict))
    for run in runs:
        yield f"{indent}{run.name}"
        if run.name not in asked:
            continue
        paths = dict(_by_index(asked[run.name]))
        for place, level in enumerate(run.levels):
            shown = place if place in paths or EACH not in paths else EACH
            if shown in paths or isinstance(asked[run.name], list):
                yield from _done_lines(paths.get(shown, []), level.states, f"{indent}  [{shown}] ")
