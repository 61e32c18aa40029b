"""Result writers: the children's results as files and a manifest (ASL A12.62)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stepwell import Executor, ItemFiles
from stepwell.tasks.items import writers

PUT = "arn:aws:states:::s3:putObject"


def machine(states: dict[str, Any], **fields: Any) -> dict[str, Any]:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "States": states}
    state = {"Type": "Map", "ItemProcessor": {**processor, "StartAt": next(iter(states))}, "Label": "Lot", "End": True}
    return {"StartAt": "M", "States": {"M": {**state, **fields}}}


PASS = {"P": {"Type": "Pass", "End": True}}
LOOK = {"P": {"Type": "Pass", "InputPath": "$.x", "End": True}}


def run(root: Path, definition: dict[str, Any], items: Any) -> Any:
    """The state's output, and the files of results by name."""
    (root / "out").mkdir(exist_ok=True)
    with Executor(item_files=ItemFiles(s3=root)) as executor:
        context = executor.run(definition, items)
    assert context.status == "Succeeded", (context.error, context.cause)
    files = {path.name: path.read_text() for path in (root / "out").rglob("*") if path.is_file()}
    return json.loads(context.output), files


def writer(**config: str) -> dict[str, Any]:
    parameters = {"Bucket": "out", "Prefix": "jobs/"}
    return {"Resource": PUT, "Parameters": parameters, **({"WriterConfig": config} if config else {})}


@pytest.mark.covers("A12.62")
def test_results_go_to_files_that_a_manifest_names(tmp_path: Path) -> None:
    output, files = run(tmp_path, machine(PASS, ResultWriter=writer()), ["Hello", "World"])
    run_name = output["MapRunArn"].rpartition(":")[2]
    key = f"jobs/{run_name}/manifest.json"
    assert ":mapRun:" in output["MapRunArn"]
    assert "/Lot:" in output["MapRunArn"]
    assert output["ResultWriterDetails"] == {"Bucket": "out", "Key": key}
    manifest = json.loads((tmp_path / "out" / key).read_text())
    size = len(files["SUCCEEDED_0.json"])
    assert manifest == {
        "DestinationBucket": "out",
        "MapRunArn": output["MapRunArn"],
        "ResultFiles": {
            "FAILED": [],
            "PENDING": [],
            "SUCCEEDED": [{"Key": f"jobs/{run_name}/SUCCEEDED_0.json", "Size": size}],
        },
    }
    results = json.loads(files["SUCCEEDED_0.json"])
    assert [(each["Status"], each["Input"], each["Output"]) for each in results] == [
        ("SUCCEEDED", f'"{text}"', f'"{text}"') for text in ("Hello", "World")
    ]
    assert all(":execution:" in each["ExecutionArn"] for each in results)
    assert all(each["RedriveStatus"] == "NOT_REDRIVABLE" for each in results)
    assert all(each["RedriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven" for each in results)


@pytest.mark.covers("A12.62", "A12.63")
def test_failed_children_have_files_of_their_own(tmp_path: Path) -> None:
    definition = machine(LOOK, ResultWriter=writer(), ToleratedFailureCount=1)
    _, files = run(tmp_path, definition, [{"x": 1}, {}])
    (failed,) = json.loads(files["FAILED_0.json"])
    assert (failed["Status"], failed["Error"], failed["Input"]) == ("FAILED", "States.Runtime", "{}")
    assert "Output" not in failed


@pytest.mark.covers("A12.62")
@pytest.mark.parametrize(("transformation", "expected"), [("COMPACT", [[1, 2], 3]), ("FLATTEN", [1, 2, 3])])
@pytest.mark.parametrize("form", ["JSON", "JSONL"])
def test_transformations_and_forms(tmp_path: Path, transformation: str, expected: Any, form: str) -> None:
    config = writer(Transformation=transformation, OutputType=form)
    _, files = run(tmp_path, machine(PASS, ResultWriter=config), [[1, 2], 3])
    if form == "JSON":
        assert json.loads(files["SUCCEEDED_0.json"]) == expected
    else:
        assert [json.loads(line) for line in files["SUCCEEDED_0.jsonl"].splitlines()] == expected


@pytest.mark.covers("A12.62")
@pytest.mark.parametrize(("transformation", "expected"), [("COMPACT", [[1, 2], 3]), ("FLATTEN", [1, 2, 3])])
def test_a_writer_config_alone_shapes_the_output(tmp_path: Path, transformation: str, expected: Any) -> None:
    config = {"WriterConfig": {"Transformation": transformation, "OutputType": "JSON"}}
    output, files = run(tmp_path, machine(PASS, ResultWriter=config), [[1, 2], 3])
    assert output == expected
    assert files == {}


@pytest.mark.covers("A12.62")
def test_a_writer_config_of_no_transformation_gives_the_records(tmp_path: Path) -> None:
    config = {"WriterConfig": {"Transformation": "NONE", "OutputType": "JSON"}}
    output, _ = run(tmp_path, machine(PASS, ResultWriter=config), [1])
    assert (output[0]["Output"], output[0]["Status"]) == ("1", "SUCCEEDED")


@pytest.mark.covers("A12.62")
def test_a_full_file_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "FILE_BYTES", 20)
    config = writer(Transformation="COMPACT", OutputType="JSON")
    _, files = run(tmp_path, machine(PASS, ResultWriter=config), ["0123456789"] * 5)
    found = [json.loads(files[f"SUCCEEDED_{number}.json"]) for number in range(3)]
    assert [len(each) for each in found] == [2, 2, 1]


