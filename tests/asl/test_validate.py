"""What AWS refuses, with its codes, texts and places: one small definition a rule."""

import json
from copy import deepcopy

import pytest

from stepwell.asl.validate import ERROR, check_definition, check_state, validate
from stepwell.errors import InvalidDefinition

PASS = {"Type": "Pass", "End": True}
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"
TASK = {"Type": "Task", "Resource": LAMBDA, "End": True}
BRANCH = {"StartAt": "Inner", "States": {"Inner": PASS}}
DISTRIBUTED = {
    "Type": "Map",
    "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **BRANCH},
    "End": True,
}
CHOICE = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "S"}], "Default": "T"}


def machine(state=None, **more):
    return {"StartAt": "S", "States": {"S": PASS if state is None else state}, **more}


def errors(definition, type="STANDARD", **options):
    found = [problem for problem in validate(definition, type, **options) if problem.severity == ERROR]
    return [(problem.message, problem.location) for problem in found]


def codes(definition):
    return [problem.code for problem in validate(definition)]


@pytest.mark.covers("A1.1")
def test_the_machine_has_its_fields_and_no_others():
    whole = machine(Comment="c", Version="1.0", TimeoutSeconds=5, QueryLanguage="JSONPath")
    assert errors(whole) == []
    assert errors({}) == [("These fields are required: [States, StartAt]", "/")]
    assert errors({"States": {"S": PASS}}) == [("These fields are required: [StartAt]", "/")]
    assert errors(machine(Name="x")) == [("Field 'Name' is not supported", "/")]
    assert errors(machine(Version="2.0")) == [("Value should be one of the following: [1.0]", "/Version")]
    assert errors(machine(TimeoutSeconds=0)) == [("Minimum value is 1", "/TimeoutSeconds")]


@pytest.mark.covers("A1.1")
def test_jsonata_for_the_whole_machine_lets_no_state_go_back():
    state = {**PASS, "QueryLanguage": "JSONPath", "InputPath": "$.a"}
    message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
    assert errors(machine(state, QueryLanguage="JSONata")) == [(message, "/States/S")]
    assert errors(machine({**PASS, "QueryLanguage": "JSONata", "Output": "{% 1 %}"})) == []
    wrong = "Value should be one of the following: [JSONPath, JSONata]"
    assert (wrong, "/States/S/QueryLanguage") in errors(machine({**PASS, "QueryLanguage": "jsonpath"}))


@pytest.mark.covers("A1.1")
def test_states_inside_take_the_language_of_the_machine_not_of_the_state_around_them():
    inner = {"StartAt": "I", "States": {"I": {**PASS, "Output": 1}}}
    state = {"Type": "Map", "QueryLanguage": "JSONata", "Items": [1], "ItemProcessor": inner, "End": True}
    message = (
        "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage"
    )
    assert errors(machine(state)) == [(message, "/States/S/ItemProcessor/States/I")]


@pytest.mark.covers("A1.2")
def test_names_are_short_and_stand_once_in_the_whole_machine():
    nested = {"Type": "Parallel", "Branches": [{"StartAt": "S", "States": {"S": PASS}}], "End": True}
    assert ("Duplicate State name: S", "/States/S/Branches[0]/States/S") in errors(machine(nested))
    assert codes({"StartAt": "n" * 81, "States": {"n" * 81: PASS}}) == ["INVALID_STATE_NAME"]
    twice = '{"StartAt": "S", "States": {"S": {"Type": "Pass", "End": true}, "S": {"Type": "Succeed"}}}'
    assert errors(twice) == [("Duplicate State name: S", "/States/S")]


@pytest.mark.covers("A1.2")
def test_a_definition_has_at_most_a_mebibyte():
    padded = machine(Comment="x" * 1_048_576)
    assert errors(padded) == [("Definition must have length less than or equal to 1048576", None)]
    assert errors(padded, max_characters=None) == []


@pytest.mark.covers("A2.7")
@pytest.mark.parametrize("field", ["TimeoutSeconds", "Catch", "Retry", "Resource"])
@pytest.mark.parametrize(
    "state", [PASS, {"Type": "Succeed"}, {"Type": "Fail"}, {"Type": "Wait", "Seconds": 1, "End": True}]
)
def test_a_field_that_a_state_does_not_have_is_refused_at_the_state(field, state):
    value = 1 if field == "TimeoutSeconds" else []
    assert errors(machine({**state, field: value})) == [(f"Field '{field}' is not supported", "/States/S")]


