"""``stepwell test``: the data flow of a state machine with mocks, and snapshots of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.support import Stepwell
from stepwell import StepwellError
from stepwell.testing import Mock, UnscriptedTask, dry_run

CHARGE = {
    "Type": "Task",
    "Resource": "arn:aws:lambda:us-east-1:000000000000:function:charge",
    "Parameters": {"id.$": "States.UUID()", "amount.$": "$.total"},
    "ResultSelector": {"r.$": "$.receipt"},
    "ResultPath": "$.charge",
    "Retry": [{"ErrorEquals": ["Card.Down"], "MaxAttempts": 3}],
    "Next": "Each",
}
EACH = {
    "Type": "Map",
    "ItemsPath": "$.items",
    "ItemSelector": {"v.$": "$$.Map.Item.Value"},
    "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {
        "at.$": "$$.State.EnteredTime", "since": "2020-01-01T00:00:00Z"}, "End": True}}},
    "ResultPath": "$.each",
    "Next": "Notify",
}  # fmt: skip
NOTIFY = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token", "by.$": "$$.Execution.Id"}},
    "End": True,
}
ORDER = {"StartAt": "Charge", "States": {"Charge": CHARGE, "Each": EACH, "Notify": NOTIFY}}
MOCKS = {
    "StateMachines": {"order": {"TestCases": {"Down": {"Charge": "TwiceDown", "Notify": "Sent"},
                                             "Fails": {"Charge": "Declined", "Notify": "Sent"}}}},
    "MockedResponses": {
        "TwiceDown": {"0-1": {"Throw": {"Error": "Card.Down", "Cause": "503"}}, "2": {"Return": {"receipt": "r-2"}}},
        "Declined": {"0": {"Throw": {"Error": "Card.Declined", "Cause": "no"}}},
        "Sent": {"0": {"Return": {"MessageId": "m-1"}}},
    },
}  # fmt: skip
INPUT = {"total": 4, "items": [1, 2]}


def test_a_run_shows_each_state_with_its_steps_as_test_state_does() -> None:
    done = dry_run(ORDER, INPUT, Mock.load(json.dumps(MOCKS), "order", "Down"))
    assert (done.status, done.output) == ("SUCCEEDED", {"MessageId": "m-1"})
    charge, each, first, _, notify = done.states
    assert charge == {
        "state": "Charge",
        "type": "Task",
        "status": "Succeeded",
        "input": INPUT,
        "afterInputPath": INPUT,
        "afterParameters": {"id": "<uuid 1>", "amount": 4},
        "result": {"receipt": "r-2"},
        "afterResultSelector": {"r": "r-2"},
        "afterResultPath": {**INPUT, "charge": {"r": "r-2"}},
        "failedAttempts": [{"error": "Card.Down", "cause": "503", "retriedBy": "Retry[0]"}] * 2,
        "output": {**INPUT, "charge": {"r": "r-2"}},
        "next": "Each",
    }
    assert (each["afterItemsPath"], each["afterItemSelector"]) == ([1, 2], [{"v": 1}, {"v": 2}])
    assert (first["state"], first["output"]["since"]) == ("Each[0]/P", "2020-01-01T00:00:00Z")
    assert first["output"]["at"].startswith("<time ")
    assert notify["afterParameters"]["MessageBody"]["by"] == "<execution>"
    assert done.to_json() == dry_run(ORDER, INPUT, Mock.load(json.dumps(MOCKS), "order", "Down")).to_json()
    assert json.loads(done.to_json()) == done.as_dict()


def test_jsonata_choices_variables_and_caught_errors() -> None:
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "Set",
        "States": {
            "Set": {"Type": "Pass", "Assign": {"n": "{% $states.input.n %}"}, "Next": "Which"},
            "Which": {"Type": "Choice", "Choices": [{"Condition": "{% $n > 5 %}", "Next": "Go"}], "Default": "Go"},
            "Go": {"Type": "Task", "Resource": "go", "Arguments": {"n": "{% $n * 2 %}"}, "End": True,
                   "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "After"}]},
            "After": {"Type": "Succeed"},
        },
    }  # fmt: skip
    mock = Mock()
    mock.state("Go").fails("Oh", "why")
    which, go = dry_run(machine, {"n": 6}, mock).states[1:3]
    assert (which["chosen"], which["variables"], which["next"]) == ("Choices[0]", {"n": 6}, "Go")
    assert (go["status"], go["caughtBy"], go["afterArguments"]) == ("Caught", "Catch[0]", {"n": 12})
    assert dry_run(machine, {"n": 1}, mock).states[1]["chosen"] == "Default"


def test_a_distributed_map_reads_and_writes_nothing_real() -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "P",
                 "States": {"P": {"Type": "Pass", "End": True}}}  # fmt: skip
    many = {
        "Type": "Map",
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"},
                       "Parameters": {"Bucket": "b", "Key": "k"}},
        "ItemProcessor": processor,
        "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "p"}},
        "End": True,
    }  # fmt: skip
    machine = {"StartAt": "Many", "States": {"Many": many}}
    mock = Mock()
    mock.state("Many").returns(["a", "b"]).returns({"where": "x"})
    done = dry_run(machine, {}, mock)
    assert (done.status, done.output, done.states[0]["afterItemReader"]) == ("SUCCEEDED", {"where": "x"}, ["a", "b"])
    assert [state["state"] for state in done.states] == ["Many", "Many[0]/P", "Many[1]/P"]
    assert dry_run(machine, {}).error == "States.ItemReaderFailed"


def test_what_is_not_mocked_is_not_called() -> None:
    with pytest.raises(UnscriptedTask, match="'Charge'"):
        dry_run(ORDER, INPUT)
    assert issubclass(UnscriptedTask, StepwellError)


def test_a_snapshot_is_written_compared_and_updated(stepwell: Stepwell, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(json.dumps(ORDER))
    (tmp_path / "mocks.json").write_text(json.dumps(MOCKS))
    words = ("test", "order.json", "--mocks", "mocks.json", "--case", "Down", "--input", json.dumps(INPUT))
    shown = stepwell(*words)
    assert (shown.code, shown.out.splitlines()[0], shown.out.splitlines()[-2]) == (0, "Charge  (Task)", "SUCCEEDED")
    assert stepwell(*words, "--snapshot", "s.json").code == 0
    written = (tmp_path / "s.json").read_text()
    assert (stepwell(*words, "--snapshot", "s.json").code, (tmp_path / "s.json").read_text()) == (0, written)
    (tmp_path / "order.json").write_text(json.dumps(ORDER).replace('"$.charge"', '"$.paid"'))
    differs = stepwell(*words, "--snapshot", "s.json")
    assert (differs.code, '+      "next": ' in differs.out) == (1, False)
    assert '"paid":{"r":"r-2"}' in differs.out
    assert (tmp_path / "s.json").read_text() == written
    assert stepwell(*words, "--snapshot", "s.json", "--update").code == 0
    assert "paid" in (tmp_path / "s.json").read_text()


def test_wrong_usage_and_a_failed_execution_have_their_exit_codes(stepwell: Stepwell, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(json.dumps(ORDER))
    (tmp_path / "mocks.json").write_text(json.dumps(MOCKS))
    words = ("test", "order.json", "--mocks", "mocks.json", "--input", json.dumps(INPUT))
    several = stepwell(*words)
    assert (several.code, "choose with --case NAME" in several.err) == (2, True)
    failed = stepwell(*words, "--case", "Fails")
    assert (failed.code, failed.out.splitlines()[-1]) == (1, "FAILED: Card.Declined: no")
    unmocked = stepwell("test", "order.json", "--input", json.dumps(INPUT))
    assert (unmocked.code, "neither a mock nor a handler" in unmocked.err) == (2, True)
    assert stepwell(*words, "--update").code == 2
