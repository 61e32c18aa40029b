"""Requests that TestState refuses, in AWS's words."""

import pytest

import stepwell

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"
TASK = {"Type": "Task", "Resource": LAMBDA, "End": True}
PASS = {"Type": "Pass", "End": True}
BRANCH = {"StartAt": "I", "States": {"I": PASS}}
MAP = {"Type": "Map", "ItemProcessor": BRANCH, "End": True}
PARALLEL = {"Type": "Parallel", "Branches": [BRANCH], "End": True}


def invalid(message):
    return "ValidationException", message


@pytest.mark.covers("A16.79")
def test_the_definition_must_be_valid(refused):
    code, message = refused({"Type": "Sleep"})
    assert code == "InvalidDefinition"
    assert message.endswith("at /States/StateName/Type'")
    with pytest.raises(stepwell.ApiError) as raised:
        stepwell.test_state(definition="{")
    assert "INVALID_JSON_DESCRIPTION" in raised.value.message


@pytest.mark.covers("A16.79")
def test_the_input_must_be_json():
    with pytest.raises(stepwell.ApiError) as raised:
        stepwell.test_state(definition='{"Type": "Succeed"}', input="not")
    assert raised.value.code == "InvalidExecutionInput"
    assert raised.value.message.startswith("Invalid State Machine Execution Input: 'Unrecognized token 'not'")


@pytest.mark.covers("A16.79")
def test_parameters_are_the_apis(refused):
    assert refused(PASS, inspectionLevel="ALL")[1].endswith("Member must satisfy enum value set: [INFO, DEBUG, TRACE]")
    assert refused(PASS, nope=1) == invalid("Unknown parameter in input: nope")
    assert refused(PASS, variables=[1]) == invalid("The parameter 'variables' must be a valid JSON object")
    assert refused(PASS, input="x" * 262_144)[0] == "ValidationException"
    with pytest.raises(stepwell.ApiError):
        stepwell.test_state()


@pytest.mark.covers("A16.79")
def test_states_that_wait_for_work_need_a_mock(refused):
    text = "TestState API does not support Map or Parallel states. Supported state types include: "
    kinds = "[Task, Wait, Pass, Succeed, Fail, Choice]"
    assert refused(MAP) == refused(PARALLEL) == ("InvalidDefinition", text + kinds)
    assert refused(TASK) == invalid("RoleArn must be specified when testing a Task state")
    assert refused(TASK, roleArn="r")[1].startswith("No mock is specified")


@pytest.mark.covers("A16.79")
def test_a_mock_is_for_states_that_wait_for_work(refused):
    assert refused(PASS, result=1) == invalid("State type 'Pass' is not supported when a mock is specified")
    both = "A test mock should have only one of the following fields: [result, errorOutput]."
    assert refused(TASK, result=1, error={"error": "E"}) == refused(TASK, mode="NONE") == invalid(both)
    secrets = "TestState does not support RevealSecrets when a mock is specified."
    assert refused(TASK, result=1, revealSecrets=True) == invalid(secrets)
    assert refused(TASK, result=1, mode="SOME")[1].endswith(
        "Member must satisfy enum value set: [STRICT, PRESENT, NONE]"
    )


@pytest.mark.covers("A16.79")
def test_a_mocked_result_has_the_shape_of_the_states_result(refused):
    assert refused(MAP, result={}) == refused(PARALLEL, result={}) == invalid("Mocked result must be an array.")
    number = "Mocked result must contain the same number of items as number of Parallel branches."
    assert refused(PARALLEL, result=[]) == invalid(number)
    size = "Input array does not equal the mocked result array's size."
    assert refused(MAP, input=[1], result=[]) == invalid(size)
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    state = {**MAP, "ItemProcessor": {**config, **BRANCH}, "ResultWriter": writer}
    assert refused(state, input=[], result=[]) == invalid("Mocked result must be a JSON object.")


@pytest.mark.covers("A16.79")
def test_the_state_configuration_fits_the_state_and_needs_a_mock(refused):
    without = "TestState does not support MapIterationFailureCount when a mock is not specified."
    assert refused(MAP, stateConfiguration={"mapIterationFailureCount": 0}) == invalid(without)
    number = "Map iteration failure count must be less than or equal to the number of Map iterations"
    failing = {"stateConfiguration": {"mapIterationFailureCount": 2}}
    assert refused(MAP, input=[1], result=[1], **failing) == invalid(number)
    assert refused(TASK, result={}, **failing)[0] == "ValidationException"
    cause = {"stateConfiguration": {"errorCausedByState": "Nope"}}
    assert refused(MAP, error={"error": "E"}, **cause) == invalid("State not found.")
    assert refused(TASK, result={}, stateConfiguration={"retrierRetryCount": -1})[0] == "ValidationException"


