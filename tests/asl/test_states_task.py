"""Task: arguments, limits, results, catchers."""

import pytest

from stepwell.asl.definition import Outcome
from stepwell.asl.retry import match_catcher

LAMBDA = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:111111111111:function:pay"}
JSONATA = {**LAMBDA, "QueryLanguage": "JSONata"}


def test_a_bare_task_hands_documents_on_as_they_are(compile_state, scope):
    for definition in (LAMBDA, JSONATA):
        state = compile_state(definition)
        assert state.arguments_identity
        assert state.result_identity
        assert state.arguments(scope({"a": 1})) == {"a": 1}
        assert state.finish(scope({"a": 1}), [2]) == Outcome([2], None)
        assert state.timeout_seconds(scope({})) is None
        assert state.heartbeat_seconds(scope({})) is None
        assert state.credentials(scope({})) is None


@pytest.mark.covers("A15.68")
def test_the_resource_is_taken_apart_once(compile_state):
    parameters = {"QueueUrl": "q", "MessageBody": {"Token.$": "$$.Task.Token"}}
    resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    state = compile_state({**LAMBDA, "Resource": resource, "Parameters": parameters})
    kind = (state.resource_kind, state.service, state.action, state.pattern)
    assert kind == ("integration", "sqs", "sendMessage", "waitForTaskToken")
    assert compile_state({**LAMBDA, "Resource": "charge-card"}).resource_kind == "lambda"


@pytest.mark.covers("A3.9")
def test_the_whole_data_flow_in_its_order(compile_state, scope):
    state = compile_state(
        {
            **LAMBDA,
            "InputPath": "$.order",
            "Parameters": {"id.$": "$.id", "by.$": "$who", "run.$": "$$.Execution.Id"},
            "ResultSelector": {"paid.$": "$.amount"},
            "ResultPath": "$.payment",
            "OutputPath": "$.payment",
            "Assign": {"amount.$": "$.amount"},
        }
    )
    here = scope({"order": {"id": 7}}, who="me")
    assert not state.arguments_identity
    assert state.arguments(here) == {"id": 7, "by": "me", "run": "run:1"}
    assert not state.result_identity
    assert state.finish(here, {"amount": 3, "more": True}) == Outcome({"paid": 3}, {"amount": 3})


@pytest.mark.covers("A3.10")
def test_a_dropped_result_leaves_the_raw_input(compile_state, scope):
    state = compile_state({**LAMBDA, "InputPath": "$.a", "ResultPath": None})
    assert state.finish(scope({"a": 1}), 9).output == {"a": 1}


@pytest.mark.covers("A4.17", "A4.25", "A5.27")
def test_jsonata_reads_the_result_after_success(compile_state, scope):
    state = compile_state(
        {
            **JSONATA,
            "Arguments": {"n": "{% $states.input.n + $by %}"},
            "Assign": {"by": "{% $states.result.n %}", "was": "{% $by %}"},
            "Output": {"in": "{% $states.input %}", "out": "{% $states.result %}", "by": "{% $by %}"},
        }
    )
    here = scope({"n": 1}, by=2)
    assert state.arguments(here) == {"n": 3}
    assert state.finish(here, {"n": 5}) == Outcome({"in": {"n": 1}, "out": {"n": 5}, "by": 2}, {"by": 5, "was": 2})


@pytest.mark.covers("A4.25")
def test_jsonata_with_assign_alone_keeps_the_result_as_output(compile_state, scope):
    state = compile_state({**JSONATA, "Assign": {"x": "{% $states.result %}"}})
    assert not state.result_identity
    assert state.finish(scope(1), 2) == Outcome(2, {"x": 2})


@pytest.mark.covers("A4.17", "A4.23")
def test_there_is_no_result_before_the_work(compile_state, scope, fails):
    state = compile_state({**JSONATA, "Arguments": {"FunctionName": "{% $gone %}"}})
    cause = (
        "The JSONata expression '$gone' specified for the field 'Arguments/FunctionName' returned nothing (undefined)."
    )
    assert fails(state.arguments, scope({})) == ("States.QueryEvaluationError", cause, "Arguments/FunctionName")


@pytest.mark.covers("A8.44", "A8.45")
def test_limits_literal_by_path_and_by_expression(compile_state, scope):
    literal = compile_state({**LAMBDA, "TimeoutSeconds": 10, "HeartbeatSeconds": 5})
    assert (literal.timeout_seconds(scope({})), literal.heartbeat_seconds(scope({}))) == (10, 5)
    by_path = compile_state(
        {**LAMBDA, "InputPath": "$.t", "TimeoutSecondsPath": "$.timeout", "HeartbeatSecondsPath": "$beat"}
    )
    here = scope({"t": {"timeout": 9}}, beat=3)
    assert (by_path.timeout_seconds(here), by_path.heartbeat_seconds(here)) == (9, 3)
    expressed = compile_state({**JSONATA, "TimeoutSeconds": "{% $t := 1 %}", "HeartbeatSeconds": "{% $states.input %}"})
    assert (expressed.timeout_seconds(scope(4)), expressed.heartbeat_seconds(scope(4))) == (1, 4)
    both = compile_state({**JSONATA, "TimeoutSeconds": 7})
    assert both.timeout_seconds(scope({})) == 7


