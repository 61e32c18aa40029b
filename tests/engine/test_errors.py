"""Errors, Retry and Catch, line by line (ASL A6, A7)."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from engine.support import HANGS, INVOKE, LAMBDA, Lab, boom, catch, machine, map_over, parallel, passing, retry, task
from stepwell import InvalidDefinition, _core
from stepwell.asl.definition import compile_definition
from stepwell.engine.log.codec import decode_turn
from stepwell.engine.log.records import RetryStateCommand
from stepwell.engine.partition import partition
from stepwell.testing.replay import rebuilt

Labs = Callable[..., Lab]
Definition = dict[str, Any]
CAUGHT = passing()


def fails(error: str | None = "Boom", cause: str | None = None) -> Definition:
    fields = {"Error": error, "Cause": cause}
    return {"Type": "Fail", **{name: value for name, value in fields.items() if value is not None}}


def caught_by(state: Definition, *names: str) -> Definition:
    """A machine whose first state, ``state``, has one catcher."""
    return machine({"S": {**state, "Catch": [catch(*names)]}, "Caught": CAUGHT})


# A6: names, and who catches what


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
    told = next(event["evaluationFailedEventDetails"] for event in run.events if event["type"] == "EvaluationFailed")
    assert (told["location"], told["state"]) == ("Arguments", "S")


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


# A7: Retry


@pytest.mark.covers("A7.36", "A7.37")
@pytest.mark.parametrize(
    ("fields", "times"),
    [
        ({}, [0, 1, 3, 7]),
        ({"MaxAttempts": 0}, [0]),
        ({"MaxAttempts": 1}, [0, 1]),
        ({"IntervalSeconds": 3, "BackoffRate": 1.5, "MaxAttempts": 2}, [0, 3, 7.5]),
        ({"IntervalSeconds": 5, "BackoffRate": 1.0, "MaxAttempts": 3}, [0, 5, 10, 15]),
        ({"IntervalSeconds": 2, "BackoffRate": 10.0, "MaxDelaySeconds": 30, "MaxAttempts": 3}, [0, 2, 22, 52]),
        ({"IntervalSeconds": 2, "JitterStrategy": "NONE", "MaxAttempts": 2}, [0, 2, 6]),
        ({"IntervalSeconds": 99_999_999, "MaxAttempts": 2}, [0, 99_999_999, 199_999_998]),
    ],
)
def test_when_attempts_begin(lab: Labs, fields: Definition, times: list[float]) -> None:
    run = lab({"S": boom()}).finish(machine({"S": task(Retry=[retry("Boom", **fields)])}))
    assert run.times == times
    assert run.outcome == ("Failed", "Boom")


@pytest.mark.covers("A7.37")
def test_full_jitter_is_drawn_after_the_cap_within_bounds_and_once(lab: Labs, monkeypatch: pytest.MonkeyPatch) -> None:
    again = retry("Boom", IntervalSeconds=8, MaxDelaySeconds=10, MaxAttempts=40, JitterStrategy="FULL")
    run = lab({"S": boom()}).finish(machine({"S": task(Retry=[again])}))
    times = run.times
    delays = [later - earlier for earlier, later in pairwise(times)]
    assert len(delays) == 40
    assert 0 <= min(delays) < 2 < 8 < max(delays) <= 10
    recorded = [
        (record.due - run.began) / 1_000_000
        for _, _, _, payload in run.store.read_log(1, 1 << 40)
        for blob in _core.split_turns(payload)
        for record in decode_turn(blob).records
        if isinstance(record, RetryStateCommand)
    ]
    assert recorded == times[1:]

    class NoDice:
        def __init__(self, seed: int | None) -> None:
            pass

        def random(self) -> float:
            raise AssertionError("a replay draws nothing")

    monkeypatch.setattr(partition.random, "Random", NoDice)
    rebuilt(run.store).close()
    monkeypatch.setattr(partition.random, "Random", random.Random)


RETRY_TWO = [
    retry("A", "B", IntervalSeconds=1, BackoffRate=2.0, MaxAttempts=2),
    retry("C", IntervalSeconds=5),
]


@pytest.mark.covers("A7.38")
def test_each_retrier_counts_its_own_attempts_and_backoff(lab: Labs) -> None:
    errors = [boom("A"), boom("B"), boom("C"), boom("B")]
    state = task(Retry=RETRY_TWO, Catch=[catch("States.ALL")])
    run = lab({"S": errors}).finish(machine({"S": state, "Caught": CAUGHT}))
    assert run.times == [0, 1, 3, 8]
    assert run.outcome == ("Succeeded", {"Error": "B", "Cause": None})


@pytest.mark.covers("A7.38")
def test_an_exhausted_retrier_hands_over_to_catch_not_to_the_next_retrier(lab: Labs) -> None:
    again = [retry("Boom", MaxAttempts=1), retry("States.ALL", MaxAttempts=5)]
    run = lab({"S": boom()}).finish(machine({"S": task(Retry=again, Catch=[catch("States.ALL")]), "Caught": CAUGHT}))
    assert len(run.calls) == 2
    assert run.path == ["S", "Caught"]


@pytest.mark.covers("A7.38")
def test_counters_begin_anew_when_the_state_is_entered_again(lab: Labs) -> None:
    again = [retry("Boom", MaxAttempts=1)]
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.again", "BooleanEquals": True, "Next": "S"}],
        "Default": "End",
    }
    definition = machine({"S": task("C", Retry=again), "C": choice, "End": {"Type": "Succeed"}})
    run = lab({"S": [boom(), {"again": True}, boom(), {"again": False}]}).finish(definition)
    assert run.context.status == "Succeeded"
    assert run.times == [0, 1, 1, 2]


@pytest.mark.covers("A7.38")
def test_each_iteration_counts_for_itself(lab: Labs) -> None:
    inner = machine({"I": task(Retry=[retry("Boom", MaxAttempts=1)])})
    answers = [boom(), boom(), "a", "b"]
    run = lab({"I": answers}).finish(machine({"M": map_over(inner, ItemsPath="$")}), [0, 1])
    assert run.outcome == ("Succeeded", ["a", "b"])


@pytest.mark.covers("A7.39")
def test_parameters_are_evaluated_for_each_attempt_and_see_the_retry_count(lab: Labs) -> None:
    state = task(
        Parameters={"n.$": "$$.State.RetryCount"}, Retry=[retry("A", MaxAttempts=1), retry("B", MaxAttempts=2)]
    )
    run = lab({"S": [boom("A"), boom("B"), boom("B"), {}]}).finish(machine({"S": state}))
    assert run.inputs == [{"n": 0}, {"n": 1}, {"n": 2}, {"n": 3}]


@pytest.mark.covers("A7.40")
@pytest.mark.parametrize("around", ["Parallel", "Map"])
def test_a_retry_runs_all_branches_or_iterations_again(lab: Labs, around: str) -> None:
    again = {"Retry": [retry("Boom", MaxAttempts=1)]}
    if around == "Parallel":
        state = parallel(machine({"A": task()}), machine({"B": task()}), **again)
        run = lab({"A": ["a", "a2"], "B": [boom(), "b"]}).finish(machine({"S": state}), [1, 2])
        assert run.outcome == ("Succeeded", ["a2", "b"])
    else:
        state = map_over(machine({"I": task()}), ItemsPath="$", MaxConcurrency=1, **again)
        run = lab({"I": ["a", boom(), "a2", "b"]}).finish(machine({"S": state}), [1, 2])
        assert run.outcome == ("Succeeded", ["a2", "b"])
    assert len(run.calls) == 4
    assert run.path.count("S") == 1
    assert run.types.count(f"{around}StateStarted") == 2
    assert f"{around}StateFailed" not in run.types  # as recorded (test_map_state_retry): only the last failure shows


@pytest.mark.covers("A7.40")
def test_a_retry_schedules_anew_and_enters_nothing(lab: Labs) -> None:
    run = lab({"S": [boom(), "fine"]}).finish(machine({"S": task(Retry=[retry("Boom")])}))
    assert run.types[2:8] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionFailed",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]
    assert run.types.count("TaskStateEntered") == 1


# A7: Catch


@pytest.mark.covers("A7.41")
def test_retry_comes_before_catch(lab: Labs) -> None:
    state = task(Retry=[retry("Boom", MaxAttempts=2)], Catch=[catch("Boom")])
    run = lab({"S": boom()}).finish(machine({"S": state, "Caught": CAUGHT}))
    assert len(run.calls) == 3
    assert run.path == ["S", "Caught"]


ERROR_OUTPUT = {"Error": "Boom", "Cause": "why"}


@pytest.mark.covers("A7.41")
@pytest.mark.parametrize(
    ("catcher", "state", "output"),
    [
        ({}, {}, ERROR_OUTPUT),
        ({"ResultPath": "$"}, {}, ERROR_OUTPUT),
        ({"ResultPath": "$.e"}, {}, {"a": {"b": 1}, "e": ERROR_OUTPUT}),
        ({"ResultPath": "$.e.f"}, {"InputPath": "$.a"}, {"a": {"b": 1}, "e": {"f": ERROR_OUTPUT}}),
        ({"ResultPath": None}, {"InputPath": "$.a"}, {"a": {"b": 1}}),
        ({}, {"OutputPath": "$.nothing"}, ERROR_OUTPUT),
        ({}, {"ResultPath": "$.x"}, ERROR_OUTPUT),
    ],
)
def test_where_the_error_output_goes(lab: Labs, catcher: Definition, state: Definition, output: Any) -> None:
    definition = machine({"S": task(Catch=[catch("Boom", **catcher)], **state), "Caught": CAUGHT})
    assert lab({"S": boom("Boom", "why")}).finish(definition, {"a": {"b": 1}}).outcome == ("Succeeded", output)


@pytest.mark.covers("A7.41")
@pytest.mark.parametrize(
    ("catcher", "output"),
    [
        ({}, ERROR_OUTPUT),
        ({"Output": "{% $states.errorOutput.Error %}"}, "Boom"),
        ({"Output": {"in": "{% $states.input.a %}", "e": "{% $states.errorOutput.Cause %}"}}, {"in": 1, "e": "why"}),
    ],
)
def test_where_the_error_output_goes_in_jsonata(lab: Labs, catcher: Definition, output: Any) -> None:
    states = {"S": task(Catch=[catch("Boom", **catcher)]), "Caught": CAUGHT}
    run = lab({"S": boom("Boom", "why")}).finish(machine(states, QueryLanguage="JSONata"), {"a": 1})
    assert run.outcome == ("Succeeded", output)


@pytest.mark.covers("A7.41")
@pytest.mark.parametrize(
    ("error", "cause", "output"),
    [
        ("Boom", None, {"Error": "Boom", "Cause": None}),
        (None, "why", {"Error": None, "Cause": "why"}),
        (None, None, {"Error": None, "Cause": None}),
        ("Boom", "why", ERROR_OUTPUT),
    ],
)
def test_the_error_output_has_what_the_fail_state_had(lab: Labs, error: Any, cause: Any, output: Any) -> None:
    run = lab().finish(caught_by(parallel(machine({"F": fails(error, cause)})), "States.ALL"))
    assert run.outcome == ("Succeeded", output)


@pytest.mark.covers("A5.30")
def test_a_catcher_assigns_and_the_state_does_not(lab: Labs) -> None:
    catcher = catch("Boom", Assign={"x.$": "$.Error"})
    states = {"S": task("Caught", Assign={"x": "state"}, Catch=[catcher]), "Caught": passing(Parameters={"x.$": "$x"})}
    assert lab({"S": boom()}).finish(machine(states)).outcome == ("Succeeded", {"x": "Boom"})


@pytest.mark.covers("A7.42")
@pytest.mark.parametrize(
    ("state", "before"),
    [
        (task(), "LambdaFunctionFailed"),
        (parallel(machine({"S": fails()})), "ParallelStateFailed"),
        (map_over(machine({"S": fails()}), ItemsPath="$"), "MapStateFailed"),
    ],
    ids=["Task", "Parallel", "Map"],
)
def test_a_caught_error_is_an_exit_with_the_error_output(lab: Labs, state: Definition, before: str) -> None:
    named = {**state, "Catch": [catch("States.ALL")]}
    run = lab({"C": boom()}).finish(machine({"C": named, "Caught": CAUGHT}), [1])
    exited = next(event for event in run.events if event.get("stateExitedEventDetails", {}).get("name") == "C")
    assert exited["type"] == f"{state['Type']}StateExited"
    assert exited["stateExitedEventDetails"]["output"] == '{"Error":"Boom","Cause":null}'
    index = run.types.index(exited["type"])
    assert before in run.types[:index]
    assert run.types[index + 1] == "PassStateEntered"


@pytest.mark.covers("A7.43")
@pytest.mark.parametrize("field", ["Retry", "Catch"])
@pytest.mark.parametrize(
    "state",
    [passing(), {"Type": "Wait", "Seconds": 1, "End": True}, {"Type": "Succeed"}, fails()],
    ids=["Pass", "Wait", "Succeed", "Fail"],
)
def test_only_task_parallel_and_map_retry_and_catch(field: str, state: Definition) -> None:
    entry = retry("States.ALL") if field == "Retry" else catch("States.ALL")
    with pytest.raises(InvalidDefinition, match=f"Field '{field}' is not supported"):
        compile_definition(machine({"S": {**state, field: [entry]}, "Caught": CAUGHT}))


@pytest.mark.covers("A6", "A7.36")
@pytest.mark.parametrize(
    "entries",
    [
        [retry("States.ALL", "Boom")],
        [retry("States.ALL"), retry("Boom")],
        [retry("Boom", MaxAttempts=-1)],
        [retry("Boom", BackoffRate=0.5)],
        [retry("Boom", IntervalSeconds=0)],
        [retry("Boom", JitterStrategy="SOME")],
        [retry()],
    ],
)
def test_retriers_that_aws_refuses(entries: list[Definition]) -> None:
    with pytest.raises(InvalidDefinition):
        compile_definition(machine({"S": task(Retry=entries)}))