@pytest.mark.covers("A2.7")
@pytest.mark.parametrize("field", ["InputPath", "OutputPath", "ResultPath", "Parameters", "Result"])
def test_a_jsonata_state_has_no_paths(field):
    state = {**PASS, "QueryLanguage": "JSONata", field: "$"}
    message = (
        f"The QueryLanguage is set to 'JSONata', but field '{field}' is only supported for the 'JSONPath' QueryLanguage"
    )
    assert errors(machine(state)) == [(message, "/States/S")]


@pytest.mark.covers("A2.7")
def test_a_jsonpath_state_has_no_jsonata_fields():
    text = "The QueryLanguage is set to 'JSONPath', but field '{}' is only supported for the 'JSONata' QueryLanguage"
    assert errors(machine({**TASK, "Arguments": {}})) == [(text.format("Arguments"), "/States/S")]
    choice = {"Type": "Choice", "Choices": [{"Condition": True, "Next": "S"}]}
    assert (text.format("Condition"), "/States/S/Choices[0]") in errors(machine(choice))


@pytest.mark.covers("A2.8")
def test_a_state_has_either_next_or_end():
    missing = "This object should have only one of the following fields: [Next, End]"
    both = "There should only be one of the following fields: [Next, End]"
    assert (missing, "/States/S") in errors(machine({"Type": "Pass"}))
    assert errors(machine({**PASS, "Next": "S"})) == [(both, "/States/S")]
    assert errors(machine({"Type": "Succeed", "End": True})) == [("Field 'End' is not supported", "/States/S")]
    assert ("Field 'Next' is not supported", "/States/S") in errors(machine({**CHOICE, "Next": "S"}))


@pytest.mark.covers("A3.12")
def test_computed_fields_hold_a_path_or_an_intrinsic_call_and_stand_once():
    text = "The value for the field 'x.$' must be a valid JSONPath or a valid intrinsic function call"
    for value in ("a", 1, "States.Format('{}'", "$.a[", "States.Nope()"):
        state = {**PASS, "Parameters": {"deep": [{"x.$": value}]}}
        assert errors(machine(state)) == [(text, "/States/S/Parameters/deep[0]")], value
    twice = {**PASS, "Parameters": {"x": 1, "x.$": "$.a"}}
    message = "The field 'x' cannot be specified twice: as it is and with '.$'"
    assert errors(machine(twice)) == [(message, "/States/S/Parameters")]
    assert errors(machine({**PASS, "Result": {"x.$": "kept as it is"}})) == []


@pytest.mark.covers("A3.13")
@pytest.mark.parametrize("path", ["$.a[*]", "$..a", "$.a[?(@.b)]", "$$.Execution", "$variable.a", "$.a[0:2]"])
def test_a_result_path_names_one_place_in_the_input(path):
    assert errors(machine({**PASS, "ResultPath": path})) == [("Value is not a Reference Path", "/States/S/ResultPath")]


@pytest.mark.covers("A3.13")
def test_a_reference_path_starts_with_a_dollar():
    message = "Value is not a Reference Path: Reference path didn't start with '$'"
    assert errors(machine({**PASS, "ResultPath": "a"})) == [(message, "/States/S/ResultPath")]
    assert errors(machine({**PASS, "ResultPath": None, "InputPath": None, "OutputPath": None})) == []
    assert errors(machine({**PASS, "InputPath": "a"})) == [("Value must be a valid JSONPath.", "/States/S/InputPath")]


@pytest.mark.covers("A5.26", "A5.28")
def test_variables_are_set_whole_under_plain_names():
    def assigning(*names):
        return errors(machine({**PASS, "Assign": dict.fromkeys(names, 1)}))

    assert assigning("total", "größe", "x_1") == []
    for name in ("x.y", "x[2]", "1x", ""):
        text = f"Invalid variable name '{name}': the variable name contains invalid characters."
        assert assigning(name) == [(text, f"/States/S/Assign/{name}")]
    assert assigning("states") == [("Cannot assign to reserved variable '$states'.", "/States/S/Assign/states")]
    assert errors(machine({"Type": "Succeed", "Assign": {}})) == [("Field 'Assign' is not supported", "/States/S")]