@pytest.mark.covers("A6.35")
@pytest.mark.parametrize("value", [0, -1, 1.5, "soon", None, True])
def test_limits_that_are_no_positive_whole_numbers(compile_state, scope, fails, value):
    by_path = compile_state({**LAMBDA, "TimeoutSecondsPath": "$.t"})
    error, cause, _ = fails(by_path.timeout_seconds, scope({"t": value}))
    assert error == "States.Runtime"
    assert cause.startswith("The TimeoutSecondsPath parameter ")
    assert "$.t == " in cause
    expressed = compile_state({**JSONATA, "TimeoutSeconds": "{% $states.input %}"})
    error, _, location = fails(expressed.timeout_seconds, scope(value))
    assert (error, location) == ("States.QueryEvaluationError", "TimeoutSeconds")


def test_credentials(compile_state, scope):
    by_path = compile_state({**LAMBDA, "Credentials": {"RoleArn.$": "$.role"}})
    assert by_path.credentials(scope({"role": "r"})) == {"RoleArn": "r"}
    expressed = compile_state({**JSONATA, "Credentials": {"RoleArn": "{% $states.input.role %}"}})
    assert expressed.credentials(scope({"role": "r"})) == {"RoleArn": "r"}


def caught(state, scope_, error="Boom", cause="why"):
    catcher = state.catchers[match_catcher(state, error)]
    return catcher.next, catcher.run(scope_, error, cause)


@pytest.mark.covers("A7.41")
def test_the_error_output_replaces_the_input(compile_state, scope):
    catch = [{"ErrorEquals": ["Boom"], "Next": "A"}, {"ErrorEquals": ["States.ALL"], "Next": "B"}]
    for definition in (LAMBDA, JSONATA):
        state = compile_state({**definition, "Catch": catch})
        assert caught(state, scope(1)) == ("A", Outcome({"Error": "Boom", "Cause": "why"}, None))
        assert caught(state, scope(1), "Other", None) == ("B", Outcome({"Error": "Other", "Cause": None}, None))


@pytest.mark.covers("A7.41")
def test_result_path_of_a_catcher_is_onto_the_raw_input(compile_state, scope):
    catch = [
        {"ErrorEquals": ["Boom"], "Next": "A", "ResultPath": "$.failure"},
        {"ErrorEquals": ["States.ALL"], "Next": "B", "ResultPath": None},
    ]
    state = compile_state({**LAMBDA, "InputPath": "$.a", "OutputPath": "$.none", "Catch": catch})
    raw = scope({"a": 1})
    assert caught(state, raw)[1].output == {"a": 1, "failure": {"Error": "Boom", "Cause": "why"}}
    assert caught(state, raw, "Other")[1].output == {"a": 1}


@pytest.mark.covers("A5.30")
def test_a_catcher_assigns_and_the_state_does_not(compile_state, scope):
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "A", "Assign": {"failed.$": "$.Error", "old.$": "$x"}}]
    state = compile_state({**LAMBDA, "Assign": {"x": "new"}, "Catch": catch})
    assert caught(state, scope({}, x=1))[1].assigned == {"failed": "Boom", "old": 1}


@pytest.mark.covers("A4.17", "A5.30")
def test_a_jsonata_catcher_reads_the_error_output(compile_state, scope):
    catch = [
        {
            "ErrorEquals": ["States.ALL"],
            "Next": "A",
            "Assign": {"e": "{% $states.errorOutput %}"},
            "Output": {"in": "{% $states.input %}", "error": "{% $states.errorOutput.Error %}"},
        }
    ]
    state = compile_state({**JSONATA, "Assign": {"e": 1}, "Catch": catch})
    _, outcome = caught(state, scope({"a": 1}))
    assert outcome == Outcome({"in": {"a": 1}, "error": "Boom"}, {"e": {"Error": "Boom", "Cause": "why"}})


@pytest.mark.covers("A4.23")
def test_the_field_of_a_catcher_is_named(compile_state, scope, fails):
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "A", "Output": {"x": "{% $gone %}"}}]
    state = compile_state({**JSONATA, "Catch": catch})
    assert fails(state.catchers[0].run, scope({}), "Boom", None)[2] == "Catch[0]/Output/x"
