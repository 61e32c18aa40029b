"""GetExecutionHistory: pages from either end, and their tokens (API semantics, chapters 3 and 7)."""

from __future__ import annotations

from typing import Any

import pytest

from .support import machine, refusal, run

STEPS = 60
STATES = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(STEPS)} | {f"S{STEPS}": {"Type": "Succeed"}}
LONG = {"StartAt": "S0", "States": STATES}
EVENTS = 2 + 2 * (STEPS + 1)


@pytest.fixture(scope="module")
def execution(sfn: Any) -> str:
    return str(run(sfn, "long-history", LONG, input='{"a":1}')["executionArn"])


def pages(sfn: Any, execution: str, **more: Any) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    token: dict[str, str] = {}
    while True:
        answer = sfn.get_execution_history(executionArn=execution, **more, **token)
        found.append(answer["events"])
        if "nextToken" not in answer:
            return found
        token = {"nextToken": answer["nextToken"]}


def test_a_page_has_100_events_and_the_last_one_no_token(sfn: Any, execution: str) -> None:
    assert [len(page) for page in pages(sfn, execution)] == [100, EVENTS - 100]
    assert [len(page) for page in pages(sfn, execution, maxResults=0)] == [100, EVENTS - 100]
    assert [len(page) for page in pages(sfn, execution, maxResults=1000)] == [EVENTS]


@pytest.mark.parametrize("size", [1, 7, EVENTS - 1, EVENTS])
@pytest.mark.parametrize("is_reverse", [False, True])
def test_pages_of_any_size_hold_every_event_once(sfn: Any, execution: str, size: int, is_reverse: bool) -> None:
    found = pages(sfn, execution, maxResults=size, reverseOrder=is_reverse)
    assert all(len(page) == size for page in found[:-1])
    ids = [event["id"] for page in found for event in page]
    assert ids == (list(range(EVENTS, 0, -1)) if is_reverse else list(range(1, EVENTS + 1)))


def test_the_first_two_events_follow_none(sfn: Any, execution: str) -> None:
    events = sfn.get_execution_history(executionArn=execution)["events"]
    assert [event["previousEventId"] for event in events[:4]] == [0, 0, 2, 3]


def test_data_are_left_out_when_they_are_not_asked_for(sfn: Any, execution: str) -> None:
    with_data = sfn.get_execution_history(executionArn=execution)["events"][1]["stateEnteredEventDetails"]
    assert with_data == {"name": "S0", "input": '{"a":1}', "inputDetails": {"truncated": False}}
    events = sfn.get_execution_history(executionArn=execution, includeExecutionData=False)["events"]
    assert not {"input", "output"} & set(events[1]["stateEnteredEventDetails"])


def test_a_token_is_for_its_own_arguments(sfn: Any, name: str, execution: str) -> None:
    token = sfn.get_execution_history(executionArn=execution, maxResults=3)["nextToken"]
    other = run(sfn, name, LONG)["executionArn"]
    expected = ("InvalidToken", "Invalid Token: 'Invalid token'")
    ask = sfn.get_execution_history
    assert refusal(ask, executionArn=other, nextToken=token) == expected
    assert refusal(ask, executionArn=execution, reverseOrder=True, nextToken=token) == expected
    assert refusal(sfn.list_map_runs, executionArn=execution, nextToken=token) == expected
    assert ask(executionArn=execution, nextToken=token)["events"][0]["id"] == 4


@pytest.mark.parametrize("token", ["x", "AAAA", "A" * 64, "é", "====", "a b"])
def test_an_invented_token_is_refused(sfn: Any, execution: str, token: str) -> None:
    expected = ("InvalidToken", "Invalid Token: 'Invalid token'")
    assert refusal(sfn.get_execution_history, executionArn=execution, nextToken=token) == expected


def test_pages_and_tokens_have_largest_sizes(sfn: Any, execution: str) -> None:
    begin = "1 validation error detected: Value "
    assert refusal(sfn.get_execution_history, executionArn=execution, maxResults=1001) == (
        "ValidationException",
        f"{begin}'1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to "
        "1000",
    )
    code, text = refusal(sfn.get_execution_history, executionArn=execution, nextToken="x" * 1025)
    assert (code, text[-50:]) == ("ValidationException", "Member must have length less than or equal to 1024"[-50:])


def test_the_history_of_a_running_execution_has_an_end_for_now(sfn: Any, name: str) -> None:
    waiting = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 300, "End": True}}}
    execution = sfn.start_execution(stateMachineArn=machine(sfn, name, waiting))["executionArn"]
    answer = sfn.get_execution_history(executionArn=execution, maxResults=2)
    assert [event["type"] for event in answer["events"]] == ["ExecutionStarted", "WaitStateEntered"]
    assert "nextToken" not in answer
