"""Timeouts and heartbeats, line by line, on a virtual clock (ASL A1.3, A8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.support import (
    ACTIVITY,
    CALLBACK,
    HANGS,
    INVOKE,
    LAMBDA,
    SECOND,
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
from stepwell import Executor, InvalidDefinition, TaskDoesNotExist, _core
from stepwell.asl.definition import compile_definition
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.log.codec import decode_turn
from stepwell.engine.state.timers import EXECUTION_TIMEOUT

Labs = Callable[..., Lab]
Definition = dict[str, Any]
WAIT = {"Type": "Wait", "Seconds": 60, "End": True}
TOKEN_PARAMETERS = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}
FORMS = {
    "lambda": (LAMBDA, {}),
    "invoke": (INVOKE, {"Parameters": {"FunctionName": "f"}}),
    "activity": (ACTIVITY, {}),
    "callback": (CALLBACK, {"Parameters": TOKEN_PARAMETERS}),
}


def seconds_of(run: Lab) -> float:
    """How long the execution took."""
    return (run.context.stopped_at - run.began) / SECOND


# A1.3: the execution's own limit


@pytest.mark.covers("A1.3", "A8.47")
@pytest.mark.parametrize(
    "states",
    [
        {"W": WAIT},
        {"T": task()},
        {"P": parallel(machine({"W": WAIT}), machine({"T": task()}))},
        {"M": map_over(machine({"W": WAIT}), ItemsPath="$")},
        {"T": task(TimeoutSeconds=30)},
        {"R": task(Retry=[retry("States.ALL", IntervalSeconds=30)])},
    ],
    ids=["Wait", "Task", "Parallel", "Map", "a later timeout", "a later retry"],
)
def test_an_executions_limit_cuts_whatever_it_is_at(lab: Labs, states: dict[str, Definition]) -> None:
    run = lab({"T": [HANGS], "R": boom()}).finish(machine(states, TimeoutSeconds=5), [1, 2])
    context = run.context
    assert (context.status, context.timed_out, context.error, context.cause) == ("Canceled", True, None, None)
    assert seconds_of(run) == 5
    last = run.events[-1]
    assert (last["type"], last["previousEventId"]) == ("ExecutionTimedOut", 0)
    assert last["executionTimedOutEventDetails"] == {"error": "States.Timeout"}
    assert run.types.count("ExecutionTimedOut") == 1


@pytest.mark.covers("A1.3")
@pytest.mark.parametrize("turn_records", [1000, 20], ids=["at once", "in several turns"])
@pytest.mark.parametrize("runs_on", [True, False], ids=["runs on", "ends"])
def test_only_an_execution_that_rests_gets_a_timer_for_its_limit(lab: Labs, turn_records: int, runs_on: bool) -> None:
    states = {f"P{n}": passing(f"P{n + 1}") for n in range(30)}
    last = WAIT if runs_on else passing()
    run = lab(limits=Limits(turn_records=turn_records)).begin(machine({**states, "P30": last}, TimeoutSeconds=5))
    timers = [each for each in records_of(run) if isinstance(each, r.CreateTimerCommand) and each.target == run.id]
    assert [(each.kind, each.due) for each in timers[:1]] == (
        [(EXECUTION_TIMEOUT, run.context.started_at + 5 * SECOND)] if runs_on or turn_records == 20 else []
    )
    run.finish()
    assert run.context.timed_out == runs_on


def records_of(run: Lab) -> list[Any]:
    """All records on the log."""
    batches = (payload for *_, payload in run.store.read_log(1))
    return [record for batch in batches for turn in _core.split_turns(batch) for record in decode_turn(turn).records]


@pytest.mark.covers("A1.3")
@pytest.mark.parametrize("name", ["States.ALL", "States.Timeout", "States.Runtime"])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_an_executions_limit_is_caught_nowhere(lab: Labs, name: str, depth: int) -> None:
    catcher = [catch(name)]
    state = task(Retry=[retry(name)], Catch=catcher)
    for level in range(depth):
        state = parallel(machine({f"S{level}": state, "Caught": passing()} if level == 0 else {f"S{level}": state}))
    states = {"S": {**state, "Catch": catcher}, "Caught" if depth == 0 else "Outer": passing()}
    if depth:
        states["S"]["Catch"] = [catch(name, next="Outer")]
    run = lab({"S": [HANGS], "S0": [HANGS]}).finish(machine(states, TimeoutSeconds=5))
    assert run.context.timed_out
    assert run.types[-1] == "ExecutionTimedOut"


@pytest.mark.covers("A1.3")
def test_an_execution_that_ends_in_time_leaves_no_timer(lab: Labs) -> None:
    run = lab().finish(machine({"P": passing()}, TimeoutSeconds=5))
    assert run.context.status == "Succeeded"
    assert run.partition.state.timers.next_due() is None


@pytest.mark.covers("A1.3")
def test_a_tasks_timeout_fails_the_execution_instead(lab: Labs) -> None:
    run = lab({"T": [HANGS]}).finish(machine({"T": task(TimeoutSeconds=5)}))
    assert (run.outcome, run.context.timed_out) == (("Failed", "States.Timeout"), False)


# A8.44: a task's limit


@pytest.mark.covers("A8.44", "A6")
@pytest.mark.parametrize(("resource", "fields"), FORMS.values(), ids=FORMS)
def test_a_task_that_is_not_answered_in_time(lab: Labs, resource: str, fields: Definition) -> None:
    run = lab({"T": [HANGS]}).finish(machine({"T": task(None, resource, TimeoutSeconds=5, **fields)}))
    assert run.outcome == ("Failed", "States.Timeout")
    assert seconds_of(run) == 5
    kind = {LAMBDA: "LambdaFunction", ACTIVITY: "Activity"}.get(resource, "Task")
    assert run.types[-2:] == [f"{kind}TimedOut", "ExecutionFailed"]
    details = next(value for key, value in run.events[-2].items() if key.endswith("TimedOutEventDetails"))
    assert details["error"] == "States.Timeout"


@pytest.mark.covers("A8.44")
def test_an_activity_that_nobody_polls_times_out_too(lab: Labs) -> None:
    run = lab()
    run.polls = False
    run.finish(machine({"T": task(None, ACTIVITY, TimeoutSeconds=5)}))
    assert run.outcome == ("Failed", "States.Timeout")
    assert run.types[2:4] == ["ActivityScheduled", "ActivityTimedOut"]


@pytest.mark.covers("A8.44")
def test_the_limit_is_each_attempts(lab: Labs) -> None:
    state = task(TimeoutSeconds=5, Retry=[retry("States.Timeout", IntervalSeconds=3, MaxAttempts=2, BackoffRate=1.0)])
    run = lab({"T": [HANGS]}).finish(machine({"T": state}))
    assert run.times == [0, 8, 16]
    assert seconds_of(run) == 21


@pytest.mark.covers("A8.44")
def test_without_a_limit_a_task_waits(lab: Labs) -> None:
    run = lab({"T": [HANGS]}).begin(machine({"T": task()}))
    run.wait(90_000_000)
    assert run.context.status == "Running"
    [open_task] = run.tasks
    run.answer(r.CompleteTaskCommand(open_task.id, open_task.resource, None, 0, 0), "at last")
    assert run.finish().outcome == ("Succeeded", "at last")


@pytest.mark.covers("A8.44")
@pytest.mark.parametrize(
    ("fields", "input", "limit"),
    [
        ({"TimeoutSeconds": 7}, {}, 7),
        ({"TimeoutSecondsPath": "$.t"}, {"t": 3}, 3),
        ({"QueryLanguage": "JSONata", "TimeoutSeconds": "{% $states.input.t + 1 %}"}, {"t": 3}, 4),
    ],
)
def test_where_the_limit_comes_from(lab: Labs, fields: Definition, input: Any, limit: int) -> None:
    run = lab({"T": [HANGS]}).finish(machine({"T": task(**fields)}), input)
    assert seconds_of(run) == limit
    scheduled = run.events[2]["lambdaFunctionScheduledEventDetails"]
    assert scheduled["timeoutInSeconds"] == limit


@pytest.mark.covers("A8.44")
@pytest.mark.parametrize("limit", [0, -1, 1.5, "soon"])
def test_a_limit_is_a_positive_whole_number(limit: Any) -> None:
    with pytest.raises(InvalidDefinition):
        compile_definition(machine({"T": task(TimeoutSeconds=limit)}))


# A8.45: heartbeats


@pytest.mark.covers("A8.45", "A6")
@pytest.mark.parametrize(("resource", "fields"), FORMS.values(), ids=FORMS)
def test_a_missed_heartbeat_is_reported_as_a_timeout(lab: Labs, resource: str, fields: Definition) -> None:
    state = task(None, resource, TimeoutSeconds=600, HeartbeatSeconds=5, **fields)
    run = lab({"T": [{}, HANGS] if resource == CALLBACK else [HANGS]}).finish(machine({"T": state}))
    assert run.outcome == ("Failed", "States.Timeout")
    assert seconds_of(run) == 5


@pytest.mark.covers("A8.45")
@pytest.mark.parametrize("resource", [ACTIVITY, CALLBACK])
def test_heartbeats_count_from_when_somebody_has_the_token(lab: Labs, resource: str) -> None:
    fields = FORMS["callback"][1] if resource == CALLBACK else {}
    run = lab({"T": [HANGS]})
    run.polls = False  # nobody polls; a call does not return
    run.finish(machine({"T": task(None, resource, TimeoutSeconds=600, HeartbeatSeconds=5, **fields)}))
    assert run.outcome == ("Failed", "States.Timeout")
    assert seconds_of(run) == 600


@pytest.mark.covers("A6")
@pytest.mark.parametrize(
    ("names", "is_caught"),
    [
        (["States.HeartbeatTimeout"], True),
        (["States.Timeout"], True),
        (["States.ALL"], True),
        (["States.TaskFailed"], False),
        (["Boom"], False),
    ],
)
@pytest.mark.parametrize("field", ["Catch", "Retry"])
def test_who_matches_a_missed_heartbeat(lab: Labs, names: list[str], is_caught: bool, field: str) -> None:
    entry = {"Catch": [catch(*names)]} if field == "Catch" else {"Retry": [retry(*names, MaxAttempts=1)]}
    states = {"T": task(HeartbeatSeconds=5, **entry), **({"Caught": passing()} if field == "Catch" else {})}
    run = lab({"T": [HANGS]}).finish(machine(states))
    if field == "Catch":
        assert run.outcome == (
            ("Succeeded", {"Error": "States.Timeout", "Cause": ""}) if is_caught else ("Failed", "States.Timeout")
        )
    else:
        assert len(run.calls) == (2 if is_caught else 1)


@pytest.mark.covers("A8.45")
@pytest.mark.parametrize("resource", [ACTIVITY, CALLBACK])
def test_a_heartbeat_resets_the_clock_and_is_no_event(lab: Labs, resource: str) -> None:
    fields = FORMS["callback"][1] if resource == CALLBACK else {}
    run = lab({"T": [{}, HANGS] if resource == CALLBACK else [HANGS]})
    run.begin(machine({"T": task(None, resource, HeartbeatSeconds=5, TimeoutSeconds=100, **fields)}))
    [open_task] = run.tasks
    before = run.types
    for _ in range(4):
        run.wait(4)
        assert run.answer(r.HeartbeatTaskCommand(open_task.id, 0))[0][1] is None
    assert run.types == before
    run.run()
    assert seconds_of(run) == 21


@pytest.mark.covers("A8.45")
def test_heartbeats_do_not_put_off_the_timeout(lab: Labs) -> None:
    run = lab({"T": [HANGS]}).begin(machine({"T": task(None, ACTIVITY, HeartbeatSeconds=5, TimeoutSeconds=10)}))
    [open_task] = run.tasks
    for _ in range(3):
        run.wait(3)
        run.answer(r.HeartbeatTaskCommand(open_task.id, 0))
    run.run()
    assert seconds_of(run) == 10


@pytest.mark.covers("A8.45")
@pytest.mark.parametrize(("heartbeat", "timeout"), [(10, 10), (11, 10)])
def test_a_heartbeat_is_shorter_than_the_timeout(heartbeat: int, timeout: int) -> None:
    with pytest.raises(InvalidDefinition):
        compile_definition(machine({"T": task(HeartbeatSeconds=heartbeat, TimeoutSeconds=timeout)}))


@pytest.mark.covers("A8.45")
def test_a_heartbeat_by_path(lab: Labs) -> None:
    run = lab({"T": [HANGS]}).finish(machine({"T": task(HeartbeatSecondsPath="$.h")}), {"h": 7})
    assert seconds_of(run) == 7


# A8.46: answers that come too late


def late_answers(task_id: str, resource: str) -> list[tuple[r.Command, Any]]:
    return [
        (r.CompleteTaskCommand(task_id, resource, None, 0, 0), "late"),
        (r.FailTaskCommand(task_id, resource, "Late", None, False, 0, 0), None),
        (r.HeartbeatTaskCommand(task_id, 0), None),
        (r.SubmitTaskCommand(task_id, resource, None, 0, 0), "late"),
        (r.ActivateTaskCommand(task_id, resource, "late", 0, 0, 0), None),
    ]


@pytest.mark.covers("A8.46")
@pytest.mark.parametrize("end", ["answered", "timed out", "retried", "stopped", "a sibling failed"])
def test_a_late_answer_is_refused_and_changes_nothing(lab: Labs, end: str) -> None:
    state = task(None, CALLBACK, Parameters=TOKEN_PARAMETERS, TimeoutSeconds=5)
    if end == "retried":
        state["Retry"] = [retry("States.Timeout", IntervalSeconds=100)]
    states = {"T": {**state, "Next": "W"}, "W": WAIT}
    del states["T"]["End"]
    if end == "a sibling failed":
        sibling = machine({"X": {"Type": "Wait", "Seconds": 3, "Next": "F"}, "F": {"Type": "Fail"}})
        states = {"P": parallel(machine(states), sibling, next="W2"), "W2": WAIT}
        states["P"]["Catch"] = [catch("States.ALL", next="W2")]
    run = lab({"T": [HANGS]}).begin(machine(states))
    [open_task] = run.tasks
    if end == "answered":
        run.answer(r.CompleteTaskCommand(open_task.id, open_task.resource, None, 0, 0), "in time")
    elif end == "stopped":
        run.stop()
    else:
        run.wait(6)
    before = run.events
    for command, value in late_answers(open_task.id, open_task.resource):
        [(result, error)] = run.answer(command, value) if value is not None else run.answer(command)
        assert result is None
        assert "not open" in str(error)
    assert run.events == before


@pytest.mark.covers("A8.46")
@pytest.mark.parametrize("limit", ["task", "heartbeat", "execution"])
def test_a_limit_that_is_due_counts_before_an_answer_that_comes_in_the_same_batch(lab: Labs, limit: str) -> None:
    fields = {"task": {"TimeoutSeconds": 5}, "heartbeat": {"TimeoutSeconds": 60, "HeartbeatSeconds": 5}}.get(limit, {})
    definition = machine({"T": task(None, CALLBACK, Parameters=TOKEN_PARAMETERS, **fields)})
    if limit == "execution":
        definition["TimeoutSeconds"] = 5
    run = lab({"T": [HANGS]}).begin(definition)
    [open_task] = run.tasks
    due = run.partition.state.timers.next_due()
    assert due is not None
    run.clock.advance_to(due)  # the partition was busy, paused or closed when the limit was due
    run.answer(r.CompleteTaskCommand(open_task.id, open_task.resource, None, 0, 0), "late")
    assert run.types[-1] == ("ExecutionTimedOut" if limit == "execution" else "ExecutionFailed")
    assert limit == "execution" or "TaskSucceeded" not in run.types


@pytest.mark.covers("A8.46")
def test_a_client_learns_that_its_token_is_of_no_use_any_more() -> None:
    tokens: list[str] = []
    with Executor(handlers={CALLBACK: lambda arguments: tokens.append(arguments["MessageBody"]["token"])}) as ex:
        ex.deploy("w", machine({"T": task(None, CALLBACK, Parameters=TOKEN_PARAMETERS, TimeoutSeconds=1)}))
        execution = ex.start("w").wait(60)
        assert execution.error == "States.Timeout"
        for call in (
            lambda: ex.send_task_success(tokens[0], 1),
            lambda: ex.send_task_failure(tokens[0], "E"),
            lambda: ex.send_task_heartbeat(tokens[0]),
        ):
            with pytest.raises(TaskDoesNotExist):
                call()


@pytest.mark.covers("A8.46", "A15.71")
def test_each_attempt_has_a_token_of_its_own(lab: Labs) -> None:
    state = task(
        None, CALLBACK, Parameters=TOKEN_PARAMETERS, TimeoutSeconds=5, Retry=[retry("States.ALL", MaxAttempts=2)]
    )
    run = lab({"T": [HANGS]}).finish(machine({"T": state}))
    tokens = [arguments["MessageBody"]["token"] for arguments in run.inputs]
    assert len(set(tokens)) == 3
    assert all(len(token) <= 2048 for token in tokens)
