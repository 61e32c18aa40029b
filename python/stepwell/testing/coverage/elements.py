"""What can be covered in a definition: its elements, and those that a run of a state covers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from stepwell.asl.states import ChoiceState, MapState, ParallelState, State
from stepwell.asl.states.base import WorkState
from stepwell.engine.client.run_marks import edges_of
from stepwell.engine.client.state_runs import StateRun
from stepwell.graph.labels import rule_text, shortened

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine

KINDS = ("state", "rule", "catcher", "retrier", "branch")
"""What is counted. ``default`` counts as a rule, the processor of a Map state (``iteration``) as a branch."""
_COUNTED_AS = {"default": "rule", "iteration": "branch"}


class Element(Struct, frozen=True, order=True):
    """A part of a state: ``kind``, the state's name, and the index of the rule, catcher, retrier or branch."""

    kind: str
    state: str
    index: int = 0

    @property
    def counted_as(self) -> str:
        """The kind that it is counted as."""
        return _COUNTED_AS.get(self.kind, self.kind)

    @property
    def key(self) -> str:
        """A text of it for JSON: ``rule:1:Enough?``."""
        return f"{self.kind}:{self.index}:{self.state}"

    @classmethod
    def of_key(cls, key: str) -> Element:
        """The element of a key."""
        kind, index, state = key.split(":", 2)
        return cls(kind, state, int(index))


def elements_of(machine: StateMachine) -> list[Element]:
    """Everything that can be covered, state by state; what is within a state follows it."""
    return [element for state in machine.states.values() for element in _with_inner(state)]


def _with_inner(state: State) -> Iterator[Element]:
    yield from _of_state(state)
    levels = state.branches if isinstance(state, ParallelState) else ()
    for level in (state.processor,) if isinstance(state, MapState) else levels:
        yield from elements_of(level)


def _of_state(state: State) -> Iterator[Element]:
    name = state.name
    yield Element("state", name)
    if isinstance(state, ChoiceState):
        yield from (Element("rule", name, index) for index in range(len(state.rules)))
        if state.default is not None:
            yield Element("default", name)
    if isinstance(state, WorkState):
        yield from (Element("retrier", name, index) for index in range(len(state.retriers)))
        yield from (Element("catcher", name, index) for index in range(len(state.catchers)))
    if isinstance(state, ParallelState):
        yield from (Element("branch", name, index) for index in range(len(state.branches)))
    if isinstance(state, MapState):
        yield Element("iteration", name)


def covered_by(run: StateRun) -> Iterator[Element]:
    """The elements that a run of a state covers, and the transition (``next``) that it took."""
    name = run.name
    yield Element("state", name)
    for kind, index in ((edge[1], edge[2]) for edge in edges_of(run)):
        yield Element("catcher" if kind == "catch" else kind, name, index)
    for attempt in run.attempts:
        if attempt.retrier is not None:
            yield Element("retrier", name, attempt.retrier)
        yield from (Element("branch", name, level.index) for level in attempt.levels if level.kind == "branch")
    if isinstance(run.state, MapState) and (run.levels or any(attempt.levels for attempt in run.attempts)):
        yield Element("iteration", name)


def described(element: Element, state: dict[str, Any]) -> str:
    """An element in words; ``state`` is the definition of its state."""
    name, index = element.state, element.index
    match element.kind:
        case "rule":
            return f"rule {index} of {name} ({shortened(rule_text(state['Choices'][index]), 60)})"
        case "default":
            return f"Default of {name}"
        case "catcher":
            return f"catcher {index} of {name} ({', '.join(state['Catch'][index]['ErrorEquals'])})"
        case "retrier":
            return f"retrier {index} of {name} ({', '.join(state['Retry'][index]['ErrorEquals'])})"
        case "branch":
            return f"branch {index} of {name}"
        case "iteration":
            return f"the iterations of {name}"
        case _:
            return f"state {name}"