@pytest.mark.covers("A5.31")
def test_a_variable_name_has_at_most_80_characters():
    name = "n" * 81
    assert codes(machine({**PASS, "Assign": {name: 1}})) == ["INVALID_VARIABLE_NAME"]


@pytest.mark.covers("A5.29")
def test_a_branch_may_not_assign_a_name_of_the_scope_around_it():
    branch = {"StartAt": "I", "States": {"I": {**PASS, "Assign": {"x.$": "$"}}}}
    text = "Cannot assign variable 'x': it is assigned in an outer scope"
    parallel = {"Type": "Parallel", "Branches": [branch], "End": True, "Assign": {"x": 1}}
    assert errors(machine(parallel)) == [(text, "/States/S/Branches[0]/States/I/Assign/x")]
    catching = {"Type": "Parallel", "Branches": [branch], "End": True}
    catching["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "S", "Assign": {"x": 1}}]
    assert errors(machine(catching)) == [(text, "/States/S/Branches[0]/States/I/Assign/x")]
    siblings = {"Type": "Parallel", "Branches": [branch, rename(branch)], "End": True}
    assert errors(machine(siblings)) == []


@pytest.mark.covers("A5.29")
def test_the_children_of_a_distributed_map_have_scopes_of_their_own():
    state = deepcopy(DISTRIBUTED)
    state["ItemProcessor"]["States"]["Inner"] = {**PASS, "Assign": {"x": 1}}
    assert errors(machine({**state, "Assign": {"x": 1}})) == []


def rename(branch):
    return json.loads(json.dumps(branch).replace('"I"', '"J"'))


@pytest.mark.covers("A16.80")
def test_transitions_that_lead_nowhere_and_states_that_nothing_leads_to():
    dangling = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "NOPE"}}}
    assert [(d.code, d.message, d.location) for d in validate(dangling)] == [
        ("MISSING_TRANSITION_TARGET", "Missing 'Next' target: NOPE", "/States/A/Next"),
        ("MISSING_END_STATE", "Workflow has no terminal state", None),
    ]
    lost = {"StartAt": "A", "States": {"A": PASS, "B": PASS}}
    assert errors(lost) == [('State "B" is not reachable.', "/States/B")]
    loop = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}, "B": {"Type": "Pass", "Next": "A"}}}
    assert codes(loop) == ["MISSING_END_STATE"]
    assert errors({"StartAt": "X", "States": {"A": PASS}}) == [
        ("Missing 'Next' target: X", "/StartAt"),
        ('State "A" is not reachable.', "/States/A"),
    ]


def test_without_a_start_only_what_nothing_leads_to_is_out_of_reach():
    states = {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": True, "Next": "C"}], "Default": "D"},
        "C": PASS,
        "D": {"Type": "Pass", "Next": "D"},
    }
    found = errors({"StartAt": "X", "States": states})
    assert found == [("Missing 'Next' target: X", "/StartAt"), ('State "A" is not reachable.', "/States/A")]
    branch = {"Type": "Parallel", "Branches": [{"StartAt": "X", "States": states}], "End": True}
    assert len(errors({"StartAt": "P", "States": {"P": branch}})) == 2


@pytest.mark.covers("A16.80")
def test_every_field_that_names_a_target_is_looked_at():
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "X"}], "Default": "Y"}
    task = {**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]}
    found = errors({"StartAt": "C", "States": {"C": choice, "T": task}})
    assert ("Missing 'Next' target: X", "/States/C/Choices[0]/Next") in found
    assert ("Missing 'Next' target: Y", "/States/C/Default") in found
    assert ("Missing 'Next' target: Z", "/States/T/Catch[0]/Next") in found


@pytest.mark.covers("A16.80")
def test_a_branch_may_loop_for_ever_but_not_hold_lost_states():
    loop = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}}
    assert errors(machine({"Type": "Parallel", "Branches": [loop], "End": True})) == []
    lost = {"StartAt": "A", "States": {"A": PASS, "B": PASS}}
    found = errors(machine({"Type": "Parallel", "Branches": [lost], "End": True}))
    assert found == [('State "B" is not reachable.', "/States/S/Branches[0]/States/B")]