@pytest.mark.covers("A12.62", "A6 States.ResultWriterFailed")
def test_results_that_cannot_be_written_fail_the_state(tmp_path: Path) -> None:
    with Executor(item_files=ItemFiles(s3=tmp_path)) as executor:
        context = executor.run(machine(PASS, ResultWriter=writer()), [1])
    assert (context.status, context.error) == ("Failed", "States.ResultWriterFailed")


@pytest.mark.covers("A12.62", "A12.63")
def test_a_failed_map_run_writes_what_there_was(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    definition = machine(LOOK, ResultWriter=writer(), MaxConcurrency=1)
    with Executor(item_files=ItemFiles(s3=tmp_path)) as executor:
        context = executor.run(definition, [{"x": 1}, {}, {"x": 3}, {"x": 4}])
        assert (context.status, context.error) == ("Failed", "States.ExceedToleratedFailureThreshold")
        (listed,) = executor.list_map_runs(context.id)
        described = executor.describe_map_run(listed["mapRunArn"])
    assert described["status"] == "FAILED"
    assert {name: described["itemCounts"][name] for name in ("succeeded", "failed", "pending", "total")} == {
        "succeeded": 1,
        "failed": 1,
        "pending": 2,
        "total": 4,
    }
    files = {path.name: json.loads(path.read_text()) for path in (tmp_path / "out").rglob("*.json")}
    assert [(each["Status"], each["Input"]) for each in files["PENDING_0.json"]] == [
        ("PENDING", '{"x":3}'),
        ("PENDING", '{"x":4}'),
    ]
    assert len(files["SUCCEEDED_0.json"]) == len(files["FAILED_0.json"]) == 1
    assert all(len(names) == 1 for names in files["manifest.json"]["ResultFiles"].values())


@pytest.mark.covers("A12.61", "A12.62", "A12.63")
@pytest.mark.parametrize(
    ("selects", "limits", "pending"),
    [
        (False, {"MaxItemsPerBatch": 3}, [[3, 4, 5], [6, 7]]),
        (False, {"MaxItemsPerBatch": 2}, [[2, 3], [4, 5], [6, 7]]),
        (False, {"MaxInputBytesPerBatch": 42}, [[2, 3], [4, 5], [6, 7]]),
        (False, {"MaxItemsPerBatch": 20}, []),
        (True, {"MaxItemsPerBatch": 3}, [[3, 4, 5], [6, 7]]),
    ],
)
def test_pending_children_of_a_failed_map_run_are_its_batches(
    tmp_path: Path, selects: bool, limits: dict[str, int], pending: list[list[int]]
) -> None:
    (tmp_path / "out").mkdir()
    batcher = {**limits, "BatchInput": {"b": 1}}
    fails = {"F": {"Type": "Fail", "Error": "Bad"}}
    fields: dict[str, Any] = {"ItemSelector": {"n.$": "$$.Map.Item.Value"}} if selects else {}
    definition = machine(fails, ResultWriter=writer(), MaxConcurrency=1, ItemBatcher=batcher, **fields)
    with Executor(item_files=ItemFiles(s3=tmp_path)) as executor:
        context = executor.run(definition, ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"])
        assert (context.status, context.error) == ("Failed", "States.ExceedToleratedFailureThreshold")
    files = {path.name: json.loads(path.read_text()) for path in (tmp_path / "out").rglob("*.json")}
    rows = files.get("PENDING_0.json", [])
    assert len(rows) == len(pending)
    assert [row["Status"] for row in rows] == ["PENDING"] * len(pending)
    if selects:
        assert all("Input" not in row and row["InputDetails"] == {"Included": False} for row in rows)
        return
    inputs = [json.loads(row["Input"]) for row in rows]
    assert inputs == [{"BatchInput": {"b": 1}, "Items": [f"x{n}" for n in batch]} for batch in pending]
