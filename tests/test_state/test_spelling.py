"""A TestState request in Python's spelling: names with underscores, dicts and lists as documents; and under pytest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import stepwell

TASK = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": "f"}, "End": True}
TASK |= {"QueryLanguage": "JSONata", "Output": "{% {'a': $states.input.a, 'v': $v, 'r': $states.result.Payload} %}"}
MAP = {
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


def test_both_spellings_and_documents_as_values() -> None:
    values: dict[str, Any] = {
        "definition": TASK,
        "input": {"a": 1},
        "variables": {"v": 2},
        "inspection_level": "DEBUG",
        "mock": {"result": {"Payload": 3}, "field_validation_mode": "NONE"},
    }
    texts: dict[str, Any] = {
        "definition": json.dumps(TASK),
        "input": '{"a":1}',
        "variables": '{"v":2}',
        "inspectionLevel": "DEBUG",
        "mock": {"result": '{"Payload":3}', "fieldValidationMode": "NONE"},
    }
    answer = stepwell.test_state(**values)
    assert answer == stepwell.test_state(**texts)
    assert json.loads(answer["output"]) == {"a": 1, "v": 2, "r": 3}
    assert values["mock"]["result"] == {"Payload": 3}  # what was given stays as it is


def test_errors_retries_and_a_reader_s_data() -> None:
    retrying = {**TASK, "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 2, "IntervalSeconds": 7}]}
    mock: Any = {"error_output": {"error": "E", "cause": "c"}}
    asked: dict[str, Any] = {"definition": retrying, "mock": mock, "input": {}, "variables": {"v": 1}}
    assert stepwell.test_state(**asked, state_configuration={"retrier_retry_count": 1})["status"] == "RETRIABLE"
    assert stepwell.test_state(**asked, state_configuration={"retrier_retry_count": 2})["status"] == "FAILED"
    read: Any = {"map_item_reader_data": [1, 2]}
    answer = stepwell.test_state(definition=MAP, input={}, mock={"result": [3, 4]}, state_configuration=read)
    assert (answer["status"], json.loads(answer["output"])) == ("SUCCEEDED", [3, 4])


def test_one_state_of_a_machine() -> None:
    whole = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 1, "Next": "B"}, "B": {"Type": "Succeed"}}}
    answer = stepwell.test_state(definition=whole, state_name="A", input=[1])
    assert (answer["output"], answer["nextState"]) == ("1", "B")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"state_name": "A", "stateName": "A"}, "stateName is given twice"),
        ({"mock": {"errorOutput": {"error": "E"}, "error_output": {"error": "E"}}}, "errorOutput is given twice"),
        ({"input": {"a": object()}}, "'input' is not JSON"),
        ({"input": 5}, "'input'"),
        ({"input": None}, "'input'"),
        ({"statename": "A"}, "Unknown parameter"),
        ({"mock": {"results": "1"}}, "Unknown parameter in mock"),
    ],
)
def test_what_has_no_meaning_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(stepwell.ApiError, match="ValidationException") as refusal:
        stepwell.test_state(definition=TASK, **given)
    assert text in str(refusal.value)


def test_pytest_does_not_collect_it(tmp_path: Path) -> None:
    program = "from stepwell import test_state\n\n\ndef test_mine():\n    assert test_state\n"
    (tmp_path / "test_program.py").write_text(program)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--collect-only", "test_program.py"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "test_mine" in found.stdout
    assert "::test_state" not in found.stdout
