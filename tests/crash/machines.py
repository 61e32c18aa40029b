"""Random state machines, inputs and workers: all machines end, and none depends on the time of day."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import strategies as st

from stepwell import TaskError
from stepwell.engine.storage.contexts import TaskContext
from stepwell.testing.simulation import HANGS

LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:work"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:polled"
ERRORS = ("Boom", "Oops", "States.TaskFailed", "States.Timeout")

Definition = dict[str, Any]

documents = st.fixed_dictionaries(
    {"n": st.integers(-3, 9), "items": st.lists(st.integers(0, 5), max_size=4)},
    optional={"text": st.sampled_from(["", "é☃", "a'b\"c\\", "x" * 300]), "deep": st.just({"a": [{"b": None}, 1.5]})},
)
"""Inputs: most paths of the machines find a value in them, some do not."""


def machines(depth: int = 2) -> st.SearchStrategy[Definition]:
    """Valid state machines, nested up to ``depth``."""
    return _Names(depth).machine()


class Worker:
    """Answers tasks depending on state, attempt and input: sometimes with an error, late or never."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.answered = 0

    def __call__(self, task: TaskContext, state_name: str, input: Any) -> Any:
        self.answered += 1
        digest = hashlib.blake2b(f"{self.seed} {state_name} {task.attempt}".encode(), digest_size=2).digest()
        choice, value = digest[0] % 8, digest[1] % 10
        if choice == 0 and state_name.endswith("hangs"):
            return HANGS
        if choice in (1, 2):
            raise TaskError(ERRORS[value % len(ERRORS)], f"said by {state_name}")
        return {"n": value, "items": list(range(value % 4)), "from": state_name}


