"""Whatever has a type that the API does not take is refused, and the refusal names it."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stepwell

pytestmark = pytest.mark.covers("A16.79")
READER = {
    "Type": "Map",
    "ItemReader": {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "b", "Key": "k"},
    },
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "End": True}},
    },
    "End": True,
}
TASK = {"Type": "Task", "Resource": "arn:aws:states:::mycompany:bill", "End": True}


def asked(state, mock, **configuration):
    """What TestState answers."""
    more = {"stateConfiguration": configuration} if configuration else {}
    return stepwell.test_state(definition=json.dumps(state), mock=mock, **more)


def refusal(state, mock, **configuration):
    """Why TestState refuses."""
    with pytest.raises(stepwell.ApiError) as raised:
        asked(state, mock, **configuration)
    assert raised.value.code == "ValidationException"
    return raised.value.message


@pytest.mark.parametrize(
    ("mock", "reason"),
    [
        (5, "'mock' must be an object"),
        ("x", "'mock' must be an object"),
        ([], "'mock' must be an object"),
        ({"result": 5}, "'mock.result' must be a text"),
        ({"result": None}, "'mock.result' must be a text"),
        ({"result": "x" * 262_145}, "'mock.result' failed to satisfy constraint: Member must have length less than"),
        ({"result": "nope"}, "Mocked result must be valid JSON"),
        ({"result": "[1"}, "Mocked result must be valid JSON"),
        ({"result": ""}, "Mocked result must be valid JSON"),
        ({"result": "NaN"}, "Mocked result must be valid JSON"),
        ({"result": "1", "more": 1}, "Unknown parameter in mock: more"),
        ({"result": "1", "fieldValidationMode": []}, "'mock.fieldValidationMode'"),
        ({"errorOutput": None}, "'mock.errorOutput' must be an object"),
        ({"errorOutput": "E"}, "'mock.errorOutput' must be an object"),
        ({"errorOutput": {}}, "'mock.errorOutput.error' failed to satisfy constraint: Member must not be null"),
        ({"errorOutput": {"cause": "c"}}, "'mock.errorOutput.error' failed"),
        ({"errorOutput": {"error": 5}}, "'mock.errorOutput.error' must be a text"),
        ({"errorOutput": {"error": "E" * 257}}, "'mock.errorOutput.error' failed to satisfy constraint"),
        ({"errorOutput": {"error": "E", "cause": 5}}, "'mock.errorOutput.cause' must be a text"),
        ({"errorOutput": {"error": "E", "cause": "c" * 32_769}}, "'mock.errorOutput.cause' failed"),
        ({"errorOutput": {"error": "E", "Cause": "c"}}, "Unknown parameter in mock.errorOutput: Cause"),
    ],
)
@pytest.mark.parametrize("state", [TASK, READER], ids=["task", "map"])
def test_a_mock_of_a_wrong_shape_is_refused_with_its_place(state, mock, reason):
    assert reason in refusal(state, mock)


@pytest.mark.parametrize("result", [{}, {"a": 1}, "abc", 5, None, True])
def test_a_map_state_with_a_reader_takes_only_a_list_as_its_result(result):
    mock = {"result": json.dumps(result)}
    assert refusal(READER, mock, mapItemReaderData="[1, 2]") == "Mocked result must be an array."


@pytest.mark.parametrize("data", [5, None, True])
def test_a_reader_s_data_is_text(data):
    assert "'stateConfiguration.mapItemReaderData' must be a text" in refusal(
        READER, {"result": "[1]"}, mapItemReaderData=data
    )


@pytest.mark.parametrize("data", ["", "x", "5", '"abc"', "null", "true", "[1", "[1]x"])
def test_a_reader_s_data_that_is_no_list_fails_the_state(data):
    answer = asked(READER, {"result": "[1]"}, mapItemReaderData=data)
    assert (answer["status"], answer["error"]) == ("FAILED", "States.ItemReaderFailed")


@pytest.mark.parametrize("name", ["retrierRetryCount", "mapIterationFailureCount"])
@pytest.mark.parametrize("count", ["1", 1.5, None, True, [], -1])
def test_counts_are_whole_numbers(name, count):
    state = {**READER, "Retry": [{"ErrorEquals": ["States.ALL"]}]}
    reason = refusal(state, {"result": "[1]"}, mapItemReaderData="[1]", **{name: count})
    assert f"'stateConfiguration.{name}'" in reason


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "E", "[1]", "STRICT", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["result", "errorOutput", "error", "cause", "mapItemReaderData", "retrierRetryCount"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(st.sampled_from([TASK, READER]), ANY, ANY)
@settings(deadline=None, max_examples=300)
def test_any_mock_and_configuration_is_answered_or_refused(state, mock, configuration):
    with contextlib.suppress(stepwell.ApiError):
        answer = stepwell.test_state(definition=json.dumps(state), mock=mock, stateConfiguration=configuration)
        assert answer["status"] in ("SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR")
