"""States one by one: how they end, and what inspection shows of their data flow (ASL A16.79)."""

import pytest

from stepwell.errors import TaskError

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"
TASK = {"Type": "Task", "Resource": LAMBDA, "End": True}
BRANCH = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **BRANCH}


@pytest.mark.covers("A16.79")
def test_a_pass_state_shows_its_stages(ask):
    state = {"Type": "Pass", "InputPath": "$.a", "Parameters": {"x.$": "$.b"}, "ResultPath": "$.r", "OutputPath": "$.r"}
    answer = ask({**state, "Next": "Elsewhere"}, input={"a": {"b": 1}})
    assert (answer["status"], answer["output"], answer["nextState"]) == ("SUCCEEDED", {"x": 1}, "Elsewhere")
    assert answer["shown"] == {
        "input": {"a": {"b": 1}},
        "afterInputPath": {"b": 1},
        "afterParameters": {"x": 1},
        "afterResultSelector": {"x": 1},
        "afterResultPath": {"a": {"b": 1}, "r": {"x": 1}},
    }


@pytest.mark.covers("A16.79")
def test_the_info_level_shows_nothing(ask):
    answer = ask({"Type": "Pass", "End": True}, inspectionLevel="INFO", input=[1])
    assert answer == {"status": "SUCCEEDED", "output": [1], "shown": {}}


@pytest.mark.covers("A16.79", "A5.27")
def test_variables_are_read_as_on_entry_and_shown_after(ask):
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $n %}", "Assign": {"n": "{% $n + 1 %}"}}
    answer = ask({**state, "End": True}, variables={"n": 1, "kept": True})
    assert answer["output"] == 1
    assert answer["shown"]["variables"] == {"n": 2, "kept": True}


@pytest.mark.covers("A16.79")
def test_a_choice_tells_where_it_goes(ask):
    rule = {"Variable": "$.n", "NumericGreaterThan": 1, "Next": "Big"}
    state = {"Type": "Choice", "Choices": [rule], "Default": "Small"}
    assert ask(state, input={"n": 2})["nextState"] == "Big"
    assert ask(state, input={"n": 1})["nextState"] == "Small"


@pytest.mark.covers("A16.79")
def test_a_wait_does_not_wait(ask):
    answer = ask({"Type": "Wait", "Seconds": 3600, "Next": "Then"}, input={"a": 1})
    assert (answer["output"], answer["nextState"]) == ({"a": 1}, "Then")
    late = ask({"Type": "Wait", "SecondsPath": "$.a", "End": True}, input={"a": "soon"})
    assert (late["status"], late["error"]) == ("FAILED", "States.Runtime")


@pytest.mark.covers("A16.79")
def test_a_fail_state_fails_with_its_error(ask):
    answer = ask({"Type": "Fail", "Error": "E", "CausePath": "$.why"}, input={"why": "because"})
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "E", "because")
    assert "error" not in ask({"Type": "Fail"})


@pytest.mark.covers("A16.79", "A3.9")
def test_a_task_shows_what_went_in_and_came_out(ask):
    state = {**TASK, "Parameters": {"x.$": "$.a"}, "ResultSelector": {"y.$": "$.z"}, "ResultPath": "$.r"}
    answer = ask(state, input={"a": 1}, result={"z": 2})
    assert answer["output"] == {"a": 1, "r": {"y": 2}}
    assert answer["shown"]["afterParameters"] == {"x": 1}
    assert answer["shown"]["result"] == {"z": 2}
    assert answer["shown"]["afterResultSelector"] == {"y": 2}


@pytest.mark.covers("A16.79")
def test_what_a_failed_state_got_to_is_shown(ask):
    answer = ask({**TASK, "InputPath": "$.a", "Parameters": {"x.$": "$.nope"}}, input={"a": {}}, result={})
    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")
    assert answer["shown"] == {"input": {"a": {}}, "afterInputPath": {}}


