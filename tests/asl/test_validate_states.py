"""What AWS refuses within states, with its texts and places: Retry and Catch, tasks, choices, waits, maps."""

import pytest

from stepwell.asl.validate import ERROR, validate

PASS = {"Type": "Pass", "End": True}
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"
TASK = {"Type": "Task", "Resource": LAMBDA, "End": True}
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:a"
BRANCH = {"StartAt": "Inner", "States": {"Inner": PASS}}
MAP = {"Type": "Map", "ItemProcessor": BRANCH, "End": True}
DISTRIBUTED = {
    "Type": "Map",
    "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **BRANCH},
    "End": True,
}


def machine(state):
    return {"StartAt": "S", "States": {"S": state}}


def errors(definition, type="STANDARD", **options):
    found = [problem for problem in validate(definition, type, **options) if problem.severity == ERROR]
    return [(problem.message, problem.location) for problem in found]


def codes(definition):
    return [problem.code for problem in validate(definition)]


@pytest.mark.covers("A7.36", "A7.43")
def test_the_bounds_of_a_retrier():
    def retrying(**fields):
        return errors(machine({**TASK, "Retry": [{"ErrorEquals": ["E"], **fields}]}))

    place = "/States/S/Retry[0]"
    assert retrying(IntervalSeconds=1, MaxAttempts=0, BackoffRate=1, MaxDelaySeconds=5, JitterStrategy="FULL") == []
    assert retrying(IntervalSeconds=0) == [("Minimum value is 1", f"{place}/IntervalSeconds")]
    assert retrying(MaxAttempts=-1) == [("Minimum value is 0", f"{place}/MaxAttempts")]
    assert retrying(MaxAttempts=100_000_000) == [("Maximum value is 99999999", f"{place}/MaxAttempts")]
    assert retrying(BackoffRate=0.5) == [("Minimum value is 1.0", f"{place}/BackoffRate")]
    assert retrying(MaxDelaySeconds=31_622_400) == [("Maximum value is 31622399", f"{place}/MaxDelaySeconds")]
    wrong = [("Value should be one of the following: [NONE, FULL]", f"{place}/JitterStrategy")]
    assert retrying(JitterStrategy="HALF") == wrong
    assert retrying(IntervalSeconds="1") == [("Expected value of type [INTEGER]", f"{place}/IntervalSeconds")]
    assert retrying(_comment="x") == [("Field '_comment' is not supported", place)]
    assert errors(machine({**TASK, "Retry": [{}]})) == [("These fields are required: [ErrorEquals]", place)]


@pytest.mark.covers("A6", "A7.43")
@pytest.mark.parametrize("field", ["Retry", "Catch"])
def test_states_all_stands_alone_and_last(field):
    def listing(*names):
        target = {"Next": "S"} if field == "Catch" else {}
        return errors(machine({**TASK, field: [{"ErrorEquals": list(each), **target} for each in names]}))

    text = "States.ALL must appear alone and at end of list"
    assert listing(["A"], ["States.ALL"]) == []
    assert listing(["States.ALL"], ["A"]) == [(text, f"/States/S/{field}[0]/ErrorEquals[0]")]
    assert listing(["A", "States.ALL"]) == [(text, f"/States/S/{field}[0]/ErrorEquals[1]")]
    assert listing([]) == [("Value cannot be empty", f"/States/S/{field}[0]/ErrorEquals")]


@pytest.mark.covers("A7.43")
def test_a_catcher_needs_its_next():
    state = {**TASK, "Catch": [{"ErrorEquals": ["E"]}]}
    assert errors(machine(state)) == [("These fields are required: [Next]", "/States/S/Catch[0]")]


@pytest.mark.covers("A8.44", "A8.45")
def test_the_time_limits_of_a_task():
    def limited(**fields):
        return errors(machine({**TASK, **fields}))

    assert limited(TimeoutSeconds=10, HeartbeatSeconds=9) == []
    assert limited(TimeoutSeconds=0) == [("Minimum value is 1", "/States/S/TimeoutSeconds")]
    assert limited(TimeoutSeconds=100_000_000) == [("Maximum value is 99999999", "/States/S/TimeoutSeconds")]
    text = "The field 'HeartbeatSeconds' must be smaller than 'TimeoutSeconds'"
    assert limited(TimeoutSeconds=9, HeartbeatSeconds=9) == [(text, "/States/S/HeartbeatSeconds")]
    both = "There should only be one of the following fields: [TimeoutSeconds, TimeoutSecondsPath]"
    assert limited(TimeoutSeconds=9, TimeoutSecondsPath="$.t") == [(both, "/States/S")]


