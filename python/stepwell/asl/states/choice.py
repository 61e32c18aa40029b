"""Choice: the first rule that holds determines the next state (ASL A9)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from stepwell.asl import jsonata_flow
from stepwell.asl.choice import Test, compile_rule
from stepwell.asl.errors import runtime_error
from stepwell.asl.flow import JSONATA, Finish, compile_effective_input, compile_input_finish, pass_on
from stepwell.asl.outcome import Outcome
from stepwell.asl.scope import Scope
from stepwell.asl.states.base import State


class Rule(Struct, frozen=True):
    """A top-level rule: its test, its target, and its Assign and Output."""

    test: Test
    next: str
    finish: Finish


class ChoiceState(State):
    """A Choice state. ``identity``: for every choice, the output is the raw input and no variables are set."""

    type = "Choice"

    def __init__(self, name: str, definition: dict[str, Any], language: str) -> None:
        super().__init__(name, definition, language)
        self.default: str | None = definition.get("Default")
        self._effective = compile_effective_input(definition, language)
        finishes = [
            _compile_rule_finish(definition, rule, language, index) for index, rule in enumerate(definition["Choices"])
        ]
        default_finish = compile_input_finish(definition, language)
        self.identity = self._effective is None and default_finish is None and not any(finishes)
        self._default_finish = default_finish or pass_on
        self.rules = tuple(
            Rule(_compile_test(rule, language, index), rule["Next"], finish or pass_on)
            for index, (rule, finish) in enumerate(zip(definition["Choices"], finishes, strict=True))
        )

    def choose_rule(self, scope: Scope) -> int | None:
        """The index of the first rule that holds; None: none does."""
        effective = scope if self._effective is None else scope.with_input(self._effective(scope))
        return next((index for index, rule in enumerate(self.rules) if rule.test(effective)), None)

    def choose(self, scope: Scope) -> tuple[str, Outcome]:
        """The next state's name and the outcome; the state's own Assign and Output apply if no rule holds."""
        effective = scope if self._effective is None else scope.with_input(self._effective(scope))
        for rule in self.rules:
            if rule.test(effective):
                return rule.next, rule.finish(scope, effective.input)
        if self.default is None:
            raise runtime_error("Failed to transition out of the state. The state does not point to a next state.")
        return self.default, self._default_finish(scope, effective.input)


def _compile_test(rule: dict[str, Any], language: str, index: int) -> Test:
    if language == JSONATA:
        condition = jsonata_flow.compile_typed_field(rule, "Condition", "boolean", prefix=f"Choices[{index}]/")
        assert condition is not None
        return condition
    return compile_rule(rule)


def _compile_rule_finish(state: dict[str, Any], rule: dict[str, Any], language: str, index: int) -> Finish | None:
    if language == JSONATA:
        return compile_input_finish(rule, language, rule=f"Choices[{index}]")
    own = {key: rule[key] for key in ("Assign",) if key in rule}
    shared = {key: state[key] for key in ("OutputPath",) if key in state}
    return compile_input_finish({**own, **shared}, language)