PUT = {"Type": "Task", "Resource": "arn:aws:states:::events:putEvents", "Parameters": {"Entries": []}, "End": True}
START = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution",
    "Parameters": {"StateMachineArn": "arn"},
    "End": True,
}
INVOKE = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "f"},
    "End": True,
}


@pytest.mark.covers("A16.79")
class TestFieldsOfTheApi:
    """Mocked results against botocore's model of the API that the Task would call."""

    @pytest.fixture(autouse=True)
    def _needs_botocore(self):
        pytest.importorskip("botocore", reason="the models of AWS's APIs are botocore's")

    def problem(self, answer):
        return invalid(f"Mock result schema validation error: {answer}")

    def test_types_are_checked(self, refused):
        assert refused(PUT, result={"Entries": "x"}) == self.problem("Field 'Entries' must be an array")
        nested = {"Entries": [{"EventId": "1"}, {"EventId": [2]}]}
        assert refused(PUT, result=nested) == self.problem("Field 'EventId' must be a string")
        assert refused(INVOKE, result={"StatusCode": "200"}) == self.problem("Field 'StatusCode' must be a number")

    def test_a_strict_mock_has_every_field_that_the_api_always_gives(self, ask, refused):
        missing = self.problem("Required field 'ExecutionArn' is missing")
        assert refused(START, result={}) == missing
        assert ask(START, result={}, mode="PRESENT")["status"] == "SUCCEEDED"
        wrong = {"StartDate": True}
        assert refused(START, result=wrong, mode="PRESENT") == self.problem("Field 'StartDate' must be a string")
        assert ask(START, result=wrong, mode="NONE")["output"] == wrong

    def test_what_the_model_does_not_know_is_let_through(self, ask):
        assert ask(PUT, result={"random": 1})["output"] == {"random": 1}
        unknown = {**TASK, "Resource": "arn:aws:states:::mycompany:bill"}
        assert ask(unknown, result=[1])["output"] == [1]

    def test_a_functions_payload_is_any_value(self, ask):
        assert ask(INVOKE, result={"Payload": {"a": 1}})["output"] == {"Payload": {"a": 1}}

    def test_a_callback_hands_back_what_it_likes(self, ask):
        state = {**START, "Resource": "arn:aws:states:::states:startExecution.waitForTaskToken"}
        assert ask(state, result="done")["output"] == "done"


@pytest.mark.covers("A16.79")
@pytest.mark.parametrize("definition", [MAP, PARALLEL, TASK, {**TASK, "Resource": "arn:aws:states:::sqs:sendMessage"}])
def test_a_context_has_a_task_token_only_where_the_state_has_one(refused, definition):
    text = (
        "Invalid Context object provided: Context object contains 'Task' when state is not a Task state with a "
        "'.sync' or '.waitForTaskToken' service integration pattern"
    )
    assert refused(definition, input=[1], context={"Task": {"Token": "t"}}, result=[1]) == invalid(text)


@pytest.mark.covers("A16.79")
@pytest.mark.parametrize("pattern", ["waitForTaskToken", "sync"])
def test_a_context_gives_the_token_of_a_task_that_waits(ask, pattern):
    resource = f"arn:aws:states:::ecs:runTask.{pattern}"
    task = {"Type": "Task", "Resource": resource, "Parameters": {"t.$": "$$.Task.Token"}, "End": True}
    assert ask(task, context={"Task": {"Token": "mine"}}, result={})["shown"]["afterParameters"] == {"t": "mine"}


@pytest.mark.covers("A16.79")
@pytest.mark.parametrize("definition", [PASS, TASK, {"Type": "Succeed"}])
def test_a_context_needs_a_mock(refused, definition):
    text = "TestState does not support Context when a mock is not specified."
    assert refused(definition, context={}, roleArn="r") == invalid(text)


@pytest.mark.covers("A16.79")
@pytest.mark.parametrize(
    ("resource", "parameters", "what"),
    [
        ("arn:aws:states:us-east-1:123456789012:activity:a", {}, "Activity tasks"),
        ("arn:aws:states:::ecs:runTask.sync", {}, "the '.sync' integration pattern"),
        (
            "arn:aws:states:::states:startExecution.sync:2",
            {"StateMachineArn": "a"},
            "the '.sync:2' integration pattern",
        ),
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"},
            "the '.waitForTaskToken' integration pattern",
        ),
    ],
)
def test_work_that_somebody_else_ends_needs_a_mock(refused, resource, parameters, what):
    task = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
    text = f"TestState does not support {what} when a mock is not specified."
    assert refused(task, roleArn="r", call=lambda resource, arguments: {}) == invalid(text)