@pytest.mark.covers("A9.48")
def test_the_rules_of_a_choice():
    def choosing(rule):
        state = {"Type": "Choice", "Choices": [rule], "Default": "T"}
        return errors({"StartAt": "S", "States": {"S": state, "T": PASS}})

    place = "/States/S/Choices[0]"
    one = "The object must have only one of the following fields, [And, Or, Not, Variable, Condition]"
    several = "There should only be one of the following fields: [IsNull, IsString]"
    compared = {"Variable": "$.a", "StringEquals": "x"}
    assert choosing({**compared, "Next": "T"}) == []
    assert choosing(compared) == [("These fields are required: [Next]", place)]
    assert choosing({"Next": "T"}) == [(one, place)]
    assert choosing({**compared, "Not": compared, "Next": "T"}) == [(one, place)]
    assert choosing({"Variable": "$.a", "IsNull": True, "IsString": True, "Next": "T"}) == [(several, place)]
    nested = {"And": [{**compared, "Next": "T"}], "Next": "T"}
    assert choosing(nested) == [("Field 'Next' is not supported", f"{place}/And[0]")]
    assert choosing({"Or": [], "Next": "T"}) == [("Value cannot be empty", f"{place}/Or")]
    assert choosing({"Variable": "$.a", "Matches": "x", "Next": "T"})[0] == ("Field 'Matches' is not supported", place)


@pytest.mark.covers("A9.48")
@pytest.mark.parametrize(
    ("operator", "operand", "message"),
    [
        ("StringEquals", 1, "Expected value of type [STRING]"),
        ("NumericLessThan", "1", "Expected value of type [NUMBER]"),
        ("BooleanEquals", "true", "Expected value of type [BOOLEAN]"),
        ("IsPresent", 1, "Expected value of type [BOOLEAN]"),
        ("TimestampEquals", "2024-01-01", "String does not match RFC3339 timestamp"),
        ("StringEqualsPath", "a", "Value is not a Reference Path: Reference path didn't start with '$'"),
    ],
)
def test_the_operand_of_a_comparison_has_its_type(operator, operand, message):
    rule = {"Variable": "$.a", operator: operand, "Next": "T"}
    state = {"Type": "Choice", "Choices": [rule], "Default": "T"}
    found = errors({"StartAt": "S", "States": {"S": state, "T": PASS}})
    assert found == [(message, f"/States/S/Choices[0]/{operator}")]


@pytest.mark.covers("A10.53")
@pytest.mark.parametrize("text", ["2016-12-05 21:29:29Z", "2016-12-05T21:29:29", "2016-13-05T21:29:29Z", "soon", ""])
def test_a_literal_timestamp_is_rfc_3339(text):
    wait = {"Type": "Wait", "Timestamp": text, "End": True}
    assert errors(machine(wait)) == [("String does not match RFC3339 timestamp", "/States/S/Timestamp")]


@pytest.mark.covers("A10.53")
def test_the_four_forms_of_a_wait():
    def waiting(**fields):
        return errors(machine({"Type": "Wait", **fields, "End": True}))

    names = "[SecondsPath, Seconds, TimestampPath, Timestamp]"
    assert waiting(Seconds=0) == waiting(SecondsPath="$.s") == waiting(TimestampPath="$$.Execution.StartTime") == []
    assert waiting(Seconds=-1) == [("Minimum value is 0", "/States/S/Seconds")]
    assert waiting(Seconds=10**16) == [("Maximum value is 99999999", "/States/S/Seconds")]
    assert waiting() == [(f"This object should have only one of the following fields: {names}", "/States/S")]
    several = f"There should only be one of the following fields: {names}"
    assert waiting(Seconds=1, SecondsPath="$.s") == [(several, "/States/S")]


@pytest.mark.covers("A11.54")
def test_a_parallel_state_has_branches():
    assert errors(machine({"Type": "Parallel", "Branches": [], "End": True})) == [
        ("Value cannot be empty", "/States/S/Branches")
    ]
    state = {"Type": "Parallel", "Branches": [{}], "End": True}
    assert errors(machine(state)) == [("These fields are required: [States, StartAt]", "/States/S/Branches[0]")]


