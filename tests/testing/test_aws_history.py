"""``aws_history``: an execution of AWS, replayed on the local engine from its history."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stepwell import InvalidInput, TaskError
from stepwell.testing import TestExecutor, aws_history
from stepwell.testing.coverage import Coverage, collecting

SHARED = Path(os.environ.get("STEPWELL_SHARED") or Path(__file__).parents[3] / "shared")
CASES = SHARED / "conformance" / "cases"

RETRY = [{"ErrorEquals": ["Down"], "IntervalSeconds": 60}]
INNER = {"StartAt": "Price", "States": {"Price": {"Type": "Task", "Resource": "price", "End": True, "Retry": RETRY}}}
FAR = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Child",
       "States": {"Child": {"Type": "Task", "Resource": "child", "End": True}}}  # fmt: skip
ORDER = {
    "QueryLanguage": "JSONata",
    "StartAt": "Both",
    "States": {
        "Both": {"Type": "Parallel", "Output": "{% $states.input %}", "Next": "Far", "Branches": [
            {"StartAt": "Outer", "States": {"Outer": {"Type": "Map", "Items": "{% [[1, 2], [3]] %}", "End": True,
                "ItemProcessor": {"StartAt": "Items", "States": {
                    "Items": {"Type": "Map", "ItemProcessor": INNER, "End": True}}}}}},
            {"StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": 86400, "End": True}}}]},
        "Far": {"Type": "Map", "Items": "{% [5, 6] %}", "ItemProcessor": FAR,
                "Assign": {"sum": "{% $sum($states.result) %}"},
                "Output": {"n": "{% $sum($states.result) %}"}, "Next": "Charge"},
        "Charge": {"Type": "Task", "Resource": "charge",
                   "Arguments": {"sum": "{% $sum %}", "n": "{% $states.input.n %}"},
                   "Catch": [{"ErrorEquals": ["Other"], "Next": "Sorry"}], "Next": "Done"},
        "Done": {"Type": "Succeed"},
        "Sorry": {"Type": "Fail", "Error": "Sorry"},
    },
}  # fmt: skip


def recorded(error: str | None = "Card.Declined", definition: dict[str, Any] = ORDER) -> list[dict[str, Any]]:
    """The history of an execution as AWS tells it, from an engine with other handlers than the replay has."""
    downs = {2: 2, 3: 1}

    def price(item: int) -> Any:
        if downs.get(item, 0):
            downs[item] -= 1
            raise TaskError("Down", f"for {item}")
        return item * 10

    def charge(value: Any) -> Any:
        if error is not None:
            raise TaskError(error, "the bank says no")
        return {"paid": value["sum"]}

    with TestExecutor(handlers={"price": price, "child": lambda value: value * 100, "charge": charge}) as executor:
        executor.deploy("order", definition)
        return executor.start("order", {"id": 7}).wait().history()


@pytest.fixture(scope="module")
def failed() -> list[dict[str, Any]]:
    return recorded()


def as_boto3(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {"events": [{**e, "timestamp": datetime.fromtimestamp(e["timestamp"], UTC)} for e in events]}


def test_a_failed_execution_is_replayed_up_to_the_state_that_failed(failed: list[dict[str, Any]]) -> None:
    with aws_history(as_boto3(failed)).replay(ORDER) as replay:
        assert [str(difference) for difference in replay.differences] == []
        assert (replay.execution.aws_status, replay.execution.error) == ("FAILED", "Card.Declined")
        failing = replay.failing_state
        assert failing is not None
        assert (failing.name, failing.input, failing.attempts[0].arguments) == (
            "Charge",
            {"n": 1100},
            {"sum": 1100, "n": 1100},
        )
        prices = replay.execution.states.of("Price")
        assert [(run.place.removeprefix("Both[0]/"), len(run.attempts), run.output) for run in prices] == [
            ("Outer[0]/Items[0]/Price", 1, 10),
            ("Outer[0]/Items[1]/Price", 3, 20),
            ("Outer[1]/Items[0]/Price", 2, 30),
        ]
        replay.executor.register("charge", lambda value: {"paid": value["sum"]})
        assert replay.executor.redrive(replay.execution.id).wait().output == {"paid": 1100}


def test_a_replay_does_not_count_for_coverage(failed: list[dict[str, Any]]) -> None:
    with collecting(Coverage()) as coverage:
        aws_history(as_boto3(failed)).replay(ORDER).close()
    assert coverage.workflows == []


def test_a_redriven_execution_is_redriven_here_too() -> None:
    errors = ["Card.Down", "Card.Down", None]

    def charge(value: Any) -> Any:
        error = errors.pop(0)
        if error is not None:
            raise TaskError(error)
        return value["n"]

    price, child = (lambda item: item), (lambda item: item)
    with TestExecutor(handlers={"price": price, "child": child, "charge": charge}) as executor:
        executor.deploy("order", ORDER)
        execution = executor.start("order", {"id": 7}).wait()
        for _ in range(2):
            executor.redrive(execution.id).wait()
        events = execution.history()
    with aws_history(events).replay(ORDER) as replay:
        assert (replay.execution.output, replay.differences) == (11, [])
        assert [attempt.failed for attempt in replay.execution.states["Charge"].attempts] == [True, True, False]


def test_files_of_the_aws_cli_and_pages_in_any_order(failed: list[dict[str, Any]], tmp_path: Path) -> None:
    times = [{**e, "timestamp": datetime.fromtimestamp(e["timestamp"], UTC).isoformat()} for e in reversed(failed)]
    (tmp_path / "history.json").write_text(json.dumps({"events": times}))
    history = aws_history(tmp_path / "history.json")
    assert (history.status, history.error, history.input) == ("FAILED", "Card.Declined", {"id": 7})
    with history.replay(json.dumps(ORDER)) as replay:
        assert replay.differences == []
        assert replay.execution.started_at == history.started_at


def test_where_the_history_ends_a_task_stays_open_or_a_handler_does_it(failed: list[dict[str, Any]]) -> None:
    at = next(e["id"] for e in failed if e.get("stateEnteredEventDetails", {}).get("name") == "Charge")
    running = aws_history([event for event in failed if event["id"] <= at + 2])
    assert running.status == "RUNNING"
    with running.replay(ORDER) as replay:
        assert replay.execution.aws_status == "RUNNING"
        assert replay.failing_state is not None
        assert (replay.failing_state.name, replay.failing_state.status) == ("Charge", "Running")
    with running.replay(ORDER, {"charge": lambda value: "paid"}) as replay:
        assert replay.execution.output == "paid"
        assert [str(each) for each in replay.differences] == ["Done: it ran here, and not on AWS"]


def test_a_definition_that_goes_another_way_is_reported_with_its_place(failed: list[dict[str, Any]]) -> None:
    changed = json.loads(json.dumps(ORDER).replace('{"n": "{% $sum($states.result) %}"}', '{"n": 1, "x": 2}'))
    changed["States"]["Charge"]["Catch"][0]["ErrorEquals"] = ["Card.Declined"]
    events = {e.get("stateEnteredEventDetails", {}).get("name"): e["id"] for e in failed}
    assert aws_history(failed).replay(changed).differences[0].place == "Sorry"
    changed["States"]["Both"]["Output"] = {"other": "value"}
    with aws_history(failed).replay(changed) as replay:
        assert [str(difference) for difference in replay.differences] == [
            f"Far: its input was another one on AWS: $.id is missing here (event {events['Far']})",
            "Sorry: it ran here, and not on AWS",
        ]
    shorter = json.loads(json.dumps(ORDER).replace("[[1, 2], [3]]", "[[1, 2]]"))
    with aws_history(failed).replay(shorter) as replay:
        places = {difference.place: difference.text for difference in replay.differences}
        assert places["Outer[1]/Items[0]/Price"] == "it ran on AWS, and not here"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({"Events": []}, "no list of events"),
        ([], "does not begin"),
        ([{"id": 5, "type": "PassStateEntered"}], "fetch all of its pages"),
        ([{"id": 1, "type": "ExecutionStarted", "executionStartedEventDetails": {}}], "includeExecutionData"),
        (
            [{"id": 1, "type": "ExecutionStarted", "timestamp": 1,
              "executionStartedEventDetails": {"input": "{}", "inputDetails": {"truncated": True}}}],
            "data of event 1 is truncated",
        ),
        ("no/such/file.json", "cannot read no/such/file.json"),
    ],
)  # fmt: skip
def test_what_is_no_history_is_refused(source: Any, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        aws_history(source)


# recordings of AWS keep documents as values; what follows makes them texts again


def document(value: Any) -> str:
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return json.dumps(value)
        return value
    return json.dumps(value)


def as_answered(event: dict[str, Any]) -> dict[str, Any]:
    event = {**event, "timestamp": "2024-03-17T10:00:00.123000+00:00"}
    for name, details in event.items():
        if name.endswith("EventDetails"):
            texts = {key: document(details[key]) for key in ("input", "output") if key in details}
            if isinstance(details.get("cause"), dict):
                texts["cause"] = json.dumps(details["cause"], separators=(",", ":"))
            if "assignedVariables" in details:
                assigned = details["assignedVariables"].items()
                texts["assignedVariables"] = {key: json.dumps(value) for key, value in assigned}
            event[name] = {**details, **texts}
    return event


def recordings() -> list[Any]:
    found: list[Any] = []
    for file in sorted(CASES.glob("*.json")):
        for case in json.loads(file.read_text())["cases"]:
            for run in case["runs"] if case["kind"] == "execution" and case["recorded"] else []:
                events = run["expect"].get("events") or [[]]
                if all(
                    isinstance(event, dict) and isinstance(event["id"], int) for event in events
                ):  # no groups without an order
                    found.append((case["id"], case["definition"], [as_answered(event) for event in events]))
    return found[::3]


@pytest.mark.skipif(not CASES.is_dir(), reason=f"AWS's recorded answers are not at {CASES}: set STEPWELL_SHARED")
def test_recorded_executions_of_aws_take_the_same_path_here() -> None:
    apart: dict[str, str] = {}
    replayed = recordings()
    assert len(replayed) > 90
    for id, definition, events in replayed:
        history = aws_history(events)
        with history.replay(definition) as replay:
            texts = [text for text in map(str, replay.differences) if not is_of_the_recording(text)]
            if texts or replay.execution.aws_status != history.status:
                apart[id] = f"{replay.execution.aws_status} for {history.status}: {texts[:2]}"
    assert apart == {}


def is_of_the_recording(text: str) -> bool:
    """Whether a difference is of how recordings are kept: texts of causes in another form, times as words."""
    return "Cause is" in text or "StartTime is" in text or "was null" in text
