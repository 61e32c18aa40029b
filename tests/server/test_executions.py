"""Executions are started, described and stopped by AWS's rules (API semantics, chapters 2 and 7)."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from .support import PASS, WAIT, Served, ended, machine, refusal, run

FAIL = {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail"}}}
NO_ARN = "no_arn"


def failing(error: str, cause: str) -> dict[str, Any]:
    return {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": error, "Cause": cause}}}


# ARNs and names


@pytest.mark.parametrize(
    ("operation", "parameter"),
    [
        ("start_execution", "stateMachineArn"),
        ("start_sync_execution", "stateMachineArn"),
        ("describe_state_machine", "stateMachineArn"),
        ("describe_execution", "executionArn"),
        ("describe_state_machine_for_execution", "executionArn"),
        ("get_execution_history", "executionArn"),
        ("stop_execution", "executionArn"),
        ("redrive_execution", "executionArn"),
        ("list_map_runs", "executionArn"),
        ("describe_map_run", "mapRunArn"),
        ("update_map_run", "mapRunArn"),
        ("get_activity_task", "activityArn"),
    ],
)
def test_a_text_that_is_no_arn_is_refused_everywhere(sfn: Any, operation: str, parameter: str) -> None:
    expected = ("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {NO_ARN}'")
    assert refusal(getattr(sfn, operation), **{parameter: NO_ARN}) == expected


def test_an_arn_of_another_kind_names_the_kind(sfn: Any, name: str) -> None:
    arn = machine(sfn, name)
    text = "Invalid Arn: 'Resource type not valid in this context: stateMachine'"
    assert refusal(sfn.describe_execution, executionArn=arn) == ("InvalidArn", text)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:states:us-east-1:000000000000:execution:machine",
        "arn:aws:states:us-east-1:000000000000:execution:machine:",
        "arn:aws:states:us-east-1:000000000000:execution:a:b:c",
        "arn:aws:sqs:us-east-1:000000000000:queue",
        "arn:aws:states:us-east-1:000000000000:thing:name",
        "arn:aws:states",
    ],
)
def test_any_other_malformed_arn_is_shown(sfn: Any, arn: str) -> None:
    assert refusal(sfn.describe_execution, executionArn=arn) == ("InvalidArn", f"Invalid Arn: '{arn}'")


@pytest.mark.parametrize("place", ["eu-west-1:000000000000", "us-east-1:111111111111"])
def test_in_another_region_or_account_nothing_exists(sfn: Any, name: str, place: str) -> None:
    execution = sfn.start_execution(stateMachineArn=machine(sfn, name))["executionArn"]
    other = execution.replace("us-east-1:000000000000", place)
    expected = ("ExecutionDoesNotExist", f"Execution Does Not Exist: '{other}'")
    assert refusal(sfn.describe_execution, executionArn=other) == expected


def test_an_express_execution_is_of_no_kind_that_can_be_described(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, type="EXPRESS")
    started = sfn.start_execution(stateMachineArn=arn, name="one")["executionArn"]
    kind, of, called, uuid = started.split(":")[5:]
    assert (kind, of, called, len(uuid)) == ("express", name, "one", 36)
    text = "Invalid Arn: 'Resource type not valid in this context: express'"
    for call in (sfn.describe_execution, sfn.get_execution_history, sfn.stop_execution):
        assert refusal(call, executionArn=started) == ("InvalidArn", text)


@pytest.mark.parametrize("bad", ["a b", "a/b", "a:b", "a#b", "a\x7fb", "a\x85b", "a\tb", "a|b"])
def test_a_name_with_such_a_character_is_refused(sfn: Any, name: str, bad: str) -> None:
    arn = machine(sfn, name)
    assert refusal(sfn.start_execution, stateMachineArn=arn, name=bad) == ("InvalidName", f"Invalid Name: '{bad}'")


@pytest.mark.parametrize("good", ["a.b-c_d", "ü" * 80, "名前"])
def test_dots_and_other_scripts_are_legal_in_names(sfn: Any, name: str, good: str) -> None:
    execution = run(sfn, f"{name}.{good[:20]}", name=good)
    assert (execution["name"], execution["executionArn"].split(":")[-1]) == (good, good)


# starts


def test_the_same_name_and_input_while_it_runs_is_the_same_execution(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, WAIT)
    first = sfn.start_execution(stateMachineArn=arn, name="one", input='{"a": 1}')
    again = sfn.start_execution(stateMachineArn=arn, name="one", input='{"a": 1}')
    assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
    expected = ("ExecutionAlreadyExists", f"Execution Already Exists: '{first['executionArn']}'")
    assert refusal(sfn.start_execution, stateMachineArn=arn, name="one", input="{}") == expected


def test_the_name_of_an_ended_execution_is_taken_whatever_the_input(sfn: Any, name: str) -> None:
    execution = run(sfn, name, name="one")
    arn = execution["stateMachineArn"]
    expected = ("ExecutionAlreadyExists", f"Execution Already Exists: '{execution['executionArn']}'")
    assert refusal(sfn.start_execution, stateMachineArn=arn, name="one") == expected


def test_names_of_express_executions_are_free_at_once(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, type="EXPRESS")
    assert len({sfn.start_execution(stateMachineArn=arn, name="one")["executionArn"] for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "not json",
            "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or "
            "'false')",
        ),
        ("", "Invalid execution input."),
    ],
)
def test_an_input_that_is_not_json_is_refused_in_the_parsers_words(
    sfn: Any, name: str, text: str, problem: str
) -> None:
    expected = ("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{problem}'")
    for operation, type in ((sfn.start_execution, "STANDARD"), (sfn.start_sync_execution, "EXPRESS")):
        arn = machine(sfn, f"{name}-{type}", type=type)
        assert refusal(operation, stateMachineArn=arn, input=text) == expected


@pytest.mark.parametrize("text", ["2", '"text"', "null", "[]", " {  } ", '{"b":1,\n "a":1.0, "b":2}'])
def test_any_json_is_an_input_and_is_returned_byte_for_byte(sfn: Any, name: str, text: str) -> None:
    assert run(sfn, name, input=text)["input"] == text


def test_without_an_input_it_is_an_empty_object(sfn: Any, name: str) -> None:
    assert run(sfn, name)["input"] == "{}"


def test_an_input_is_counted_in_bytes(sfn: Any, name: str) -> None:
    arn = machine(sfn, name)
    assert refusal(sfn.start_execution, stateMachineArn=arn, input='"' + "é" * 131_072 + '"') == (
        "ValidationException",
        "1 validation error detected: Value at 'input' failed to satisfy constraint: "
        "Member must have size less than or equal to 262144 bytes in UTF-8 encoding",
    )
    sfn.start_execution(stateMachineArn=arn, input='"' + "é" * 131_071 + '"')


def test_the_machine_is_looked_for_before_name_and_input(sfn: Any) -> None:
    arn = "arn:aws:states:us-east-1:000000000000:stateMachine:nothing"
    expected = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    assert refusal(sfn.start_execution, stateMachineArn=arn, name="a b", input="{") == expected


# synchronous starts


def test_a_standard_machine_cannot_be_started_synchronously(sfn: Any, name: str) -> None:
    text = "This operation is not supported by this type of state machine"
    expected = ("StateMachineTypeNotSupported", text)
    assert refusal(sfn.start_sync_execution, stateMachineArn=machine(sfn, name)) == expected


def test_a_synchronous_execution_is_answered_with_its_end(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=arn, name="one", input='{ "a": 1 }', traceHeader="Root=1")
    del answer["ResponseMetadata"]
    assert answer.pop("executionArn").startswith(f"{arn.replace('stateMachine', 'express')}:one:")
    took = answer.pop("stopDate") - answer.pop("startDate")
    assert timedelta(0) <= took < timedelta(seconds=60)
    billing = answer.pop("billingDetails")
    assert billing["billedDurationInMilliseconds"] % 100 == 0
    assert answer == {
        "stateMachineArn": arn,
        "name": "one",
        "status": "SUCCEEDED",
        "input": '{ "a": 1 }',
        "inputDetails": {"included": True},
        "output": '{"a":1}',
        "outputDetails": {"included": True},
        "traceHeader": "Root=1",
    }


def test_a_failed_synchronous_execution_is_answered_with_its_error(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, failing("Bad", "because"), type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=arn)
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "Bad", "because")
    assert "output" not in answer
    assert answer["outputDetails"] == {"included": True}


def test_a_synchronous_execution_that_times_out_is_an_answer_too(sfn: Any, name: str) -> None:
    arn = machine(sfn, name, {**WAIT, "TimeoutSeconds": 1}, type="EXPRESS")
    assert sfn.start_sync_execution(stateMachineArn=arn)["status"] == "TIMED_OUT"


def test_the_trace_of_the_header_wins(served: Served, sfn: Any, name: str) -> None:
    body = {"stateMachineArn": machine(sfn, name, type="EXPRESS"), "traceHeader": "Root=member"}
    _, answer = served.post("StartSyncExecution", json.dumps(body), **{"X-Amzn-Trace-Id": "Root=header"})
    assert answer["traceHeader"] == "Root=header"


# descriptions


def test_a_succeeded_execution_is_described(sfn: Any, name: str) -> None:
    found = run(sfn, name, input='{"a":1}', name="one")
    assert found.pop("startDate") <= found.pop("stopDate")
    assert found == {
        "executionArn": f"arn:aws:states:us-east-1:000000000000:execution:{name}:one",
        "stateMachineArn": f"arn:aws:states:us-east-1:000000000000:stateMachine:{name}",
        "name": "one",
        "status": "SUCCEEDED",
        "input": '{"a":1}',
        "inputDetails": {"included": True},
        "output": '{"a":1}',
        "outputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    }


def test_a_running_execution_has_no_end(sfn: Any, name: str) -> None:
    execution = sfn.start_execution(stateMachineArn=machine(sfn, name, WAIT))["executionArn"]
    found = sfn.describe_execution(executionArn=execution)
    assert found["status"] == "RUNNING"
    assert not {"stopDate", "output", "outputDetails", "error", "cause"} & set(found)
    assert found["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"


def test_one_that_timed_out_has_neither_error_nor_cause(sfn: Any, name: str) -> None:
    found = run(sfn, name, {**WAIT, "TimeoutSeconds": 1})
    assert (found["status"], found["redriveStatus"]) == ("TIMED_OUT", "REDRIVABLE")
    assert not {"error", "cause", "output", "redriveStatusReason"} & set(found)
    assert timedelta(0.9) <= found["stopDate"] - found["startDate"] or found["stopDate"] > found["startDate"]
    event = sfn.get_execution_history(executionArn=found["executionArn"], reverseOrder=True)["events"][0]
    assert event["executionTimedOutEventDetails"] == {"error": "States.Timeout"}


def test_a_fail_state_without_an_error_leaves_none(sfn: Any, name: str) -> None:
    found = run(sfn, name, FAIL)
    assert (found["status"], found["redriveStatus"]) == ("FAILED", "REDRIVABLE")
    assert not {"error", "cause"} & set(found)


def test_metadata_only_leaves_the_data_out(sfn: Any, name: str) -> None:
    execution = run(sfn, name)["executionArn"]
    found = sfn.describe_execution(executionArn=execution, includedData="METADATA_ONLY")
    assert not {"input", "output"} & set(found)
    assert found["inputDetails"] == found["outputDetails"] == {"included": False}


def test_an_unknown_execution(sfn: Any, name: str) -> None:
    arn = machine(sfn, name).replace("stateMachine", "execution") + ":none"
    expected = ("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    for call in (sfn.describe_execution, sfn.stop_execution, sfn.get_execution_history, sfn.redrive_execution):
        assert refusal(call, executionArn=arn) == expected


def test_the_machine_of_an_execution_is_described_as_it_was_then(sfn: Any, name: str) -> None:
    execution = run(sfn, name)
    found = sfn.describe_state_machine_for_execution(executionArn=execution["executionArn"])
    assert json.loads(found["definition"]) == PASS
    assert (found["stateMachineArn"], found["name"]) == (execution["stateMachineArn"], name)
    assert found["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}
    assert not {"status", "type", "creationDate", "mapRunArn", "label"} & set(found)


# stops


def test_a_stopped_execution_is_aborted_for_good(sfn: Any, name: str) -> None:
    execution = sfn.start_execution(stateMachineArn=machine(sfn, name, WAIT))["executionArn"]
    stopped = sfn.stop_execution(executionArn=execution, error="Enough", cause="it is late")["stopDate"]
    found = sfn.describe_execution(executionArn=execution)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Enough", "it is late")
    assert found["stopDate"] == stopped
    assert sfn.stop_execution(executionArn=execution, error="Other")["stopDate"] == stopped
    assert sfn.describe_execution(executionArn=execution)["error"] == "Enough"


def test_a_stop_without_a_reason_leaves_none(sfn: Any, name: str) -> None:
    execution = sfn.start_execution(stateMachineArn=machine(sfn, name, WAIT))["executionArn"]
    sfn.stop_execution(executionArn=execution)
    found = sfn.describe_execution(executionArn=execution)
    assert not {"error", "cause"} & set(found)
    event = sfn.get_execution_history(executionArn=execution, reverseOrder=True)["events"][0]
    assert (event["type"], event["executionAbortedEventDetails"]) == ("ExecutionAborted", {})


# redrives


def test_a_redriven_execution_goes_on_under_the_same_arn(sfn: Any, name: str) -> None:
    execution = run(sfn, name, failing("Bad", "because"))["executionArn"]
    redriven = sfn.redrive_execution(executionArn=execution)["redriveDate"]
    found = ended(sfn, execution)
    assert (found["status"], found["redriveCount"], found["redriveDate"]) == ("FAILED", 1, redriven)
    events = sfn.get_execution_history(executionArn=execution)["events"]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert next(each for each in events if each["type"] == "ExecutionRedriven")["executionRedrivenEventDetails"] == {
        "redriveCount": 1
    }


@pytest.mark.parametrize(("definition", "status"), [(PASS, "SUCCEEDED"), (WAIT, "RUNNING")])
def test_what_runs_or_has_succeeded_is_not_redriven(
    sfn: Any, name: str, definition: dict[str, Any], status: str
) -> None:
    execution = sfn.start_execution(stateMachineArn=machine(sfn, name, definition))["executionArn"]
    if status != "RUNNING":
        ended(sfn, execution)
    expected = ("ExecutionNotRedrivable", f"Execution is {status} and cannot be redriven")
    assert refusal(sfn.redrive_execution, executionArn=execution) == expected


def test_a_redrive_with_the_same_token_is_the_same_one(sfn: Any, name: str) -> None:
    execution = run(sfn, name, failing("Bad", "because"))["executionArn"]
    first = sfn.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"]
    ended(sfn, execution)
    assert sfn.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"] == first
    assert sfn.describe_execution(executionArn=execution)["redriveCount"] == 1
    second = sfn.redrive_execution(executionArn=execution, clientToken="two")["redriveDate"]
    found = ended(sfn, execution)
    assert (found["redriveCount"], found["redriveDate"]) == (2, second)
    assert sfn.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"] == first


def test_redrives_with_one_token_at_the_same_time_are_one(sfn: Any, name: str) -> None:
    execution = run(sfn, name, failing("Bad", "because"))["executionArn"]
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(sfn.redrive_execution, executionArn=execution, clientToken="one") for _ in range(8)]
        dates = {call.result()["redriveDate"] for call in calls}
    assert len(dates) == 1
    assert ended(sfn, execution)["redriveCount"] == 1