@pytest.mark.covers("A12.56", "A12.63")
def test_the_numbers_of_a_map_state():
    def mapping(**fields):
        return errors(machine({**MAP, **fields}))

    assert mapping(MaxConcurrency=0, ToleratedFailureCount=1, ToleratedFailurePercentage=2.5) == []
    assert mapping(MaxConcurrency=-1) == [("Minimum value is 0", "/States/S/MaxConcurrency")]
    assert mapping(ToleratedFailurePercentage=101) == [
        ("Maximum value is 100.0", "/States/S/ToleratedFailurePercentage")
    ]
    text = "Value is not a Reference Path"
    assert mapping(MaxConcurrencyPath="$$.Execution.Input.n") == [(text, "/States/S/MaxConcurrencyPath")]
    assert mapping(ItemsPath="$$.Execution.Input.n") == []
    neither = "This object should have only one of the following fields: [ItemProcessor, Iterator]"
    assert (neither, "/States/S") in errors(machine({"Type": "Map", "End": True}))


@pytest.mark.covers("A12.59")
def test_the_processor_of_a_distributed_map():
    def processing(type="STANDARD", **config):
        state = {"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, **BRANCH}, "End": True}
        return errors(machine(state), type)

    place = "/States/S/ItemProcessor/ProcessorConfig"
    assert processing(Mode="INLINE") == processing(Mode="DISTRIBUTED", ExecutionType="EXPRESS") == []
    assert processing(Mode="DISTRIBUTED") == [("These fields are required: [ExecutionType]", place)]
    assert processing(Mode="INLINE", ExecutionType="STANDARD") == [("Field 'ExecutionType' is not supported", place)]
    wrong = "Value should be one of the following: [STANDARD, EXPRESS]"
    assert processing(Mode="DISTRIBUTED", ExecutionType="x") == [(wrong, f"{place}/ExecutionType")]
    refused = "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
    assert processing("EXPRESS", Mode="DISTRIBUTED", ExecutionType="EXPRESS") == [(refused, f"{place}/Mode")]


@pytest.mark.covers("A12.59")
def test_the_label_of_a_distributed_map():
    def labelled(label):
        return errors(machine({**DISTRIBUTED, "Label": label}))

    assert labelled("a-b_C.1") == labelled("x" * 40) == []
    assert labelled("") == [("Label cannot be empty", "/States/S/Label")]
    assert labelled("x" * 41) == [("Label cannot exceed 40 characters", "/States/S/Label")]
    assert labelled("a?b*") == [("Label contains invalid character: '?'", "/States/S/Label")]
    assert codes(machine({**DISTRIBUTED, "Label": "a b"})) == ["INVALID_LABEL_NAME"]


@pytest.mark.covers("A12.60")
def test_the_item_reader():
    def reading(**config):
        reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
        return errors(machine({**DISTRIBUTED, "ItemReader": {**reader, "ReaderConfig": config}}))

    place = "/States/S/ItemReader/ReaderConfig"
    assert reading(InputType="JSON", MaxItems=5, ItemsPointer="/a") == []
    assert reading(InputType="CSV", CSVHeaderLocation="FIRST_ROW", CSVDelimiter="TAB") == []
    types = "The field 'InputType' should have one of these values: [MANIFEST, JSON, CSV, JSONL, PARQUET]"
    assert reading(InputType="XML") == [(types, f"{place}/InputType")]
    required, unsupported = "The field 'InputType' is required but was missing", "Field 'InputType' is not supported"
    assert reading(Transformation="LOAD_AND_FLATTEN") == [(required, place)]
    assert reading(Transformation="LOAD_AND_FLATTEN", InputType="JSONL") == reading(Transformation="NONE") == []
    assert reading(ManifestType="S3_INVENTORY", InputType="MANIFEST") == [(unsupported, place)]
    assert reading(ManifestType="S3_INVENTORY") == reading(ManifestType="ATHENA_DATA", InputType="JSONL") == []
    assert reading(InputType="CSV") == [("The field 'CSVHeaderLocation' is required but was missing", place)]
    given = [("These fields are required: [CSVHeaders]", place)]
    assert reading(InputType="CSV", CSVHeaderLocation="GIVEN") == given
    assert reading(InputType="JSON", CSVDelimiter="TAB") == [("Field 'CSVDelimiter' is not supported", place)]
    assert reading(InputType="JSON", MaxItems=100_000_001) == [("Maximum value is 100000000", f"{place}/MaxItems")]
    wrong = errors(machine({**DISTRIBUTED, "ItemReader": {"Resource": "arn:aws:states:::s3:putObject"}}))
    assert wrong[0][0].startswith("The field 'Resource' does not match any of the allowed values.")
    inline = {**MAP, "ItemReader": {"Resource": "arn:aws:states:::s3:getObject"}}
    assert errors(machine(inline)) == [("Field 'ItemReader' is not supported", "/States/S")]


@pytest.mark.covers("A12.61", "A12.62")
def test_the_item_batcher_and_the_result_writer():
    def distributed(**fields):
        return errors(machine({**DISTRIBUTED, **fields}))

    assert distributed(ItemBatcher={"MaxItemsPerBatch": 5, "BatchInput": {"a.$": "$.a"}}) == []
    too_big = distributed(ItemBatcher={"MaxInputBytesPerBatch": 262_145})
    assert too_big == [("Maximum value is 262144", "/States/S/ItemBatcher/MaxInputBytesPerBatch")]
    assert distributed(ItemBatcher={})[0][1] == "/States/S/ItemBatcher"
    put = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}
    config = {"WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"}}
    assert distributed(ResultWriter=put) == distributed(ResultWriter=config) == []
    missing = [("These fields are required: [Resource, Parameters]", "/States/S/ResultWriter")]
    assert distributed(ResultWriter={}) == missing


