"""profile="aws": AWS's quotas, to the byte and to the event; the default has none and warns (ASL A1.5, A6, A16.83)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from engine.support import HANGS, INVOKE, LAMBDA, SECOND, Lab, boom, catch, machine, map_over, parallel, passing, task
from stepwell import ApiError, AsyncExecutor, Executor, InvalidDefinition, InvalidInput, StepwellError
from stepwell.engine.limits import AWS, DEFAULT, PAYLOAD_BYTES, limits_of
from stepwell.engine.processors import quotas
from stepwell.testing import scripted_run

Labs = Callable[..., Lab]
TOO_LARGE = "The state/task '{}' returned a result with a size exceeding the maximum number of bytes service limit."
LIMITS = limits_of(AWS, None)


def text(size: int) -> str:
    """A text of ``size`` bytes as JSON, its quotes included."""
    return "x" * (size - 2)


@pytest.fixture
def aws(lab: Labs) -> Labs:
    return lambda answers=None: lab(answers, limits=LIMITS)


@pytest.mark.covers("A6", "A16.83")
@pytest.mark.parametrize("name", ["States.ALL", "States.DataLimitExceeded"])
def test_a_state_whose_output_is_too_large_ends_the_execution_at_once(aws: Labs, name: str) -> None:
    grow = {"big.$": "States.Format('{}{}', $.t, $.t)"}
    inner = machine({"P": passing("Q", Parameters=grow), "Q": passing()})
    definition = machine({"B": parallel(inner, Catch=[catch(name)]), "Caught": passing()})
    run = aws().finish(definition, {"t": text(200_000)})
    assert run.outcome == ("Failed", "States.DataLimitExceeded")
    assert run.context.cause == TOO_LARGE.format("P")
    assert run.types == [
        "ExecutionStarted",
        "ParallelStateEntered",
        "ParallelStateStarted",
        "PassStateEntered",
        "ExecutionFailed",
    ]


@pytest.mark.covers("A16.83")
@pytest.mark.parametrize(("size", "status"), [(PAYLOAD_BYTES, "Succeeded"), (PAYLOAD_BYTES + 1, "Failed")])
def test_the_limit_is_262144_bytes_of_utf_8(aws: Labs, size: int, status: str) -> None:
    euros = (size - 2) % 3
    value = "€" * ((size - 2) // 3) + "x" * euros
    run = aws({"T": {"v": 1}}).finish(machine({"T": task("P"), "P": passing(Result=value)}))
    assert run.context.status == status


@pytest.mark.covers("A6")
@pytest.mark.parametrize("name", ["States.ALL", "States.DataLimitExceeded", "States.TaskFailed"])
@pytest.mark.parametrize(("resource", "who"), [(LAMBDA, LAMBDA), (INVOKE, "lambda")])
def test_a_tasks_result_that_is_too_large_can_be_caught(aws: Labs, name: str, resource: str, who: str) -> None:
    parameters = {"Parameters": {"FunctionName": "f", "Payload": {}}} if resource == INVOKE else {}
    states = {"T": task(None, resource, Catch=[catch(name)], **parameters), "Caught": passing()}
    run = aws({"T": text(PAYLOAD_BYTES + 1)}).finish(machine(states))
    assert run.outcome == ("Succeeded", {"Error": "States.DataLimitExceeded", "Cause": TOO_LARGE.format(who)})
    kind = "Task" if resource == INVOKE else "LambdaFunction"
    assert run.types[4:6] == [f"{kind}Failed", "TaskStateExited"]


@pytest.mark.covers("A6", "A16.83")
@pytest.mark.parametrize(
    "state",
    [
        task(None, Parameters={"a.$": "$", "b.$": "$"}),
        parallel(machine({"Q": passing()}), Parameters={"a.$": "$", "b.$": "$"}),
        map_over(machine({"Q": passing()}), Parameters={"a.$": "$.v", "b.$": "$.v"}, ItemsPath="$.items"),
    ],
    ids=["Task", "Parallel", "Map"],
)
def test_what_a_state_is_to_work_on_is_limited_too(aws: Labs, state: dict[str, Any]) -> None:
    run = aws().finish(machine({"S": state}), {"v": text(200_000), "items": [1]})
    assert run.outcome == ("Failed", "States.DataLimitExceeded")


NEVER = {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": "End"}], "Default": "A"}
LOOP = machine({"A": passing("B"), "B": NEVER, "End": {"Type": "Succeed"}})


@pytest.mark.covers("A1.5")
def test_event_25000_is_the_failure_and_24999_the_last_real_one(aws: Labs) -> None:
    run = aws().finish(LOOP)
    assert run.outcome == ("Failed", "States.Runtime")
    assert run.context.cause == "The execution reached the maximum number of history events (25000)."
    events = run.events
    assert (events[-1]["id"], events[-1]["type"]) == (25_000, "ExecutionFailed")
    assert events[-2]["type"] in ("PassStateEntered", "PassStateExited", "ChoiceStateEntered", "ChoiceStateExited")


@pytest.mark.covers("A1.5")
def test_events_of_iterations_count_in_the_executions_25000(aws: Labs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "HISTORY_EVENTS", 500)
    items = list(range(200))
    state = map_over(machine({"P": passing()}), ItemsPath="$", Catch=[catch("States.ALL")])
    run = aws().finish(machine({"M": state, "Caught": passing()}), items)
    assert run.outcome == ("Failed", "States.Runtime")
    assert run.events[-1]["id"] == 500


@pytest.mark.covers("A1.5")
@pytest.mark.parametrize(
    ("count", "status", "last"), [(248, "Succeeded", 498), (249, "Succeeded", 500), (250, "Failed", 500)]
)
def test_an_execution_that_fits_succeeds(
    aws: Labs, monkeypatch: pytest.MonkeyPatch, count: int, status: str, last: int
) -> None:
    monkeypatch.setattr(quotas, "HISTORY_EVENTS", 500)
    states = {f"S{n}": passing(f"S{n + 1}" if n + 1 < count else None) for n in range(count)}
    run = aws().finish(machine(states))  # two events a state, and the start and the end of the execution
    assert run.context.status == status
    assert run.events[-1]["id"] == last


@pytest.mark.covers("A5.31")
@pytest.mark.parametrize(("size", "status"), [(PAYLOAD_BYTES - 10, "Succeeded"), (PAYLOAD_BYTES + 1, "Failed")])
def test_one_assign_is_limited(aws: Labs, size: int, status: str) -> None:
    value = text(size)
    definition = machine({"A": passing("B", Assign={"v": value}), "B": passing()}, QueryLanguage="JSONPath")
    assert aws().finish(definition).context.status == status


@pytest.mark.covers("A5.31")
@pytest.mark.parametrize(("count", "status"), [(4, "Succeeded"), (5, "Failed")])
def test_all_variables_of_an_execution_are_limited(
    aws: Labs, monkeypatch: pytest.MonkeyPatch, count: int, status: str
) -> None:
    monkeypatch.setattr(quotas, "VARIABLES_BYTES", 1 << 20)
    assign = {"$": "$"}
    states = {
        f"S{n}": passing(f"S{n + 1}" if n + 1 < count else None, Assign={f"v{n}.$": assign["$"]}) for n in range(count)
    }
    run = aws().finish(machine(states), text(250_000))
    assert run.context.status == status


@pytest.mark.covers("A1.6")
@pytest.mark.parametrize(("type", "seconds"), [("STANDARD", 31_536_000), ("EXPRESS", 300)])
def test_the_longest_time(aws: Labs, type: str, seconds: int) -> None:
    states = {"A": {"Type": "Wait", "Seconds": 99, "Next": "B"}, "B": NEVER, "End": {"Type": "Succeed"}}
    definition = machine(states) if type == "EXPRESS" else machine({"T": task()})
    run = aws({"T": [HANGS]}).finish(definition, type=type)
    assert (run.context.timed_out, run.context.error) == (True, None)
    assert run.context.stopped_at - run.began == seconds * SECOND


@pytest.mark.covers("A15.71")
def test_errors_and_causes_have_their_lengths(aws: Labs) -> None:
    run = aws({"T": boom("E" * 300, "c" * 40_000)}).finish(machine({"T": task()}))
    assert (len(run.context.error or ""), len(run.context.cause or "")) == (256, 32_768)


@pytest.mark.covers("A1.2")
def test_a_definition_has_one_mebibyte_on_aws() -> None:
    large = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True, "Comment": "x" * 1_048_576}}}
    with Executor(profile=AWS) as ex, pytest.raises(InvalidDefinition, match="1048576"):
        ex.deploy("w", large)
    with Executor() as ex:
        assert ex.run(large).status == "Succeeded"


def test_aws_knows_no_handlers_by_name() -> None:
    local = machine({"T": task(None, "work")})
    with Executor(profile=AWS, handlers={"work": lambda value: value}) as ex:
        with pytest.raises(InvalidDefinition):
            ex.deploy("w", local)
        assert ex.run(machine({"T": task()})).status == "Succeeded"
    with pytest.raises(InvalidDefinition):
        scripted_run(local, {}, [])


@pytest.mark.covers("A16.83", "A15.71")
def test_inputs_and_outputs_that_clients_give_are_refused() -> None:
    with Executor(profile=AWS) as ex:
        ex.deploy("w", machine({"P": passing()}))
        with pytest.raises(InvalidInput, match="262144"):
            ex.start("w", text(PAYLOAD_BYTES + 1))
        assert ex.start("w", text(PAYLOAD_BYTES)).wait(60).status == "Succeeded"
        with pytest.raises(InvalidInput, match="262144"):
            ex.send_task_success("token", text(PAYLOAD_BYTES + 1))


def test_a_profile_is_one_of_two() -> None:
    with pytest.raises(InvalidInput, match="'gcp'"):
        Executor(profile="gcp")
    with pytest.raises(InvalidInput, match="'gcp'"):
        AsyncExecutor(profile="gcp")


def test_a_scripted_run_has_the_quotas_unless_told_otherwise() -> None:
    definition = machine({"P": passing(Parameters={"a.$": "$", "b.$": "$"})})
    assert scripted_run(definition, text(200_000), [])["error"] == "States.DataLimitExceeded"
    assert scripted_run(definition, text(200_000), [], profile=DEFAULT)["status"] == "SUCCEEDED"


def test_the_default_has_no_cliffs_and_warns_once_a_state(lab: Labs, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    run = lab({"T": [text(300_000)] * 3 + [{}]})
    definition = machine({"T": task("P"), "P": passing()})
    run.deploy("w", definition)
    run.id = run.start("w", {}, 1)
    run.start("w", {}, 2)
    run.run()
    assert run.context.status == "Succeeded"
    assert len(run.context.output) == 300_000
    warnings = [record.getMessage() for record in caplog.records if "would fail on AWS here" in record.getMessage()]
    assert len(warnings) == 2
    assert any("'T' has 300000 bytes" in warning for warning in warnings)


@pytest.mark.covers("A1.5")
def test_the_default_runs_past_25000_events(
    lab: Labs, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "HISTORY_EVENTS", 500)
    caplog.set_level(logging.WARNING)
    run = lab().finish(machine({"M": map_over(machine({"P": passing()}), ItemsPath="$")}), list(range(200)))
    assert run.context.status == "Succeeded"
    assert run.context.last_event > 500
    assert json.loads(run.context.output) == list(range(200))
    assert sum("more than 500 events" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.covers("A1.5")
def test_the_history_of_an_express_execution_has_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "HISTORY_EVENTS", 500)
    states = {f"S{n}": passing(f"S{n + 1}" if n + 1 < 300 else None) for n in range(300)}
    ended = scripted_run(machine(states), {}, type="EXPRESS")
    assert (ended["status"], ended["events"][-1]["id"]) == ("SUCCEEDED", 602)


@pytest.mark.covers("A15.71")
@pytest.mark.parametrize(
    ("error", "cause", "name", "most"), [("E" * 257, None, "error", 256), ("E", "c" * 32_769, "cause", 32_768)]
)
def test_a_task_that_its_token_fails_says_so_within_the_lengths_of_the_api(
    error: str, cause: str | None, name: str, most: int
) -> None:
    message = (
        f"1 validation error detected: Value at '{name}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {most}"
    )
    with Executor(profile="aws") as ex, pytest.raises(ApiError) as raised:
        ex.send_task_failure("token", error, cause)
    assert (raised.value.code, raised.value.message) == ("ValidationException", message)


@pytest.mark.covers("A15.71")
def test_without_aws_s_profile_errors_are_as_long_as_they_are() -> None:
    with Executor() as ex, pytest.raises(StepwellError) as raised:
        ex.send_task_failure("token", "E" * 257)
    assert "length" not in str(raised.value)
