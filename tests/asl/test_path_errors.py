"""What each path field of each state says where it finds nothing, null, or a value of the wrong type.

The table runs whole machines, as a user would. Sources of the texts: R, AWS recorded it (a case of ``conformance``, or
an answer of AWS in the project's issues); P, somebody published what AWS answered; L, by likeness: AWS's text of
this field is not known, and it has the words of a field that is read in the same way; O, ours.
"""

import pytest

from stepwell.testing import scripted_run

FAILED = "An error occurred while executing the state 'S' (entered at the event id #2). "
NULL = "Unable to apply Path transformation to null or empty input."
ABSENT = "No results for path: $['x']"
MAP = {"ItemProcessor": {"StartAt": "In", "States": {"In": {"Type": "Pass", "End": True}}}}
DISTRIBUTED = {
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "In",
        "States": {"In": {"Type": "Pass", "End": True}},
    }
}
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f"}
RULE = {"Next": "Done", "StringEquals": "a"}


def run(state, document):
    ends = state["Type"] in ("Choice", "Succeed", "Fail")
    states = {"S": state if ends else {**state, "End": True}}
    if state["Type"] == "Choice":
        states["Done"] = {"Type": "Succeed"}
    answers = [{"resource": "f", "outcome": "succeeded", "output": {"y": 1}}] * 9
    return scripted_run({"StartAt": "S", "States": states}, document, answers)


def in_input(field, shown="{}", path="$.x"):
    return f"The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{shown}'"


def no_value(field):
    return f"The {field} parameter does not reference an input value: $.x"


def not_a(field, kind, shown):
    return f'The {field} field refers to value "{shown}" which is not a valid {kind}: $.x'