@pytest.mark.covers("A13.65")
@pytest.mark.parametrize("text", [r"States.Format('dangling \')", r"States.Format('a \"b\"')", "States.Format('a'"])
def test_a_wrong_escape_in_an_intrinsic_call_is_refused(text):
    state = {**PASS, "Parameters": {"x.$": text}}
    message = "The value for the field 'x.$' must be a valid JSONPath or a valid intrinsic function call"
    assert errors(machine(state)) == [(message, "/States/S/Parameters")]


@pytest.mark.covers("A13.67")
def test_error_path_takes_only_intrinsics_that_return_a_string():
    assert errors(machine({"Type": "Fail", "ErrorPath": "States.Format('{}', $.a)", "CausePath": "$.b"})) == []
    text = "Value must be a valid JSONPath or a valid intrinsic function call that returns a string"
    assert errors(machine({"Type": "Fail", "ErrorPath": "States.ArrayLength($.a)"})) == [(text, "/States/S/ErrorPath")]
    both = "There should only be one of the following fields: [Error, ErrorPath]"
    assert errors(machine({"Type": "Fail", "Error": "E", "ErrorPath": "$.e"})) == [(both, "/States/S")]


@pytest.mark.covers("A15.68")
@pytest.mark.parametrize(
    ("resource", "problem"),
    [
        (ACTIVITY, "Express state machine does not support Activity ARN"),
        ("arn:aws:states:::ecs:runTask.sync", "Express state machine does not support '.sync' service integration"),
        (
            "arn:aws:states:::states:startExecution.sync:2",
            "Express state machine does not support '.sync' service integration",
        ),
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Express state machine does not support '.waitForTaskToken' service integration",
        ),
    ],
)
def test_express_refuses_what_waits(resource, problem):
    definition = machine({**TASK, "Resource": resource})
    assert errors(definition, "EXPRESS") == [(problem, "/States/S/Resource")]
    assert errors(definition) == []


@pytest.mark.covers("A15.68")
def test_the_resource_of_a_task():
    def calling(resource, **options):
        return errors(machine({**TASK, "Resource": resource}), **options)

    assert calling(LAMBDA) == calling("arn:aws:states:::aws-sdk:s3:listBuckets") == calling("charge_card") == []
    refused = [("Value is not a valid resource ARN", "/States/S/Resource")]
    assert calling("charge_card", local_resources=False) == calling("", local_resources=True) == refused
    assert calling("arn:aws:states:::sqs:sendMessage.sync")[0][0].startswith(
        "The resource provided arn:aws:states:::sqs"
    )
    missing = {**TASK, "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"Payload": 1}}
    text = "The field 'FunctionName' is required but was missing"
    assert errors(machine(missing)) == [(text, "/States/S/Parameters")]


@pytest.mark.covers("A2")
def test_credentials_need_a_role():
    def acting(credentials, **more):
        return errors(machine({**TASK, **more, "Credentials": credentials}))

    assert acting({"RoleArn": "r"}) == acting({"RoleArn.$": "$.r"}) == []
    missing = [("The field 'RoleArn' is required but was missing", "/States/S/Credentials")]
    assert acting({}) == acting({"Role": "r"}) == missing
    text = "The field 'Credentials' is not supported for activities"
    assert acting({"RoleArn": "r"}, Resource=ACTIVITY) == [(text, "/States/S/Credentials")]


@pytest.mark.covers("A15.68", "A12.59")
def test_the_children_of_a_distributed_map_are_express_where_it_says_so():
    def child(execution_type):
        config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": execution_type}}
        inner = {"StartAt": "I", "States": {"I": {**TASK, "Resource": ACTIVITY}}}
        return errors(machine({"Type": "Map", "ItemProcessor": {**config, **inner}, "End": True}))

    text = "Express state machine does not support Activity ARN"
    assert child("EXPRESS") == [(text, "/States/S/ItemProcessor/States/I/Resource")]
    assert child("STANDARD") == []
