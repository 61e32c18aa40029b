"""The states that an execution was in, as a program reads them: ``execution.states``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, TypeAlias, overload

from stepwell.engine.client.state_runs import LevelRun, StateRun
from stepwell.engine.quoting import shown
from stepwell.errors import InvalidInput

Path: TypeAlias = list[Any]
"""Names of states in order; one with branches or iterations is ``{name: [path of each]}``."""


class States(Sequence[StateRun]):
    """All runs of states, in order; those in branches, iterations and child executions follow the state around them.

    ``states[0]`` is the first one, ``states["Charge"]`` the only run of the state Charge. Child executions of
    Distributed Maps are read from storage when somebody reads on from the state around them.
    """

    def __init__(self, level: LevelRun) -> None:
        self.level = level
        """The execution itself, with its states as a tree."""

    @cached_property
    def _runs(self) -> list[StateRun]:
        return list(self.level.walk())

    @overload
    def __getitem__(self, index: int | str) -> StateRun: ...

    @overload
    def __getitem__(self, index: slice) -> list[StateRun]: ...

    def __getitem__(self, index: int | str | slice) -> StateRun | list[StateRun]:
        """A run by its number, or the only one of a state. Raises ``InvalidInput`` for a state that ran not once."""
        if not isinstance(index, str):
            return self._runs[index]
        found = self.of(index)
        if len(found) == 1:
            return found[0]
        if found:
            places = ", ".join(run.place for run in found[:10])
            raise InvalidInput(f"state {shown(index)} ran {len(found)} times ({places}): states.of(…) has all of them")
        ran = ", ".join(dict.fromkeys(run.name for run in self._runs)) or "none"
        raise InvalidInput(f"state {shown(index)} did not run; these did: {ran}")

    def of(self, name: str) -> list[StateRun]:
        """All runs of a state."""
        return [run for run in self._runs if run.name == name]

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[StateRun]:
        return iter(self._runs)

    def __repr__(self) -> str:
        return f"<States {path_of(self.level)}>"


def path_of(level: LevelRun) -> Path:
    """The names of the states of an execution, a branch or an iteration, in order, with what was in them."""
    return [_step(run) for run in level.states]


def _step(run: StateRun) -> str | dict[str, list[Path]]:
    levels = run.levels
    return {run.name: [path_of(level) for level in levels]} if levels else run.name
