"""Choice: which rule is taken, and what it makes of the input."""

import pytest

from stepwell.asl.definition import Outcome

BOTH_RULES = [
    {"Variable": "$.n", "NumericLessThan": 10, "Next": "A"},
    {"Variable": "$.n", "IsNumeric": True, "Next": "B"},
]


@pytest.mark.covers("A9.52")
def test_the_first_rule_that_holds_is_taken(compile_state, scope):
    state = compile_state({"Type": "Choice", "Choices": BOTH_RULES, "Default": "C"})
    assert state.identity
    assert state.choose(scope({"n": 1})) == ("A", Outcome({"n": 1}, None))
    assert state.choose(scope({"n": 11}))[0] == "B"
    assert state.choose(scope({"n": "x"}))[0] == "C"


@pytest.mark.covers("A9.52", "A6 States.NoChoiceMatched")
def test_no_rule_and_no_default_is_states_runtime(compile_state, scope, fails):
    state = compile_state({"Type": "Choice", "Choices": BOTH_RULES})
    cause = "Failed to transition out of the state. The state does not point to a next state."
    assert fails(state.choose, scope({"n": "x"})) == ("States.Runtime", cause, None)


@pytest.mark.covers("A3.9")
def test_rules_read_the_input_after_input_path_and_output_path_shapes_it(compile_state, scope):
    state = compile_state(
        {"Type": "Choice", "InputPath": "$.in", "OutputPath": "$.n", "Choices": BOTH_RULES, "Default": "C"}
    )
    assert not state.identity
    assert state.choose(scope({"in": {"n": 3}})) == ("A", Outcome(3, None))


@pytest.mark.covers("A5.26")
def test_each_rule_assigns_and_the_state_only_by_default(compile_state, scope):
    rules = [{**BOTH_RULES[0], "Assign": {"small.$": "$.n"}}, BOTH_RULES[1]]
    state = compile_state({"Type": "Choice", "Choices": rules, "Default": "C", "Assign": {"none": True}})
    assert state.choose(scope({"n": 1}))[1].assigned == {"small": 1}
    assert state.choose(scope({"n": 11}))[1].assigned is None
    assert state.choose(scope({"n": "x"}))[1].assigned == {"none": True}


JSONATA = {
    "Type": "Choice",
    "QueryLanguage": "JSONata",
    "Choices": [
        {"Condition": "{% $states.input.n > $limit %}", "Next": "A", "Output": {"over": "{% $states.input.n %}"}},
        {"Condition": "{% $states.input.n = 0 %}", "Next": "B", "Assign": {"zero": "{% $limit %}"}},
    ],
    "Default": "C",
    "Output": "by default",
}


@pytest.mark.covers("A4.25", "A5.26", "A9.52")
def test_jsonata_rules_have_outputs_of_their_own(compile_state, scope):
    state = compile_state(JSONATA)
    assert state.choose(scope({"n": 5}, limit=4)) == ("A", Outcome({"over": 5}, None))
    assert state.choose(scope({"n": 0}, limit=4)) == ("B", Outcome({"n": 0}, {"zero": 4}))
    assert state.choose(scope({"n": 1}, limit=4)) == ("C", Outcome("by default", None))


def test_jsonata_rules_without_outputs_are_the_identity(compile_state, scope):
    state = compile_state(
        {**JSONATA, "Choices": [{"Condition": "{% false %}", "Next": "A"}], "Output": "{% $states.input %}"}
    )
    assert not state.identity
    bare = {key: value for key, value in JSONATA.items() if key != "Output"}
    state = compile_state({**bare, "Choices": [{"Condition": "{% true %}", "Next": "A"}]})
    assert state.identity
    assert state.choose(scope(1)) == ("A", Outcome(1, None))


@pytest.mark.covers("A9.52", "A4.23")
def test_a_condition_must_be_boolean(compile_state, scope, fails):
    rules = [{"Condition": "{% false %}", "Next": "A"}, {"Condition": "{% $states.input %}", "Next": "B"}]
    state = compile_state({**JSONATA, "Choices": rules})
    cause = (
        "The JSONata expression '$states.input' specified for the field 'Choices[1]/Condition' returned an unexpected "
        "result type. Expected 'boolean', but was 'number' for value: 1"
    )
    assert fails(state.choose, scope(1)) == ("States.QueryEvaluationError", cause, "Choices[1]/Condition")


@pytest.mark.covers("A4.23")
def test_the_output_of_a_rule_is_named(compile_state, scope, fails):
    rules = [{"Condition": True, "Next": "A", "Output": ["{% $gone %}"]}]
    state = compile_state({**JSONATA, "Choices": rules})
    assert fails(state.choose, scope(1))[2] == "Choices[0]/Output[0]"
