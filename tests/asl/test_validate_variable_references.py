"""The variables that each state reads."""

import pytest

from stepwell.asl.variable_references import variable_references

PASS = {"Type": "Pass", "End": True}


def references(state, **machine):
    return variable_references({"StartAt": "S", "States": {"S": {**PASS, **state}}, **machine}).get("S", [])


@pytest.mark.covers("A3.14")
def test_paths_and_intrinsic_calls_read_variables():
    assert references({"InputPath": "$a.b", "OutputPath": "$c[0]"}) == ["a", "c"]
    assert references({"Parameters": {"x.$": "States.Format('$no {}', $a, $$.Execution.Id)", "y": "$no"}}) == ["a"]
    assert references({"Assign": {"x.$": "$a"}, "Result": {"y.$": "$no"}}) == ["a"]
    assert references({"Parameters": {"InputPath": "$no", "$.$": "$.no"}}) == []


@pytest.mark.covers("A3.14")
def test_expressions_read_variables_that_they_do_not_bind():
    output = "{% ($y := $x; $sum($map($xs, function($v){$v + $y})) + $states.input.a) %}"
    assert references({"Output": {"Comment": output}}, QueryLanguage="JSONata") == ["x", "xs"]
    assert references({"Comment": "{% $no %}"}, QueryLanguage="JSONata") == []


def test_states_inside_are_states_of_their_own():
    inner = {"StartAt": "I", "States": {"I": {**PASS, "InputPath": "$inner"}}}
    state = {"Type": "Map", "ItemsPath": "$items", "ItemProcessor": inner, "End": True}
    assert variable_references({"StartAt": "S", "States": {"S": state}}) == {"S": ["items"], "I": ["inner"]}
