"""The patterns of ``=~``, matched in time linear in the text.

Java and Python backtrack, so that a short pattern can take for ever on a short text. Here a pattern becomes a
nondeterministic automaton of which all states are walked at once, and the sets of states met are remembered. What
needs backtracking (back references, looking around, possessive quantifiers) is refused when the path is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.jsonpath.regex_parser import Alternatives, Assertion, Character, Expression, Repeat, Sequence, parse
from stepwell.asl.jsonpath.run import Run

MAX_INSTRUCTIONS = 5_000
MAX_REMEMBERED = 4_096

States = frozenset[int]


class _Instruction(Struct):
    """Consume a character, check a place, or go on at one or two other instructions; with none of these: accept."""

    character: Callable[[str], bool] | None = None
    assertion: Callable[[str, str], bool] | None = None
    targets: tuple[int, ...] = ()


class Pattern:
    """A compiled pattern, which a whole text must match."""

    __slots__ = ("_instructions", "_looks_ahead", "_steps")

    def __init__(self, expression: Expression) -> None:
        builder = _Builder()
        builder.add(expression)
        builder.emit(_Instruction())
        self._instructions = builder.instructions
        self._looks_ahead = any(instruction.assertion for instruction in self._instructions)
        self._steps: dict[tuple[States, str, str], States] = {}

    def matches(self, text: str, run: Run) -> bool:
        """Whether the whole of ``text`` matches."""
        run.spend(len(text))
        states = self._closure((0,), "", text[:1])
        for position, character in enumerate(text):
            following = text[position + 1 : position + 2] if self._looks_ahead else ""
            states = self._step(states, character, following, run)
            if not states:
                return False
        return len(self._instructions) - 1 in states

    def _step(self, states: States, character: str, following: str, run: Run) -> States:
        key = (states, character, following)
        reached = self._steps.get(key)
        if reached is None:
            run.spend(len(states))
            reached = self._closure(self._consume(states, character), character, following)
            if len(self._steps) >= MAX_REMEMBERED:
                self._steps.clear()
            self._steps[key] = reached
        return reached

    def _consume(self, states: States, character: str) -> Iterable[int]:
        for state in states:
            accepts = self._instructions[state].character
            if accepts is not None and accepts(character):
                yield state + 1

    def _closure(self, starts: Iterable[int], previous: str, following: str) -> States:
        """The states reached from ``starts`` without consuming: those that consume, and the one that accepts."""
        reached: set[int] = set()
        seen = set(starts)
        pending = list(seen)
        while pending:
            state = pending.pop()
            instruction = self._instructions[state]
            if not instruction.targets:
                reached.add(state)
            elif instruction.assertion is None or instruction.assertion(previous, following):
                fresh = [target for target in instruction.targets if target not in seen]
                seen.update(fresh)
                pending.extend(fresh)
        return frozenset(reached)


class _Builder:
    """Expressions to instructions (Thompson's construction)."""

    def __init__(self) -> None:
        self.instructions: list[_Instruction] = []

    def emit(self, instruction: _Instruction) -> int:
        if len(self.instructions) >= MAX_INSTRUCTIONS:
            raise ExpressionSyntaxError("the pattern is too large")
        self.instructions.append(instruction)
        return len(self.instructions) - 1

    def add(self, expression: Expression) -> None:
        match expression:
            case Character(accepts):
                self.emit(_Instruction(character=accepts))
            case Assertion(holds):
                at = self.emit(_Instruction(assertion=holds))
                self.instructions[at].targets = (at + 1,)
            case Sequence(parts):
                for part in parts:
                    self.add(part)
            case Alternatives(choices):
                self._add_alternatives(choices)
            case Repeat(part, least, most):
                self._add_repeat(part, least, most)

    def _add_alternatives(self, choices: tuple[Expression, ...]) -> None:
        ends: list[int] = []
        for choice in choices[:-1]:
            split = self.emit(_Instruction())
            self.add(choice)
            ends.append(self.emit(_Instruction()))
            self.instructions[split].targets = (split + 1, len(self.instructions))
        self.add(choices[-1])
        for end in ends:
            self.instructions[end].targets = (len(self.instructions),)

    def _add_repeat(self, part: Expression, least: int, most: int | None) -> None:
        for _ in range(least):
            self.add(part)
        if most is None:
            split = self.emit(_Instruction())
            self.add(part)
            again = self.emit(_Instruction(targets=(split,)))
            self.instructions[split].targets = (split + 1, again + 1)
            return
        splits: list[int] = []
        for _ in range(most - least):
            splits.append(self.emit(_Instruction()))
            self.add(part)
        for split in splits:
            self.instructions[split].targets = (split + 1, len(self.instructions))


def compile_regex(text: str, flags: str) -> Pattern:
    """The pattern of ``/text/flags``."""
    return Pattern(parse(text, flags))
