"""Names of errors, who catches what, and causes, line by line (ASL A6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.error_support import caught_by, fails
from engine.support import (
    HANGS,
    INVOKE,
    LAMBDA,
    Definition,
    Lab,
    boom,
    catch,
    machine,
    map_over,
    parallel,
    passing,
    retry,
    task,
)

Labs = Callable[..., Lab]


@pytest.mark.covers("A6", "A6.33")
@pytest.mark.parametrize(
    ("error", "names", "is_caught"),
    [
        ("Boom", ["States.ALL"], True),
        ("Boom", ["Boom"], True),
        ("Boom", ["Other", "Boom"], True),
        ("Boom", ["Other"], False),
        ("Boom", ["boom"], False),
        ("Boom", ["States.TaskFailed"], True),
        ("Lambda.Unknown", ["States.TaskFailed"], True),
        ("Lambda.TooManyRequestsException", ["Lambda.TooManyRequestsException"], True),
        ("DynamoDB.AmazonDynamoDBException", ["DynamoDB.AmazonDynamoDBException"], True),
        ("SQS.AmazonSQSException", ["States.ALL"], True),
        ("ApiGateway.403", ["ApiGateway.403"], True),
        ("EventBridge.FailedEntry", ["EventBridge.FailedEntry"], True),
        ("States.Http.Socket", ["States.Http.Socket"], True),
        ("States.TaskFailed", ["States.TaskFailed"], True),
        ("States.Permissions", ["States.Permissions"], True),
        ("States.Permissions", ["States.TaskFailed"], True),
        ("States.DataLimitExceeded", ["States.DataLimitExceeded"], True),
        ("States.DataLimitExceeded", ["States.ALL"], True),
        ("States.Timeout", ["States.Timeout"], True),
        ("States.Timeout", ["States.ALL"], True),
        ("States.Timeout", ["States.TaskFailed"], False),
        ("States.Timeout", ["States.HeartbeatTimeout"], False),
        ("States.ResultWriterFailed", ["States.ResultWriterFailed"], True),
        ("States.Runtime", ["States.ALL"], False),
        ("States.Runtime", ["States.Runtime"], False),
        ("States.Runtime", ["States.TaskFailed"], False),
    ],
)
def test_which_names_catch_which_errors(lab: Labs, error: str, names: list[str], is_caught: bool) -> None:
    run = lab({"S": boom(error, "why")}).finish(caught_by(task(), *names))
    if is_caught:
        assert run.outcome == ("Succeeded", {"Error": error, "Cause": "why"})
    else:
        assert run.outcome == ("Failed", error)


@pytest.mark.covers("A6")
def test_the_first_catcher_that_fits_is_taken(lab: Labs) -> None:
    catchers = [catch("Other", next="A"), catch("Boom", next="B"), catch("States.ALL", next="A")]
    run = lab({"S": boom()}).finish(machine({"S": task(Catch=catchers), "A": passing(), "B": passing()}))
    assert run.path == ["S", "B"]


RUNTIME_ERRORS = {
    "Parameters": task(Parameters={"x.$": "$.missing"}),
    "ParameterPathFailure": task(InputPath="$.missing"),
    "IntrinsicFailure": task(Parameters={"x.$": "States.StringToJson('{')"}),
    "ResultSelector": task(ResultSelector={"x.$": "$.missing"}),
    "ItemsPath": map_over(machine({"P": passing()}), ItemsPath="$.missing"),
}


@pytest.mark.covers("A6")
@pytest.mark.parametrize("state", RUNTIME_ERRORS.values(), ids=RUNTIME_ERRORS)
@pytest.mark.parametrize(
    "names", [("States.ALL",), ("States.Runtime",), ("States.ParameterPathFailure", "States.IntrinsicFailure")]
)
def test_an_error_of_the_interpreter_is_states_runtime_which_nobody_catches_or_retries(
    lab: Labs, state: Definition, names: tuple[str, ...]
) -> None:
    again = [retry(*names, MaxAttempts=2)]
    run = lab({"S": {"a": 1}}).finish(caught_by({**state, "Retry": again}, *names))
    assert run.outcome == ("Failed", "States.Runtime")
    assert run.path == ["S"]
    assert run.types[-1] == "ExecutionFailed"
    assert not any(type.endswith(("TaskFailed", "FunctionFailed", "MapStateFailed")) for type in run.types)


@pytest.mark.covers("A6", "A9.52")
def test_no_choice_matched_is_states_runtime(lab: Labs) -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.x", "NumericEquals": 1, "Next": "End"}]}
    inner = machine({"C": choice, "End": {"Type": "Succeed"}})
    run = lab().finish(caught_by(parallel(inner), "States.NoChoiceMatched", "States.BranchFailed"), {"x": 2})
    assert run.outcome == ("Failed", "States.Runtime")


@pytest.mark.covers("A6", "A3.13")
def test_a_result_path_that_cannot_apply_is_caught_by_its_name(lab: Labs) -> None:
    run = lab({"S": 1}).finish(caught_by(task(ResultPath="$.a.b"), "States.ResultPathMatchFailure"), {"a": 7})
    status, output = run.outcome
    assert (status, output["Error"]) == ("Succeeded", "States.ResultPathMatchFailure")


@pytest.mark.covers("A6", "A4.24")
def test_a_query_evaluation_error_is_retried_and_caught_and_told_once_an_attempt(lab: Labs) -> None:
    state = task(
        QueryLanguage="JSONata", Arguments="{% $states.input.missing %}", Retry=[retry("States.ALL", MaxAttempts=2)]
    )
    run = lab().finish(caught_by(state, "States.QueryEvaluationError"))
    status, output = run.outcome
    assert (status, output["Error"]) == ("Succeeded", "States.QueryEvaluationError")
    assert run.types.count("EvaluationFailed") == 3
    details = next(event["evaluationFailedEventDetails"] for event in run.events if event["type"] == "EvaluationFailed")
    assert (details["location"], details["state"]) == ("Arguments", "S")


@pytest.mark.covers("A6", "A12.63")
def test_too_many_failed_iterations_exceed_the_threshold(lab: Labs) -> None:
    state = map_over(machine({"I": task()}), ItemsPath="$", ToleratedFailureCount=1)
    run = lab({"I": boom()}).finish(caught_by(state, "States.ExceedToleratedFailureThreshold"), [1, 2])
    assert run.outcome[1]["Cause"] == "The specified tolerated failure threshold was exceeded"


@pytest.mark.covers("A6", "A6.32b")
@pytest.mark.parametrize("names", [("FailureType",), ("States.ALL",), ("States.TaskFailed",)])
@pytest.mark.parametrize("inner", [fails("FailureType", "as asked"), task()], ids=["Fail", "Task"])
def test_a_failed_branch_fails_the_state_with_its_own_error(
    lab: Labs, inner: Definition, names: tuple[str, ...]
) -> None:
    state = parallel(machine({"B": inner}), machine({"C": passing()}))
    run = lab({"B": boom("FailureType", "as asked")}).finish(caught_by(state, *names))
    assert run.outcome == ("Succeeded", {"Error": "FailureType", "Cause": "as asked"})
    assert "ParallelStateFailed" in run.types


@pytest.mark.covers("A6")
def test_the_specifications_branch_failed_never_appears(lab: Labs) -> None:
    run = lab().finish(caught_by(parallel(machine({"B": fails()})), "States.BranchFailed"))
    assert run.outcome == ("Failed", "Boom")


@pytest.mark.covers("A6.32b")
@pytest.mark.parametrize("around", ["Parallel", "Map", "Parallel in Map"])
def test_states_runtime_within_a_level_ends_the_whole_execution(lab: Labs, around: str) -> None:
    inner = machine({"P": passing(InputPath="$.missing")})
    if around != "Parallel":
        inner = machine({"I": parallel(inner)}) if around == "Parallel in Map" else inner
        state = map_over(inner, ItemsPath="$.items")
    else:
        state = parallel(inner, machine({"W": {"Type": "Wait", "Seconds": 9, "End": True}}))
    run = lab().finish(caught_by(state, "States.ALL"), {"items": [{}]})
    assert run.outcome == ("Failed", "States.Runtime")
    assert run.types[-2:] in (["PassStateEntered", "ExecutionFailed"], ["WaitStateEntered", "ExecutionFailed"])
    assert not {"ParallelStateFailed", "MapStateFailed", "MapIterationFailed"} & set(run.types)


@pytest.mark.covers("A6.33")
@pytest.mark.parametrize("around", ["Parallel", "Map"])
def test_errors_of_aws_pass_through_parallel_and_map(lab: Labs, around: str) -> None:
    inner = machine({"I": task(TimeoutSeconds=5)})
    state = parallel(inner) if around == "Parallel" else map_over(inner, ItemsPath="$")
    run = lab({"I": [HANGS]}).finish(machine({"S": state}), [1])
    assert run.outcome == ("Failed", "States.Timeout")
    run = lab({"I": [HANGS]}).finish(caught_by(state, "States.Timeout"), [1])
    assert run.outcome[1]["Error"] == "States.Timeout"


@pytest.mark.covers("A6.34")
def test_the_interpreters_cause_has_its_prefix_once_at_the_innermost_state(lab: Labs) -> None:
    inner = machine({"Deep": passing(Parameters={"x.$": "$.missing"})})
    run = lab().finish(machine({"P": parallel(machine({"Q": parallel(inner)}))}), {"a": 1})
    cause = run.context.cause or ""
    entered = next(
        event["id"] for event in run.events if event.get("stateEnteredEventDetails", {}).get("name") == "Deep"
    )
    assert cause.startswith(
        f"An error occurred while executing the state 'Deep' (entered at the event id #{entered}). "
        "The JSONPath '$.missing'"
    )
    assert cause.count("An error occurred while executing the state") == 1


@pytest.mark.covers("A6.34")
@pytest.mark.parametrize("resource", [LAMBDA, INVOKE])
def test_a_tasks_cause_stands_as_it_is(lab: Labs, resource: str) -> None:
    parameters = {"Parameters": {"FunctionName": "f", "Payload": {}}} if resource == INVOKE else {}
    cause = '{"errorMessage":"no","errorType":"E"}'
    run = lab({"S": boom("E", cause)}).finish(machine({"S": task(None, resource, **parameters)}))
    assert run.context.cause == cause


@pytest.mark.covers("A6.35")
@pytest.mark.parametrize(
    ("state", "input", "text"),
    [
        (
            map_over(machine({"P": passing()}), ItemsPath="$.i", MaxConcurrencyPath="$.n"),
            {"i": [1], "n": "{}"},
            'The MaxConcurrencyPath field refers to value "{}" which is not a valid integer: $.n',
        ),
        (
            {"Type": "Wait", "TimestampPath": "$.t", "End": True},
            {"t": "yesterday"},
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: "
            "$.t == yesterday",
        ),
        (
            task(TimeoutSecondsPath="$.t"),
            {"t": "soon"},
            "The TimeoutSecondsPath parameter cannot be parsed as a long value: $.t == soon",
        ),
        (
            map_over(machine({"P": passing()}), ItemsPath="$.i", ToleratedFailurePercentagePath="$.p"),
            {"i": [1], "p": 101},
            "ToleratedFailurePercentage must be between 0 and 100.",
        ),
    ],
    ids=["MaxConcurrencyPath", "TimestampPath", "TimeoutSecondsPath", "ToleratedFailurePercentagePath"],
)
def test_wrong_types_behind_paths(lab: Labs, state: Definition, input: Any, text: str) -> None:
    run = lab().finish(machine({"S": state}), input)
    assert run.context.error == "States.Runtime"
    assert (run.context.cause or "").endswith(text)
