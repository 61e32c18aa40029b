"""Compiling a whole machine."""

import json

import pytest

from stepwell.asl.definition import compile_definition
from stepwell.errors import InvalidDefinition

NESTED = {
    "Comment": "two levels",
    "StartAt": "P",
    "TimeoutSeconds": 60,
    "States": {
        "P": {
            "Type": "Parallel",
            "Next": "M",
            "Branches": [
                {"StartAt": "B1", "States": {"B1": {"Type": "Pass", "Next": "B2"}, "B2": {"Type": "Succeed"}}},
                {"StartAt": "B3", "States": {"B3": {"Type": "Pass", "QueryLanguage": "JSONata", "End": True}}},
            ],
        },
        "M": {
            "Type": "Map",
            "QueryLanguage": "JSONata",
            "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Wait", "Seconds": 1, "End": True}}},
            "Next": "F",
        },
        "F": {"Type": "Fail", "Error": "E"},
    },
}


@pytest.mark.parametrize("form", [lambda d: d, json.dumps, lambda d: json.dumps(d).encode()])
def test_a_definition_comes_as_a_value_or_as_text(form):
    machine = compile_definition(form(NESTED))
    assert (machine.start_at, machine.timeout_seconds, machine.query_language) == ("P", 60, "JSONPath")
    assert list(machine.states) == ["P", "M", "F"]


@pytest.mark.covers("A1.2")
def test_every_state_of_every_level_is_found_by_name():
    machine = compile_definition(NESTED)
    assert set(machine.by_name) == {"P", "M", "F", "B1", "B2", "B3", "I"}
    branch = machine.states["P"].branches[0]
    assert set(branch.states) == {"B1", "B2"}
    assert branch.by_name is machine.by_name
    assert branch.timeout_seconds is None
    assert machine.by_name["I"] is machine.states["M"].processor.states["I"]


def test_next_is_none_where_a_level_ends():
    by_name = compile_definition(NESTED).by_name
    assert {name: state.next for name, state in by_name.items()} == {
        "P": "M",
        "M": "F",
        "F": None,
        "B1": "B2",
        "B2": None,
        "B3": None,
        "I": None,
    }


@pytest.mark.covers("A1.1")
def test_the_query_language_is_the_states_or_the_machines():
    by_name = compile_definition(NESTED).by_name
    assert by_name["B3"].query_language == by_name["M"].query_language == "JSONata"
    # The states of a Map's processor take the machine's language, not the Map state's.
    assert by_name["I"].query_language == by_name["P"].query_language == "JSONPath"


@pytest.mark.covers("A12.59")
def test_a_processor_says_how_it_runs():
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "I",
        "States": {"I": {"Type": "Pass", "End": True}},
    }
    for name in ("ItemProcessor", "Iterator"):
        definition = {"StartAt": "M", "States": {"M": {"Type": "Map", name: processor, "End": True}}}
        state = compile_definition(definition).states["M"]
        assert (state.distributed, state.execution_type) == (True, "EXPRESS")


def test_a_refused_definition_raises_with_its_diagnostics():
    with pytest.raises(InvalidDefinition, match="MISSING_TRANSITION_TARGET") as raised:
        compile_definition({"StartAt": "S", "States": {"S": {"Type": "Pass", "Next": "T"}}})
    assert raised.value.diagnostics


@pytest.mark.covers("A2.7")
def test_fail_states(compile_state, scope, fails):
    assert compile_state({"Type": "Fail"}).failure(scope({})) == (None, None)
    literal = compile_state({"Type": "Fail", "Error": "E", "Cause": "c"})
    assert literal.failure(scope({})) == ("E", "c")
    by_path = compile_state({"Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('why {}', $.c)"})
    assert by_path.failure(scope({"e": "E", "c": 1})) == ("E", "why 1")
    context = compile_state({"Type": "Fail", "ErrorPath": "$$.State.Name", "CausePath": "$cause"})
    assert context.failure(scope({}, cause="c")) == ("S", "c")
    assert fails(by_path.failure, scope({"e": 1, "c": 1}))[0] == "States.Runtime"


@pytest.mark.covers("A4.23")
def test_fail_states_in_jsonata(compile_state, scope, fails):
    state = compile_state({"Type": "Fail", "QueryLanguage": "JSONata", "Error": "{% $states.input.e %}", "Cause": "c"})
    assert state.failure(scope({"e": "E"})) == ("E", "c")
    cause = (
        "The JSONata expression '$states.input.e' specified for the field 'Error' returned an unexpected result type. "
        "Expected 'string', but was 'number' for value: 1"
    )
    assert fails(state.failure, scope({"e": 1})) == ("States.QueryEvaluationError", cause, "Error")