ISO = "does not reference a valid ISO-8601 extended offset date-time format string: $.x =="
LONG = "cannot be parsed as a long value: $.x =="
CONDITION = "Invalid path '$.x': The choice state's condition path references an invalid value."
TABLE = [
    # InputPath and OutputPath: R 2023-11-23 (OutputPath)
    ({"Type": "Pass", "InputPath": "$.x"}, {}, f"Invalid path '$.x' : {ABSENT}"),
    ({"Type": "Pass", "OutputPath": "$.x"}, {}, f"Invalid path '$.x' : {ABSENT}"),
    ({"Type": "Pass", "OutputPath": "$.no.x"}, {}, "Invalid path '$.no.x' : Missing property in path $['no']"),
    ({"Type": "Succeed", "InputPath": "$.x"}, {}, f"Invalid path '$.x' : {ABSENT}"),
    ({"Type": "Succeed", "OutputPath": "$.x"}, {}, f"Invalid path '$.x' : {ABSENT}"),
    ({"Type": "Wait", "Seconds": 0, "OutputPath": "$.x"}, {}, f"Invalid path '$.x' : {ABSENT}"),
    ({**TASK, "InputPath": "$.x"}, {}, f"Invalid path '$.x' : {ABSENT}"),
    ({**TASK, "OutputPath": "$.x"}, {}, f"Invalid path '$.x' : {ABSENT}"),
    # A path over null: P awslabs/states-language #29 (Choice)
    ({"Type": "Pass", "InputPath": "$.x"}, None, NULL),
    ({"Type": "Pass", "Parameters": {"v.$": "$"}}, None, NULL),
    ({"Type": "Pass", "Parameters": {"v.$": "$.x"}}, None, NULL),
    ({"Type": "Choice", "Choices": [{**RULE, "Variable": "$"}]}, None, NULL),
    ({"Type": "Choice", "Choices": [{"Next": "Done", "Variable": "$", "IsNull": True}]}, None, NULL),
    ({"Type": "Wait", "SecondsPath": "$.x"}, None, NULL),
    ({"Type": "Map", **MAP, "ItemsPath": "$.x"}, None, NULL),
    # Payload templates: R; the Context Object: R
    ({"Type": "Pass", "Parameters": {"v.$": "$.x"}}, {}, in_input("v.$")),
    ({"Type": "Pass", "Parameters": {"a": [{"v.$": "$.x"}]}}, {"b": 1}, in_input("v.$", '{"b":1}')),
    (
        {"Type": "Pass", "Parameters": {"v.$": "$$.Execution.Input.no"}},
        {"b": 1},
        in_input("v.$", '{"b":1}', "$$.Execution.Input.no"),
    ),
    ({**TASK, "Parameters": {"v.$": "$.x"}}, {}, in_input("v.$")),
    ({**TASK, "ResultSelector": {"v.$": "$.x"}}, {}, in_input("v.$", '{"y":1}')),
    ({**TASK, "Assign": {"v.$": "$.x"}}, {}, in_input("v.$", '{"y":1}')),
    ({"Type": "Pass", "Assign": {"v.$": "$.x"}}, {}, in_input("v.$")),
    ({"Type": "Pass", "Parameters": {"v.$": "$gone"}}, {}, in_input("v.$", path="$gone")),
    ({"Type": "Pass", "Parameters": {"v.$": "$gone.a"}}, {}, in_input("v.$", path="$gone.a")),
    ({"Type": "Map", **MAP, "ItemsPath": "$.l", "ItemSelector": {"v.$": "$.x"}}, {"l": [1]}, None),
    # ErrorPath and CausePath: R (missing); O (not a text)
    ({"Type": "Fail", "ErrorPath": "$.x"}, {}, in_input("ErrorPath")),
    ({"Type": "Fail", "Error": "E", "CausePath": "$.x"}, {}, in_input("CausePath")),
    ({"Type": "Fail", "ErrorPath": "$.x"}, {"x": 1}, "The ErrorPath parameter does not reference a string: $.x == 1"),
    (
        {"Type": "Fail", "CausePath": "$.x"},
        {"x": None},
        "The CausePath parameter does not reference a string: $.x == null",
    ),
    # Choice: P (published black-box tests of AWS); L for the path compared with
    ({"Type": "Choice", "Choices": [{**RULE, "Variable": "$.x"}]}, {}, CONDITION),
    (
        {"Type": "Choice", "Choices": [{"Next": "Done", "Variable": "$.a", "StringEqualsPath": "$.x"}]},
        {"a": "a"},
        CONDITION,
    ),
    # SecondsPath, TimestampPath: R (missing, numbers, texts); L (null and others)
    ({"Type": "Wait", "SecondsPath": "$.x"}, {}, no_value("SecondsPath")),
    ({"Type": "Wait", "SecondsPath": "$.x"}, {"x": None}, f"The SecondsPath parameter {LONG} null"),
    ({"Type": "Wait", "SecondsPath": "$.x"}, {"x": 1.5}, f"The SecondsPath parameter {LONG} 1.5"),
    ({"Type": "Wait", "SecondsPath": "$.x"}, {"x": "a"}, f"The SecondsPath parameter {LONG} a"),
    ({"Type": "Wait", "SecondsPath": "$.x"}, {"x": [1]}, f"The SecondsPath parameter {LONG} [1]"),
    (
        {"Type": "Wait", "SecondsPath": "$.x"},
        {"x": -1},
        "The SecondsPath parameter references a negative value: $.x == -1",
    ),
    ({"Type": "Wait", "TimestampPath": "$.x"}, {}, no_value("TimestampPath")),
    ({"Type": "Wait", "TimestampPath": "$.x"}, {"x": "soon"}, f"The TimestampPath parameter {ISO} soon"),
    ({"Type": "Wait", "TimestampPath": "$.x"}, {"x": 5}, f"The TimestampPath parameter {ISO} 5"),
    ({"Type": "Wait", "TimestampPath": "$.x"}, {"x": None}, f"The TimestampPath parameter {ISO} null"),
    # TimeoutSecondsPath, HeartbeatSecondsPath: L
    ({**TASK, "TimeoutSecondsPath": "$.x"}, {}, no_value("TimeoutSecondsPath")),
    ({**TASK, "TimeoutSecondsPath": "$.x"}, {"x": "a"}, f"The TimeoutSecondsPath parameter {LONG} a"),
    (
        {**TASK, "TimeoutSecondsPath": "$.x"},
        {"x": 0},
        "The TimeoutSecondsPath parameter references a value that is not positive: $.x == 0",
    ),
    ({**TASK, "HeartbeatSecondsPath": "$.x"}, {}, no_value("HeartbeatSecondsPath")),
    ({**TASK, "HeartbeatSecondsPath": "$.x"}, {"x": {}}, f"The HeartbeatSecondsPath parameter {LONG} {{}}"),
    # ItemsPath: R (not an array); L (missing)
    ({"Type": "Map", **MAP, "ItemsPath": "$.x"}, {}, f"Invalid path '$.x' : {ABSENT}"),
    ({"Type": "Map", **MAP, "ItemsPath": "$.x"}, {"x": None}, 'Reference path "$.x" must point to array.'),
    ({"Type": "Map", **MAP, "ItemsPath": "$.x"}, {"x": {}}, 'Reference path "$.x" must point to array.'),
    ({"Type": "Map", **MAP}, {}, 'Reference path "$" must point to array.'),
    # MaxConcurrencyPath, Tolerated…Path: R (wrong types); L (missing)
    (
        {"Type": "Map", **MAP, "ItemsPath": "$.l", "MaxConcurrencyPath": "$.x"},
        {"l": [1]},
        f"Invalid path '$.x' : {ABSENT}",
    ),
    (
        {"Type": "Map", **MAP, "ItemsPath": "$.l", "MaxConcurrencyPath": "$.x"},
        {"l": [1], "x": {}},
        not_a("MaxConcurrencyPath", "integer", "{}"),
    ),
    (
        {"Type": "Map", **DISTRIBUTED, "ItemsPath": "$.l", "ToleratedFailureCountPath": "$.x"},
        {"l": [1], "x": "No"},
        not_a("ToleratedFailureCountPath", "integer", "No"),
    ),
    (
        {"Type": "Map", **DISTRIBUTED, "ItemsPath": "$.l", "ToleratedFailureCountPath": "$.x"},
        {"l": [1], "x": -1},
        "ToleratedFailureCount cannot be negative.",
    ),
    (
        {"Type": "Map", **DISTRIBUTED, "ItemsPath": "$.l", "ToleratedFailurePercentagePath": "$.x"},
        {"l": [1], "x": "No"},
        not_a("ToleratedFailurePercentagePath", "float", "No"),
    ),
    (
        {"Type": "Map", **DISTRIBUTED, "ItemsPath": "$.l", "ToleratedFailurePercentagePath": "$.x"},
        {"l": [1], "x": 101},
        "ToleratedFailurePercentage must be between 0 and 100.",
    ),
]


