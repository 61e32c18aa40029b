"""The order of a state's stages, against a plain reading of the specification; and that no stage changes a value."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.asl.definition import compile_definition
from stepwell.asl.outcome import Outcome
from stepwell.asl.scope import Scope

# Every stage reads fields that every value has, so that any order gives a value and only the right one the right value.
RAW = {"in": {"x": "raw", "r": 1}, "x": "outer"}
RESULT = {"x": "result", "in": {"x": "result inside"}}

INPUT_PATHS = st.sampled_from([{}, {"InputPath": "$"}, {"InputPath": "$.in"}, {"InputPath": None}, {"InputPath": "$v"}])
PARAMETERS = st.sampled_from([{}, {"Parameters": {"x.$": "$", "k": 1}}, {"Parameters": {"v.$": "$v.x"}}])
SELECTORS = st.sampled_from([{}, {"ResultSelector": {"x.$": "$.x", "was.$": "$v"}}])
RESULT_PATHS = st.sampled_from([{}, {"ResultPath": "$"}, {"ResultPath": None}, {"ResultPath": "$.in.res"}])
OUTPUT_PATHS = st.sampled_from([{}, {"OutputPath": "$"}, {"OutputPath": "$.x"}, {"OutputPath": None}])
ASSIGNS = st.sampled_from([{}, {"Assign": {"v.$": "$", "old.$": "$v"}}])


def fields(*choices):
    return st.tuples(*choices).map(lambda chosen: {key: value for field in chosen for key, value in field.items()})


def expected(state, variables):
    """(arguments, output, assigned) as the specification has them."""

    def path(text, root):
        if text is None:
            return {}
        value = variables["v"] if text.startswith("$v") else root
        return value["x"] if text.endswith(".x") else value["in"] if text.endswith(".in") else value

    def template(fields, root):
        return {
            key.removesuffix(".$"): path(value, root) if key.endswith(".$") else value for key, value in fields.items()
        }

    effective = path(state.get("InputPath", "$"), RAW)
    arguments = template(state["Parameters"], effective) if "Parameters" in state else effective
    result = template(state["ResultSelector"], RESULT) if "ResultSelector" in state else RESULT
    match state.get("ResultPath", "$"):
        case None:
            combined = RAW
        case "$":
            combined = result
        case _:
            combined = {**RAW, "in": {**RAW["in"], "res": result}}
    output = path(state.get("OutputPath", "$"), combined)
    return arguments, output, template(state["Assign"], RESULT) if "Assign" in state else None


@pytest.mark.covers("A3.9", "A3.10", "A3.13", "A5.27")
@given(fields(INPUT_PATHS, PARAMETERS, SELECTORS, RESULT_PATHS, OUTPUT_PATHS, ASSIGNS))
def test_the_order_of_the_stages(state):
    task = {"Type": "Task", "Resource": "f", "End": True, **state}
    compiled = compile_definition({"StartAt": "S", "States": {"S": task}}).states["S"]
    raw, variables = copy.deepcopy(RAW), {"v": {"x": "variable"}}
    scope = Scope(raw, variables, dict)

    arguments, output, assigned = expected(state, variables)
    assert compiled.arguments(scope) == arguments
    assert compiled.finish(scope, RESULT) == Outcome(output, assigned)
    if compiled.arguments_identity:
        assert arguments == RAW
    if compiled.result_identity:
        assert (output, assigned) == (RESULT, None)
    assert (raw, variables) == (RAW, {"v": {"x": "variable"}})


@given(fields(INPUT_PATHS, PARAMETERS, RESULT_PATHS, OUTPUT_PATHS))
def test_a_pass_state_that_is_the_identity_is_one(state):
    machine = {"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True, **state}}}
    compiled = compile_definition(machine).states["S"]
    if compiled.identity:
        assert compiled.run(Scope(RAW, {"v": {"x": 1}}, dict)) == Outcome(RAW)


def test_results_share_nothing_that_a_later_stage_changes():
    task = {"Type": "Task", "Resource": "f", "End": True, "ResultPath": "$.a.b"}
    compiled = compile_definition({"StartAt": "S", "States": {"S": task}}).states["S"]
    raw = {"a": {"b": 1, "c": 2}}
    assert compiled.finish(Scope(raw, {}, dict), 5).output == {"a": {"b": 5, "c": 2}}
    assert raw == {"a": {"b": 1, "c": 2}}
