"""Mocks as test cases of a mock file of Step Functions Local, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from stepwell.errors import InvalidInput

from .answers_of_mocks import Answer
from .mocks import MockFile, Source, read_document

ByState: TypeAlias = dict[str, list[Answer]]
FOR_EVER = 999_999_999
"""The last call that a range of a mock file can name: it stands for all that follow."""


def answers_in(source: Source | MockFile, workflow: str, case: str) -> ByState:
    """The answers of a test case. Raises ``InvalidInput``."""
    file = source if isinstance(source, MockFile) else MockFile(source)
    found: ByState = {}
    for state, responses in file.case(workflow, case).responses.items():
        answers = found[state] = []
        first = 0
        for response in responses:
            times = None if response.last >= FOR_EVER else response.last + 1 - first
            first = response.last + 1
            if response.error is None:
                answers.append(Answer(kind="returns", value=response.value, times=times, place=response.place))
            else:
                error, cause = response.error, response.cause
                answers.append(Answer(kind="fails", error=error, cause=cause, times=times, place=response.place))
    return found


def document_of(by_state: ByState, workflow: str, case: str) -> dict[str, Any]:
    """Answers as the content of a mock file with one test case. Raises ``InvalidInput`` for what it cannot hold."""
    references: dict[str, str] = {}
    responses: dict[str, dict[str, Any]] = {}
    for state, answers in by_state.items():
        references[state] = name = f"{workflow}.{case}.{state}"
        responses[name] = _responses(state, answers)
    return {"StateMachines": {workflow: {"TestCases": {case: references}}}, "MockedResponses": responses}


def save(by_state: ByState, path: str | os.PathLike[str], workflow: str, case: str) -> None:
    """Add answers to a mock file, which is made if there is none."""
    document = document_of(by_state, workflow, case)
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
