"""Whatever a mock file holds, it is read or refused with InvalidInput, and a case that was read runs to an end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.support import ACTIVITY, CALLBACK, LAMBDA, machine, map_over, passing, retry, task
from stepwell.errors import InvalidInput, TaskError
from stepwell.testing import scripted_run
from stepwell.testing.mocks import MockedCase, MockFile, UnscriptedTask

pytestmark = pytest.mark.covers("A16.82")
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
NAMES = st.sampled_from(["S", "T", "Map", "r", "q", "c", "w", "", "ä#:/"])
CALLS = st.sampled_from(["0", "1", "0-1", "1-2", "2-1", "0-", "-1", "a", "٣", "0-99999999999999999999", " 0"])
ERRORS = st.fixed_dictionaries(
    {}, optional={"Error": st.sampled_from(["E", "States.ALL", "States.Runtime", ""]) | VALUES, "Cause": VALUES}
)
RESPONSES = st.fixed_dictionaries({}, optional={"Return": VALUES, "Throw": ERRORS | VALUES})
MOCKED = st.dictionaries(NAMES, st.dictionaries(CALLS, RESPONSES | VALUES, max_size=3) | VALUES, max_size=3)
CASES = st.dictionaries(NAMES, st.dictionaries(NAMES, NAMES | VALUES, max_size=3) | VALUES, max_size=3)
MACHINES = st.dictionaries(NAMES, st.fixed_dictionaries({}, optional={"TestCases": CASES | VALUES}) | VALUES)
FILES = st.fixed_dictionaries({}, optional={"StateMachines": MACHINES | VALUES, "MockedResponses": MOCKED | VALUES})
GOOD = st.dictionaries(
    st.sampled_from(["0", "1", "0-1", "2"]),
    st.fixed_dictionaries({"Return": VALUES})
    | st.fixed_dictionaries({"Throw": st.fixed_dictionaries({"Error": st.sampled_from(["E", "F", "States.Timeout"])})}),
    min_size=1,
    max_size=3,
)
CONFIG = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "Parameters": {"Bucket": "b", "Key": "k"},
    "ReaderConfig": {"InputType": "JSON"},
}
ASK = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}
EACH = map_over(machine({"A": task(resource=ACTIVITY)}) | CONFIG, ItemReader=READER)
del EACH["End"]
DEFINITION = machine(
    {
        "S": task("T", LAMBDA, Retry=[retry("States.ALL", IntervalSeconds=1, MaxAttempts=2, BackoffRate=1)]),
        "T": task("Map", CALLBACK, Parameters=ASK),
        "Map": EACH | {"Next": "P"},
        "P": passing(),
    }
)


@settings(max_examples=200, deadline=None)
@given(FILES | VALUES)
def test_any_file_is_read_or_refused(document: Any) -> None:
    text = json.dumps(document)
    try:
        mocks = MockFile(text.encode())
    except InvalidInput:
        return
    for workflow in mocks.workflows():
        for name in mocks.cases(workflow):
            case = mocks.case(workflow, name)
            assert all(is_used_up(case, state) for state in ("S", "T", "Map") if state in case)


def is_used_up(case: MockedCase, state: str) -> bool:
    """Take all responses of a state: each is a result or an error, and after the last one there is none."""
    while True:
        try:
            json.dumps(case.respond(state))
        except TaskError as error:
            if not error.error:
                return False
        except UnscriptedTask:
            return True


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["S", "T", "Map", "A"]), GOOD, min_size=4))
def test_any_case_runs_to_an_end_or_names_its_problem(responses: dict[str, Any]) -> None:
    document = {"StateMachines": {"w": {"TestCases": {"c": {state: state for state in responses}}}}}
    assert outcome({**document, "MockedResponses": responses}).startswith(("SUCCEEDED", "FAILED", "MockedResponses."))


def outcome(document: dict[str, Any]) -> str:
    """The status of the run, or what is wrong with the file."""
    try:
        return scripted_run(DEFINITION, {}, mocks=MockFile(document).case("w", "c"))["status"]
    except (InvalidInput, UnscriptedTask) as error:
        return str(error)


@settings(max_examples=100, deadline=None)
@given(st.text() | st.binary())
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidInput):
        MockFile(text)