@pytest.mark.covers("A16.80")
def test_text_that_is_not_json_is_reported_in_the_words_of_aws():
    token = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"
    text = f"Unrecognized token 'not': was expecting ({token})"
    place = '[Source: (String)"not json"; line: 1, column: 4]'
    (problem,) = validate("not json")
    assert (problem.code, problem.message, problem.location) == (
        "INVALID_JSON_DESCRIPTION",
        f"{text}\n at {place}",
        place,
    )
    for nothing in ("", " ", "[]", "1", b"\xff"):
        assert errors(nothing) == [("Definition must be a valid JSON object", None)]


@pytest.mark.covers("A16.80")
def test_the_text_of_a_refusal_lists_every_problem():
    with pytest.raises(InvalidDefinition) as raised:
        check_definition({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})
    assert str(raised.value) == (
        "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next, "
        "MISSING_END_STATE: Workflow has no terminal state at null'"
    )
    assert len(raised.value.diagnostics) == 2


def test_a_key_that_stands_twice_is_refused():
    text = '{"StartAt": "S", "States": {"S": {"Type": "Pass", "End": true, "End": true}}}'
    assert errors(text) == [("Duplicate field 'End'", "/States/S")]


def test_the_value_has_the_numbers_that_aws_reads():
    text = '{"StartAt":"S","States":{"S":{"Type":"Pass","Result":[1.0,1e2,9223372036854775808],"End":true}}}'
    assert check_definition(text)["States"]["S"]["Result"] == [1, 100, 9.223372036854776e18]
    assert check_definition(json.loads(text)) == check_definition(text.encode())


def test_a_state_alone_may_lead_anywhere():
    assert check_state({"Type": "Pass", "Next": "Elsewhere"}, "S")["Next"] == "Elsewhere"
    with pytest.raises(InvalidDefinition, match="at /States/S/Type"):
        check_state({"Type": "Sleep"}, "S")


def test_what_is_nested_too_deeply_is_refused():
    state = PASS
    for depth in range(80):
        state = {
            "Type": "Parallel",
            "Branches": [{"StartAt": f"S{depth}", "States": {f"S{depth}": state}}],
            "End": True,
        }
    assert "TOO_DEEPLY_NESTED" in codes(machine(state))
    assert codes('{"StartAt":' + "[" * 100_000) == ["INVALID_JSON_DESCRIPTION"]


@pytest.mark.benchmark(group="validate")
def test_a_hundred_states_take_a_few_milliseconds(benchmark):
    states = {f"S{i}": {**TASK, "Parameters": {"a.$": "$.a", "b.$": "States.Format('{}', $.b)"}} for i in range(100)}
    for i in range(99):
        states[f"S{i}"] = {key: value for key, value in states[f"S{i}"].items() if key != "End"} | {"Next": f"S{i + 1}"}
    text = json.dumps({"StartAt": "S0", "States": states})
    assert benchmark(check_definition, text)["StartAt"] == "S0"


@pytest.mark.covers("A16.80", "A17")
@pytest.mark.parametrize(
    ("state", "code", "place"),
    [
        ({"Parameters": {"a": {"b": "$.c"}}}, "NO_DOLLAR", "/States/S/Parameters/a"),
        ({"Parameters": {"a": "$variable"}}, "NO_DOLLAR", "/States/S/Parameters"),
        ({"Parameters": {"a": "States.UUID()"}}, "NO_DOLLAR", "/States/S/Parameters"),
        ({"Result": {"a.$": "$.b"}}, "PASS_RESULT_IS_STATIC", "/States/S/Result"),
    ],
)
def test_what_looks_like_a_path_and_is_none_is_a_warning(state, code, place):
    definition = machine({**PASS, **state})
    (warning,) = validate(definition)
    assert (warning.severity, warning.code, warning.location) == ("WARNING", code, place)
    assert check_definition(definition) == definition


@pytest.mark.covers("A16.80", "A17")
def test_a_plain_field_that_holds_a_path_is_a_warning():
    assert codes(machine({"Type": "Fail", "Error": "$.error", "Cause": "costs $5"})) == ["NO_PATH"]
    rule = {"And": [{"Variable": "$.a", "StringEquals": "$.b"}, {"Variable": "$.a", "IsNull": False}], "Next": "T"}
    choice = {"Type": "Choice", "Choices": [rule], "Default": "T"}
    (warning,) = validate({"StartAt": "S", "States": {"S": choice, "T": PASS}})
    assert (warning.code, warning.location) == ("NO_PATH", "/States/S/Choices[0]/And[0]/StringEquals")
