"""Every field of every kind of state with null, of a wrong type, or empty: refused with its place, or it compiles.

``validate`` and ``compile_definition``, which deploys, give one verdict, and no other exception comes through.
"""

from __future__ import annotations

import copy
import json
import re

import pytest

from stepwell.asl.definition import compile_definition
from stepwell.asl.validate import ERROR, validate
from stepwell.errors import InvalidDefinition

INNER = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
RETRY = {
    "ErrorEquals": ["E"],
    "IntervalSeconds": 1,
    "MaxAttempts": 2,
    "BackoffRate": 1.5,
    "MaxDelaySeconds": 5,
    "JitterStrategy": "FULL",
    "Comment": "r",
}
DISTRIBUTED = {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
LAMBDA = "arn:aws:states:::lambda:invoke"
PATHS = {"Comment": "c", "InputPath": "$.a", "OutputPath": "$", "QueryLanguage": "JSONPath"}
WORK = {
    **PATHS,
    "ResultPath": "$.r",
    "ResultSelector": {"v.$": "$.x"},
    "Assign": {"n.$": "$.x", "m": 1},
    "Retry": [RETRY],
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "End", "ResultPath": "$.e", "Comment": "c", "Assign": {"q": 1}}],
    "Next": "End",
}
OPERANDS = {
    "StringEquals": "a",
    "StringMatches": "a*",
    "StringLessThanPath": "$.b",
    "NumericGreaterThan": 1,
    "NumericEqualsPath": "$.b",
    "BooleanEquals": True,
    "BooleanEqualsPath": "$.b",
    "TimestampEquals": "2020-01-01T00:00:00Z",
    "TimestampLessThanPath": "$.b",
    "IsNull": True,
    "IsPresent": False,
}
READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "Parameters": {"Bucket": "b", "Key.$": "$.k"},
    "ReaderConfig": {
        "InputType": "CSV",
        "CSVHeaderLocation": "GIVEN",
        "CSVHeaders": ["a"],
        "CSVDelimiter": "PIPE",
        "MaxItems": 5,
    },
}
WRITER = {
    "Resource": "arn:aws:states:::s3:putObject",
    "Parameters": {"Bucket": "b", "Prefix": "p"},
    "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSON"},
}
WORK_JSONATA = {
    "Comment": "c",
    "QueryLanguage": "JSONata",
    "Output": "{% $states.result %}",
    "Assign": {"n": "{% 1 %}"},
    "Retry": [RETRY],
    "Catch": [{"ErrorEquals": ["E"], "Next": "End", "Output": {"a": "{% $states.errorOutput %}"}, "Assign": {"q": 1}}],
    "Next": "End",
}
READER_JSONATA = {
    "Resource": "arn:aws:states:::s3:listObjectsV2",
    "Arguments": {"Bucket": "{% 'b' %}"},
    "ReaderConfig": {"MaxItems": "{% 5 %}", "Transformation": "NONE"},
}