class _Names:
    """Strategies for one machine, whose states have unique names."""

    def __init__(self, depth: int, prefix: str = "S") -> None:
        self.depth, self.prefix = depth, prefix

    def machine(self) -> st.SearchStrategy[Definition]:
        return st.integers(1, 4 if self.depth else 2).flatmap(self._of_length)

    def _of_length(self, length: int) -> st.SearchStrategy[Definition]:
        kinds = ["Pass", "Pass", "Choice", "Wait", "Task", "Task", "Callback", "Activity"]
        if self.depth:
            kinds += ["Parallel", "Map", "Parallel", "Map"]
        return st.lists(st.sampled_from(kinds), min_size=length, max_size=length).flatmap(self._of_kinds)

    def _of_kinds(self, kinds: list[str]) -> st.SearchStrategy[Definition]:
        names = [f"{self.prefix}{index}{'hangs' if kind == 'Task' else ''}" for index, kind in enumerate(kinds)]
        if kinds[-1] == "Choice":
            kinds[-1] = "Pass"
        later = [[*names[index + 1 :], f"{self.prefix}Fail", f"{self.prefix}Done"] for index in range(len(names))]
        states = {
            name: getattr(self, f"_{kind.lower()}")(name, later[index], index == len(names) - 1)
            for index, (name, kind) in enumerate(zip(names, kinds, strict=True))
        }
        ends = st.sampled_from(
            [{"Error": "Boom", "Cause": "asked for"}, {"ErrorPath": "$.text", "CausePath": "$.text"}]
        )
        return st.builds(lambda states, end: self._joined(names[0], states, end), st.fixed_dictionaries(states), ends)

    def _joined(self, start_at: str, states: dict[str, Definition], end: Definition) -> Definition:
        wanted = {target for state in states.values() for target in _targets(state)}
        if f"{self.prefix}Fail" in wanted:
            states[f"{self.prefix}Fail"] = {"Type": "Fail", **end}
        if f"{self.prefix}Done" in wanted:
            states[f"{self.prefix}Done"] = {"Type": "Succeed"}
        return {"StartAt": start_at, "States": states}

    def _pass(self, name: str, later: list[str], is_last: bool) -> st.SearchStrategy[Definition]:
        shapes = [
            {},
            {"Result": {"n": 1, "items": [1, 2, 3]}},
            {"Result": {"n": 4, "items": []}, "ResultPath": f"$.of{name}"},
            {"Parameters": {"n.$": "$.n", "items.$": "$.items", "by": name}},
            {"Parameters": {"n.$": "States.MathAdd($.n, 1)", "items.$": "States.Array($.n, $.text)"}},
            {"InputPath": "$.deep", "ResultPath": "$.was"},
            {"Assign": {f"kept{name}.$": "$.n", f"name{name}": name}},
            {"QueryLanguage": "JSONata", "Output": "{% {'n': $states.input.n + 1, 'items': [1..2]} %}"},
            {"QueryLanguage": "JSONata", "Assign": {f"kept{name}": "{% $states.input.n %}"}},
        ]
        return st.sampled_from(shapes).map(lambda shape: {"Type": "Pass", **shape, **_next(later, is_last)})

    def _choice(self, name: str, later: list[str], is_last: bool) -> st.SearchStrategy[Definition]:
        tests = st.sampled_from(
            [
                {"Variable": "$.n", "NumericGreaterThan": 3},
                {"Variable": "$.text", "IsPresent": True},
                {"Not": {"Variable": "$.n", "NumericLessThanEquals": 0}},
                {"And": [{"Variable": "$.n", "IsNumeric": True}, {"Variable": "$.items[0]", "IsPresent": True}]},
                {"Variable": "$.text", "StringMatches": "*"},
            ]
        )
        rules = st.lists(st.tuples(tests, st.sampled_from(later)), min_size=1, max_size=2)
        return rules.map(
            lambda rules: {
                "Type": "Choice",
                "Choices": [{**test, "Next": target} for test, target in rules],
                "Default": later[0],
            }
        )

    def _wait(self, name: str, later: list[str], is_last: bool) -> st.SearchStrategy[Definition]:
        forms = [
            {"Seconds": 0},
            {"Seconds": 7},
            {"Seconds": 100_000},
            {"SecondsPath": "$.n"},
            {"Timestamp": "2001-01-01T00:00:00Z"},
            {"Timestamp": "2023-11-14T22:13:40.500Z"},
        ]
        return st.sampled_from(forms).map(lambda form: {"Type": "Wait", **form, **_next(later, is_last)})

    def _task(self, name: str, later: list[str], is_last: bool) -> st.SearchStrategy[Definition]:
        shapes = st.sampled_from(
            [
                {},
                {"ResultPath": "$.result"},
                {"ResultPath": None},
                {"Parameters": {"n.$": "$.n"}},
                {"HeartbeatSeconds": 2},
            ]
        )
        timeouts = st.sampled_from([{"TimeoutSeconds": 3}, {"TimeoutSeconds": 50}])
        return st.builds(
            lambda shape, timeout, second: {
                "Type": "Task",
                "Resource": LAMBDA,
                **shape,
                **timeout,
                **_next(later, is_last),
                **second,
            },
            shapes,
            timeouts,
            _second_chances(later),
        )

    def _callback(self, name: str, later: list[str], is_last: bool) -> st.SearchStrategy[Definition]:
        task = {
            "Type": "Task",
            "Resource": CALLBACK,
            "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}},
            **_next(later, is_last),
        }
        return _second_chances(later).map(lambda second: {**task, **second})

    def _activity(self, name: str, later: list[str], is_last: bool) -> st.SearchStrategy[Definition]:
        task = {"Type": "Task", "Resource": ACTIVITY, **_next(later, is_last)}
        return _second_chances(later).map(lambda second: {**task, **second})

    def _parallel(self, name: str, later: list[str], is_last: bool) -> st.SearchStrategy[Definition]:
        branches = st.integers(1, 3).flatmap(
            lambda count: st.tuples(*(self._inner(f"{name}b{index}").machine() for index in range(count)))
        )
        shapes = st.sampled_from([{}, {"ResultPath": "$.both"}, {"ResultSelector": {"n.$": "$[0].n"}}])
        return st.builds(
            lambda branches, shape, second: {
                "Type": "Parallel",
                "Branches": list(branches),
                **shape,
                **_next(later, is_last),
                **second,
            },
            branches,
            shapes,
            _second_chances(later),
        )

    def _map(self, name: str, later: list[str], is_last: bool) -> st.SearchStrategy[Definition]:
        shapes = st.sampled_from(
            [
                {"ItemsPath": "$.items"},
                {"ItemsPath": "$.items", "MaxConcurrency": 1, "ResultPath": "$.all"},
                {
                    "ItemsPath": "$.items",
                    "MaxConcurrency": 2,
                    "ItemSelector": {"n.$": "$$.Map.Item.Value", "items": [1]},
                },
                {
                    "ItemsPath": "$.items",
                    "ItemSelector": {"n.$": "$.n", "i.$": "$$.Map.Item.Index", "items.$": "$.items"},
                },
            ]
        )
        return st.builds(
            lambda processor, shape, second: {
                "Type": "Map",
                "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **processor},
                **shape,
                **_next(later, is_last),
                **second,
            },
            self._inner(f"{name}m").machine(),
            shapes,
            _second_chances(later),
        )

    def _inner(self, prefix: str) -> _Names:
        return _Names(self.depth - 1, prefix)


def _next(later: list[str], is_last: bool) -> Definition:
    return {"End": True} if is_last else {"Next": later[0]}


def _second_chances(later: list[str]) -> st.SearchStrategy[Definition]:
    """Retry and Catch, or neither."""
    retriers = st.sampled_from(
        [
            {"ErrorEquals": ["Boom"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 2.0},
            {"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 5, "MaxAttempts": 1},
            {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 3, "MaxAttempts": 1, "MaxDelaySeconds": 4},
        ]
    )
    retry = st.one_of(st.none(), retriers)
    catch = st.one_of(st.none(), st.tuples(st.sampled_from(later), st.sampled_from(["$", "$.error", None])))
    return st.builds(
        lambda retrier, catcher: {
            **({"Retry": [retrier]} if retrier else {}),
            **(
                {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": catcher[0], "ResultPath": catcher[1]}]}
                if catcher
                else {}
            ),
        },
        retry,
        catch,
    )


def _targets(state: Definition) -> list[str]:
    targets = [state.get("Next"), state.get("Default")]
    targets += [rule["Next"] for rule in state.get("Choices", ())]
    targets += [catcher["Next"] for catcher in state.get("Catch", ())]
    return [target for target in targets if target]


ENDLESS: Definition = {
    "StartAt": "Round",
    "States": {
        "Round": {"Type": "Pass", "Next": "Again"},
        "Again": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.stop", "IsPresent": True, "Next": "Enough"}],
            "Default": "Round",
        },
        "Enough": {"Type": "Succeed"},
    },
}
"""Loops for ever."""
