"""Mocks as test cases of a mock file of Step Functions Local, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from stepwell.errors import InvalidInput

from .answers_of_mocks import Answer
from .mocks import MockFile, Source, read_document

if TYPE_CHECKING:
    from .mock import Mock

FOR_EVER = 999_999_999
"""The last call that a range of a mock file can name: it stands for all that follow."""


def load_into(mock: Mock, source: Source | MockFile, workflow: str, case: str) -> Mock:
    """Add the answers of a test case to a mock."""
    file = source if isinstance(source, MockFile) else MockFile(source)
    for state, responses in file.case(workflow, case).responses.items():
        mocked, first = mock.state(state), 0
        for response in responses:
            times = None if response.last >= FOR_EVER else response.last + 1 - first
            first = response.last + 1
            if response.error is None:
                mocked.returns(response.value, times=times)
            else:
                mocked.fails(response.error, response.cause, times=times)
    return mock


def document_of(mock: Mock, workflow: str, case: str) -> dict[str, Any]:
    """A mock as the content of a mock file with one test case."""
    references: dict[str, str] = {}
    responses: dict[str, dict[str, Any]] = {}
    for state, answers in mock.by_state.items():
        references[state] = name = f"{workflow}.{case}.{state}"
        responses[name] = _responses(state, answers)
    return {"StateMachines": {workflow: {"TestCases": {case: references}}}, "MockedResponses": responses}


def save(mock: Mock, path: str | os.PathLike[str], workflow: str, case: str) -> None:
    """Add a mock to a mock file, which is made if there is none."""
    document = document_of(mock, workflow, case)
    file = Path(path)
    if file.exists():
        document = _merged(read_document(file), document, workflow)
    MockFile(document)  # what cannot be read again is not written
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    beside = file.with_name(file.name + ".new")
    try:
        beside.write_bytes(text + b"\n")
        os.replace(beside, file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InvalidInput(f"the mock file {file} cannot be written: {error}") from error


def _merged(old: dict[str, Any], new: dict[str, Any], workflow: str) -> dict[str, Any]:
    MockFile(old)
    machines = old["StateMachines"]
    cases = {**machines.get(workflow, {"TestCases": {}})["TestCases"], **new["StateMachines"][workflow]["TestCases"]}
    return {
        **old,
        "StateMachines": {**machines, workflow: {**machines.get(workflow, {}), "TestCases": cases}},
        "MockedResponses": {**old["MockedResponses"], **new["MockedResponses"]},
    }


def _responses(state: str, answers: list[Answer]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    first = 0
    for index, each in enumerate(answers):
        is_last = index == len(answers) - 1
        last = FOR_EVER if each.times is None and is_last else first + (each.times or 1) - 1
        found[str(first) if last == first else f"{first}-{last}"] = _response(state, each)
        first = last + 1
    return found


def _response(state: str, answer: Answer) -> dict[str, Any]:
    if answer.delay or answer.kind not in ("returns", "fails"):
        what = "a delay" if answer.delay else f"what {answer.kind!r} says"
        raise InvalidInput(f"a mock file holds results and errors, and cannot hold {what}, of state {state!r}")
    if answer.kind == "returns":
        return {"Return": answer.value}
    cause = {} if answer.cause is None else {"Cause": answer.cause}
    return {"Throw": {"Error": answer.error, **cause}}