STATES = {
    "Task": {
        "Type": "Task",
        "Resource": LAMBDA,
        "Parameters": {"FunctionName": "f", "Payload.$": "$"},
        "TimeoutSeconds": 9,
        "HeartbeatSeconds": 3,
        "Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/r"},
        **WORK,
    },
    "Task by paths": {
        "Type": "Task",
        "Resource": "local",
        "TimeoutSecondsPath": "$.t",
        "HeartbeatSecondsPath": "$.h",
        **WORK,
    },
    "Parallel": {"Type": "Parallel", "Parameters": {"a.$": "$"}, "Branches": [INNER], **WORK},
    "Map": {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemSelector": {"v.$": "$$.Map.Item.Value"},
        "ItemProcessor": {**INNER, "ProcessorConfig": {"Mode": "INLINE"}},
        "MaxConcurrency": 2,
        "ToleratedFailureCount": 1,
        "ToleratedFailurePercentage": 5,
        **WORK,
    },
    "Map by paths": {
        "Type": "Map",
        "Iterator": INNER,
        "Parameters": {"v": 1},
        "MaxConcurrencyPath": "$.m",
        "ToleratedFailureCountPath": "$.c",
        "ToleratedFailurePercentagePath": "$.p",
        **WORK,
    },
    "Distributed Map": {
        "Type": "Map",
        "ItemReader": READER,
        "ItemBatcher": {"MaxItemsPerBatch": 5, "MaxInputBytesPerBatch": 1000, "BatchInput": {"a.$": "$.b"}},
        "ResultWriter": WRITER,
        "ItemProcessor": DISTRIBUTED,
        "Label": "l",
        **WORK,
    },
    "Distributed Map by paths": {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "Parameters": {"Bucket": "b"},
            "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/a", "MaxItemsPath": "$.m"},
        },
        "ItemBatcher": {"MaxItemsPerBatchPath": "$.i", "MaxInputBytesPerBatchPath": "$.b"},
        "ItemProcessor": DISTRIBUTED,
        **WORK,
    },
    "Pass": {
        "Type": "Pass",
        "Result": {"a": 1},
        "ResultPath": "$.r",
        "Parameters": {"v.$": "States.Array(1)"},
        "Assign": {"x.$": "$.a"},
        "Next": "End",
        **PATHS,
    },
    "Wait": {"Type": "Wait", "Seconds": 1, "Assign": {"x": 1}, "Next": "End", **PATHS},
    "Wait for a time": {"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z", "Next": "End"},
    "Wait by path": {"Type": "Wait", "SecondsPath": "$.s", "Next": "End"},
    "Wait for a time by path": {"Type": "Wait", "TimestampPath": "$.s", "Next": "End"},
    "Choice": {
        "Type": "Choice",
        "Choices": [
            *(
                {"Variable": "$.a", name: operand, "Next": "End", "Assign": {"x": 1}, "Comment": "c"}
                for name, operand in OPERANDS.items()
            ),
            {
                "And": [{"Variable": "$.a", "IsNull": True}, {"Not": {"Variable": "$.b", "IsString": True}}],
                "Next": "End",
            },
            {"Or": [{"Variable": "$.a", "IsNull": True, "Comment": "c"}], "Next": "End"},
        ],
        "Default": "End",
        "Assign": {"x": 1},
        **PATHS,
    },
    "Succeed": {"Type": "Succeed", **PATHS},
    "Fail": {"Type": "Fail", "Error": "E", "Cause": "c", "Comment": "c"},
    "Fail by paths": {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('{}', 1)"},
    "Task of JSONata": {
        "Type": "Task",
        "Resource": LAMBDA,
        "Arguments": {"FunctionName": "{% 'f' %}"},
        "TimeoutSeconds": "{% 9 %}",
        "HeartbeatSeconds": "{% 3 %}",
        "Credentials": {"RoleArn": "{% 'r' %}"},
        **WORK_JSONATA,
    },
    "Parallel of JSONata": {"Type": "Parallel", "Arguments": "{% 1 %}", "Branches": [INNER], **WORK_JSONATA},
    "Map of JSONata": {
        "Type": "Map",
        "Items": "{% [1] %}",
        "ItemSelector": {"v": "{% 1 %}"},
        "ItemProcessor": INNER,
        "MaxConcurrency": "{% 1 %}",
        "ToleratedFailureCount": "{% 1 %}",
        "ToleratedFailurePercentage": "{% 1 %}",
        **WORK_JSONATA,
    },
    "Distributed Map of JSONata": {
        "Type": "Map",
        "ItemReader": READER_JSONATA,
        "ItemBatcher": {"MaxItemsPerBatch": "{% 5 %}", "MaxInputBytesPerBatch": 10, "BatchInput": {"a": "{% 1 %}"}},
        "ResultWriter": {"Resource": WRITER["Resource"], "Arguments": {"Bucket": "b", "Prefix": "{% 'p' %}"}},
        "ItemProcessor": DISTRIBUTED,
        **WORK_JSONATA,
    },
    "Pass of JSONata": {
        "Type": "Pass",
        "QueryLanguage": "JSONata",
        "Output": {"a": "{% 1 %}"},
        "Assign": {"x": "{% 1 %}"},
        "End": True,
    },
    "Wait of JSONata": {"Type": "Wait", "QueryLanguage": "JSONata", "Seconds": "{% 1 %}", "Output": 1, "Next": "End"},
    "Wait for a time of JSONata": {
        "Type": "Wait",
        "QueryLanguage": "JSONata",
        "Timestamp": "{% $states.input.t %}",
        "Next": "End",
    },
    "Choice of JSONata": {
        "Type": "Choice",
        "QueryLanguage": "JSONata",
        "Choices": [{"Condition": "{% true %}", "Next": "End", "Output": "{% 1 %}", "Assign": {"x": "{% 1 %}"}}],
        "Default": "End",
        "Output": "{% 1 %}",
    },
    "Succeed of JSONata": {"Type": "Succeed", "QueryLanguage": "JSONata", "Output": "{% 1 %}"},
    "Fail of JSONata": {"Type": "Fail", "QueryLanguage": "JSONata", "Error": "{% 'E' %}", "Cause": "{% 'c' %}"},
}
VALUES = [None, True, False, 0, -1, 1.5, 10**30, "", " ", "$", "x", "$.a[*]", " $.a", "{% 1 %}", "{% ", [], {}]
VALUES += [
    [None],
    [[]],
    {"a": None},
    {"": 1},
    {"a.$": None},
    {"a.$": " States.UUID()"},
    {"a.$": "$$"},
    "$x",
    "States.UUID()",
]


def machine(state):
    more = {"End": {"Type": "Succeed"}} if '"Next": "End"' in json.dumps(state) else {}
    return {
        "Comment": "m",
        "Version": "1.0",
        "QueryLanguage": "JSONPath",
        "TimeoutSeconds": 100,
        "StartAt": "S",
        "States": {"S": state, **more},
    }


def places(value, place=()):
    """Every place within a value, itself left out."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*place, key)
        yield from places(item, (*place, key))


def with_value(definition, place, value):
    changed = copy.deepcopy(definition)
    owner = changed
    for key in place[:-1]:
        owner = owner[key]
    owner[place[-1]] = value
    return changed


REFUSAL = re.compile("Invalid State Machine Definition: |Error=ValueError ")


def verdict(definition):
    """What deploying says of a definition: None, or the refusal. Anything else comes through."""
    try:
        compile_definition(json.dumps(definition))
    except InvalidDefinition as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", STATES)
def test_a_changed_field_is_refused_or_compiles(name):
    definition = machine(STATES[name])
    assert [found for found in validate(definition) if found.severity == ERROR and "S" in (found.location or "")] == []
    accepted = refused = 0
    for place in places(definition):
        for value in VALUES:
            changed = with_value(definition, place, value)
            refusal = verdict(changed)
            is_valid = not any(found.severity == ERROR for found in validate(changed))
            assert is_valid == (refusal is None), (place, value)
            assert is_valid or REFUSAL.match(refusal), (place, value, refusal)
            accepted, refused = accepted + is_valid, refused + (not is_valid)
    assert accepted
    assert refused
