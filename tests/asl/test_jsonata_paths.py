"""Plain paths give what the evaluator gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.asl.jsonata import UNDEFINED, compile_expression
from stepwell.asl.jsonata_paths import plain_path

LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)
STEPS = st.lists(st.sampled_from("abc"), max_size=3).map(lambda names: "".join(f".{name}" for name in names))


@given(st.sampled_from(["$states.input", "$states.result", "$v", "$w", "$states"]), STEPS, VALUES, VALUES)
def test_a_plain_path_gives_what_the_evaluator_gives(root, steps, given_input, variable):
    source = root + steps
    evaluate = compile_expression(source).evaluate
    states, variables = {"input": given_input}, {"v": variable}
    quick, slow = plain_path(source, evaluate)(states, variables), evaluate(states, variables)
    assert quick == slow
    assert type(quick) is type(slow)


@pytest.mark.parametrize("source", ["$states.input.a", "$v", "$v.a.b"])
def test_values_are_handed_on_without_the_evaluator(source):
    def never(states, variables):
        raise AssertionError

    value = {"a": {"b": [1]}}
    assert plain_path(source, never)({"input": value}, {"v": value}) in (value, {"b": [1]}, [1])


@pytest.mark.parametrize(
    "source", ["$states", "$states.input.true", "$states.input[0]", "$sum", "$v + 1", "$v.in", "$v.a "]
)
def test_other_expressions_are_the_evaluators(source):
    def asked(states, variables):
        return UNDEFINED

    assert plain_path(source, asked)({"input": {"true": 1}}, {"v": {"a": 1, "in": 2}}) is UNDEFINED