@pytest.mark.covers("A16.79", "A7.37", "A7.38")
def test_a_retrier_with_attempts_left_makes_the_error_retriable(ask):
    state = {**TASK, "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 3, "MaxAttempts": 2, "BackoffRate": 1.5}]}

    def after(count):
        answer = ask(state, error={"error": "E", "cause": "c"}, stateConfiguration={"retrierRetryCount": count})
        return answer["status"], answer["shown"]["errorDetails"]

    assert after(0) == ("RETRIABLE", {"retryIndex": 0, "retryBackoffIntervalSeconds": 3})
    assert after(1) == ("RETRIABLE", {"retryIndex": 0, "retryBackoffIntervalSeconds": 4})
    assert after(2) == ("FAILED", {"retryIndex": 0})


@pytest.mark.covers("A16.79", "A7.41", "A5.30")
def test_a_catcher_takes_the_error(ask):
    catcher = {
        "ErrorEquals": ["States.TaskFailed"],
        "Next": "Mend",
        "ResultPath": "$.e",
        "Assign": {"why.$": "$.Cause"},
    }
    answer = ask({**TASK, "Catch": [catcher], "Assign": {"no": 1}}, input={"a": 1}, error={"error": "E", "cause": "c"})
    assert answer["status"] == "CAUGHT_ERROR"
    assert (answer["error"], answer["cause"], answer["nextState"]) == ("E", "c", "Mend")
    assert answer["output"] == {"a": 1, "e": {"Error": "E", "Cause": "c"}}
    assert answer["shown"]["errorDetails"] == {"catchIndex": 0}
    assert answer["shown"]["variables"] == {"why": "c"}


@pytest.mark.covers("A16.79", "A6")
def test_nothing_catches_a_runtime_error(ask):
    state = {**TASK, "InputPath": "$.nope", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Mend"}]}
    assert ask(state, result={})["status"] == "FAILED"


@pytest.mark.covers("A16.79", "A11.54")
def test_a_parallel_state_takes_the_results_of_its_branches(ask):
    state = {"Type": "Parallel", "Branches": [BRANCH], "ResultPath": "$.r", "End": True}
    assert ask(state, input={"a": 1}, result=[2])["output"] == {"a": 1, "r": [2]}


@pytest.mark.covers("A16.79", "A12.57")
def test_a_map_state_shows_the_inputs_of_its_iterations(ask):
    selector = {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "a.$": "$.a"}
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemSelector": selector, "ItemProcessor": BRANCH, "End": True}
    answer = ask({**state, "MaxConcurrency": 2}, input={"a": 0, "items": ["x", "y"]}, result=[1, 2])
    assert answer["output"] == [1, 2]
    assert answer["shown"]["afterItemsPath"] == ["x", "y"]
    assert answer["shown"]["afterItemSelector"] == [{"i": 0, "v": "x", "a": 0}, {"i": 1, "v": "y", "a": 0}]
    assert answer["shown"]["maxConcurrency"] == 2


@pytest.mark.covers("A16.79", "A12.63")
def test_failed_iterations_count_against_what_a_map_tolerates(ask):
    def failing(count, **tolerance):
        state = {"Type": "Map", "ItemProcessor": DISTRIBUTED, "End": True, **tolerance}
        configuration = {"mapIterationFailureCount": count}
        answer = ask(state, input=[1, 2, 3, 4], result=[1, 2, 3, 4], stateConfiguration=configuration)
        return answer["status"], answer.get("error")

    exceeded = ("FAILED", "States.ExceedToleratedFailureThreshold")
    assert (
        failing(0)
        == failing(2, ToleratedFailureCount=2)
        == failing(2, ToleratedFailurePercentage=50)
        == ("SUCCEEDED", None)
    )
    assert failing(1) == failing(3, ToleratedFailureCount=2) == failing(3, ToleratedFailurePercentage=50) == exceeded


@pytest.mark.covers("A16.79", "A12.60", "A12.61")
@pytest.mark.parametrize(
    ("config", "data", "items"),
    [
        ({"InputType": "JSON"}, "[1, 2]", [1, 2]),
        ({"InputType": "JSON", "ItemsPointer": "/a/b"}, '{"a": {"b": [3]}}', [3]),
        ({"InputType": "JSONL"}, "1\n\n2\n", [1, 2]),
        ({"InputType": "JSON", "MaxItems": 1}, "[1, 2]", [1]),
        ({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, "a,b\n1,2\n", [{"a": "1", "b": "2"}]),
        (
            {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a"], "CSVDelimiter": "PIPE"},
            "1|2\n",
            [{"a": "1"}],
        ),
    ],
)
def test_the_data_of_an_item_reader_is_given(ask, config, data, items):
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
    batcher = {"MaxItemsPerBatch": 10, "BatchInput": {"x": 1}}
    state = {"Type": "Map", "ItemReader": {**reader, "ReaderConfig": config}, "ItemBatcher": batcher, "End": True}
    configuration = {"mapItemReaderData": data}
    answer = ask({**state, "ItemProcessor": DISTRIBUTED}, result=["done"], stateConfiguration=configuration)
    assert answer["shown"]["afterItemBatcher"] == [{"Items": items, "BatchInput": {"x": 1}}]
    assert ("afterItemsPointer" in answer["shown"]) == ("ItemsPointer" in config)


READER = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}


@pytest.mark.covers("A16.79", "A12.60")
@pytest.mark.parametrize(
    ("config", "data", "cause"),
    [
        ({"InputType": "JSON"}, "1", "Attempting to map over non-iterable node."),
        ({"InputType": "JSON"}, '"text"', "Attempting to map over non-iterable node."),
        ({"InputType": "JSON"}, "[1", "The items could not be read: "),
        ({"InputType": "JSON", "ItemsPointer": "/a"}, "{}", "ItemsPointer '/a' points at nothing"),
        ({"InputType": "JSONL"}, "1\n{", "line 2 is not JSON"),
        ({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, "a,a\n", "CSV headers cannot contain duplicates."),
        ({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, 'a\n"b', "the CSV file cannot be read"),
        ({"InputType": "PARQUET"}, "PAR", "The items could not be read: "),
    ],
)
def test_data_that_is_not_what_the_reader_expects_fails_as_its_file_would(ask, config, data, cause):
    state = {"Type": "Map", "ItemReader": {**READER, "ReaderConfig": config}, "ItemProcessor": DISTRIBUTED}
    catcher = {"ErrorEquals": ["States.ItemReaderFailed"], "Next": "Mend"}
    answer = ask({**state, "Catch": [catcher], "End": True}, result=[], stateConfiguration={"mapItemReaderData": data})
    assert (answer["status"], answer["error"]) == ("CAUGHT_ERROR", "States.ItemReaderFailed")
    assert answer["cause"].startswith(cause)


@pytest.mark.covers("A16.79", "A12.57")
def test_items_say_where_they_are_from(ask):
    selector = {"from.$": "$$.Map.Item.Source"}
    state = {"Type": "Map", "ItemSelector": selector, "ItemProcessor": DISTRIBUTED, "End": True}

    def sources(state, data=None, **given):
        answer = ask(state, result=[1], stateConfiguration={"mapItemReaderData": data} if data else {}, **given)
        return answer["shown"]["afterItemSelector"]

    assert sources(state, input=["x"]) == [{"from": "STATE_DATA"}]
    reader = {**READER, "ReaderConfig": {"InputType": "JSON"}}
    assert sources({**state, "ItemReader": reader}, data="[1]") == [{"from": "S3://b/k"}]
    listing = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "b", "Prefix": "p"}}
    assert sources({**state, "ItemReader": listing}, data='[{"Key": "p/1"}]') == [{"from": "S3://b"}]
    members = {"member.$": "$$.Map.Item.Key", "of.$": "$$.Map.Item.Source"}
    answer = sources({**state, "ItemSelector": members, "ItemReader": reader}, data='{"a": 1}')
    assert answer == [{"member": "a", "of": "S3://b/k"}]


@pytest.mark.covers("A16.79", "A14")
def test_the_context_object_is_the_one_given_or_like_a_real_one(ask):
    state = {**TASK, "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "ResultSelector": {"c.$": "$$"}}
    state["Parameters"] = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
    given = ask(state, context={"Task": {"Token": "t"}}, result={})
    assert given["output"] == {"c": {"Task": {"Token": "t"}}}
    context = ask(state, input={"a": 1}, result={})["output"]["c"]
    assert context["Execution"]["Input"] == {"a": 1}
    assert context["State"]["RetryCount"] == 0
    assert context["Task"]["Token"]


@pytest.mark.covers("A16.79")
def test_a_state_is_found_by_its_name_at_any_level(ask, refused):
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "Result": 7, "End": True}}}
    machine = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [inner], "End": True}}}
    assert ask(machine, stateName="I")["output"] == 7
    assert refused(machine, stateName="Nope") == ("ValidationException", "State not found.")


@pytest.mark.covers("A16.79")
def test_a_task_without_a_mock_can_be_called(ask):
    def double(resource, arguments):
        if "n" not in arguments:
            raise TaskError("Missing", resource)
        return arguments["n"] * 2

    assert ask(TASK, input={"n": 2}, call=double, roleArn="r")["output"] == 4
    assert ask(TASK, input={"n": 2}, call=double)["output"] == 4
    assert ask(TASK, input={}, call=double, roleArn="r")["error"] == "Missing"
