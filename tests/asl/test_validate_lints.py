"""Warnings that AWS lacks."""

import json

import pytest

from stepwell.asl.lints import lint, review
from stepwell.asl.validate import check_definition

PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": True}


def warnings(states, start="S", **machine):
    found = lint(check_definition({"StartAt": start, "States": states, **machine}))
    assert all(warning.severity == "WARNING" for warning in found)
    return [(warning.code, warning.location) for warning in found]


@pytest.mark.covers("A17")
def test_a_clean_machine_has_no_warnings():
    states = {"S": {"Type": "Pass", "Result": {"a": 1}, "Next": "T"}, "T": {**PASS, "InputPath": "$.a"}}
    assert warnings(states) == []


@pytest.mark.covers("A17", "A3.11")
def test_a_path_that_the_state_before_does_not_make_may_be_missing():
    before = {"Type": "Pass", "Result": {"a": 1}, "Next": "T"}
    after = {**TASK, "Parameters": {"x.$": "$.b", "deep": {"y.$": "$.a"}}}
    assert warnings({"S": before, "T": after}) == [("PATH_MAY_BE_MISSING", "/States/T/Parameters/x.$")]
    assert warnings({"S": {**before, "ResultPath": "$.r"}, "T": after}) == []
    assert warnings({"S": {**TASK, "Next": "T", "End": False}, "T": after}) == []


@pytest.mark.covers("A17", "A9.50")
def test_a_rule_over_a_field_that_may_be_missing_wants_a_guard():
    present = {"Variable": "$.a", "IsPresent": True}
    compared = {"Variable": "$.a", "StringEquals": "x", "Next": "T"}
    guarded = {"And": [present, {"Variable": "$.a", "NumericEquals": 1}], "Next": "T"}

    def choosing(*rules):
        return warnings({"S": {"Type": "Choice", "Choices": list(rules), "Default": "T"}, "T": PASS})

    assert choosing(guarded, compared) == [("PATH_MAY_BE_MISSING", "/States/S/Choices[1]/Variable")]
    assert choosing({"Not": present, "Next": "T"}, compared) == []
    assert choosing(compared) == choosing(guarded) == []


@pytest.mark.covers("A17", "A6")
def test_a_catcher_that_nothing_reaches():
    def catching(*names, **fields):
        catchers = [{"ErrorEquals": list(each), "Next": "T"} for each in names]
        return warnings({"S": {**TASK, **fields, "Catch": catchers}, "T": PASS})

    assert catching(["A"], ["A", "B"]) == []
    assert catching(["A", "B"], ["A"]) == [("CATCH_NEVER_FIRES", "/States/S/Catch[1]")]
    assert catching(["States.Runtime"]) == [("CATCH_NEVER_FIRES", "/States/S/Catch[0]")]
    assert catching(["States.HeartbeatTimeout"]) == [("CATCH_NEVER_FIRES", "/States/S/Catch[0]")]
    assert catching(["States.HeartbeatTimeout"], HeartbeatSeconds=5) == []
    retriers = [{"ErrorEquals": ["States.Runtime"]}]
    assert warnings({"S": {**TASK, "Retry": retriers}}) == [("RETRY_NEVER_FIRES", "/States/S/Retry[0]")]


@pytest.mark.covers("A17", "A12.62")
def test_an_output_that_may_pass_256_kib():
    assert warnings({"S": {**PASS, "Result": "x" * 262_144}}) == [("OUTPUT_MAY_BE_TOO_LARGE", "/States/S/Result")]
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}
    processor = {**config, "StartAt": "I", "States": {"I": PASS}}
    state = {"Type": "Map", "ItemProcessor": processor, "End": True}
    assert warnings({"S": state}) == [("OUTPUT_MAY_BE_TOO_LARGE", "/States/S")]
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}
    assert warnings({"S": {**state, "ResultWriter": writer}}) == warnings({"S": {**state, "ResultPath": None}}) == []


@pytest.mark.covers("A17", "A5.26")
def test_variables_that_nobody_reads_or_sets():
    states = {"S": {"Type": "Pass", "Assign": {"used": 1, "lost": 2}, "Next": "T"}, "T": {**PASS, "InputPath": "$used"}}
    assert warnings(states) == [("VARIABLE_NEVER_READ", "/States/S/Assign/lost")]
    assert warnings({"S": {**PASS, "InputPath": "$nope"}}) == [("VARIABLE_NEVER_ASSIGNED", "/States/S")]
    expression = {"S": {**PASS, "Output": "{% $nope %}"}}
    assert warnings(expression, QueryLanguage="JSONata") == [("VARIABLE_NEVER_ASSIGNED", "/States/S")]


def test_a_warning_is_text_and_value():
    (warning,) = lint({"StartAt": "S", "States": {"S": {**PASS, "InputPath": "$nope"}}})
    assert "assigned nowhere" in str(warning)
    assert json.loads(json.dumps(warning.as_dict()))["severity"] == "WARNING"


@pytest.mark.covers("A17")
def test_a_review_has_awss_problems_and_then_ours():
    assert [problem.code for problem in review({})] == ["SCHEMA_VALIDATION_FAILED"]
    state = {**PASS, "InputPath": "$nope", "Parameters": {"a": "$.b"}}
    found = review(json.dumps({"StartAt": "S", "States": {"S": state}}))
    assert [problem.code for problem in found] == ["NO_DOLLAR", "VARIABLE_NEVER_ASSIGNED"]