@pytest.mark.covers("A3.11", "A6.35")
@pytest.mark.parametrize(("state", "document", "cause"), [row for row in TABLE if row[2] is not None])
def test_what_a_field_says_of_its_path(state, document, cause):
    ended = run(state, document)
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "States.Runtime", FAILED + cause)
    assert ended["events"][-1]["type"] == "ExecutionFailed"


def test_the_default_paths_hand_null_on():
    assert run({"Type": "Pass"}, None)["output"] is None
    assert run({"Type": "Pass", "InputPath": "$", "OutputPath": "$"}, None)["output"] is None


def test_nothing_is_present_in_null():
    rule = {"Next": "Done", "Variable": "$.x", "IsPresent": False}
    assert run({"Type": "Choice", "Choices": [rule]}, None)["status"] == "SUCCEEDED"


def test_null_that_a_path_leads_to_is_a_value():
    assert run({"Type": "Pass", "Parameters": {"v.$": "$.x"}}, {"x": None})["output"] == {"v": None}
    rule = {"Next": "Done", "Variable": "$.x", "IsNull": True}
    assert run({"Type": "Choice", "Choices": [rule]}, {"x": None})["status"] == "SUCCEEDED"


@pytest.mark.parametrize("text", ["1", " 1", "+1"])
def test_numbers_that_come_as_text(text):
    # R: a tolerated count of "1" out of a variable works.
    state = {
        "Type": "Map",
        **DISTRIBUTED,
        "ItemsPath": "$.l",
        "ToleratedFailureCountPath": "$.x",
        "ToleratedFailurePercentagePath": "$.x",
        "MaxConcurrencyPath": "$.x",
    }
    ended = run(state, {"l": [1, 2], "x": text})
    assert (ended["status"] == "SUCCEEDED") is (text.strip() == text), ended


@pytest.mark.parametrize(
    ("field", "value", "mode", "events"),
    [
        ("MaxConcurrencyPath", {}, MAP, ["MapStateEntered", "ExecutionFailed"]),
        ("MaxConcurrencyPath", {}, DISTRIBUTED, ["MapStateEntered", "ExecutionFailed"]),
        ("ToleratedFailureCountPath", {}, MAP, ["MapStateEntered", "MapStateStarted", "ExecutionFailed"]),
        ("ToleratedFailureCountPath", -1, DISTRIBUTED, ["MapStateEntered", "MapStateStarted", "ExecutionFailed"]),
        ("ToleratedFailurePercentagePath", 101, MAP, ["MapStateEntered", "MapStateStarted", "ExecutionFailed"]),
        ("ToleratedFailurePercentagePath", "x", DISTRIBUTED, ["MapStateEntered", "MapStateStarted", "ExecutionFailed"]),
    ],
)
def test_tolerances_are_read_once_the_map_state_has_started(field, value, mode, events):
    ended = run({"Type": "Map", **mode, "ItemsPath": "$.l", field: "$.x"}, {"l": [1, 2], "x": value})
    assert [event["type"] for event in ended["events"]] == ["ExecutionStarted", *events]
    started = [event["mapStateStartedEventDetails"] for event in ended["events"] if event["type"] == "MapStateStarted"]
    assert started == [{"length": 2}] * len(started)
