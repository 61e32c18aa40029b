"""What AWS answered, case by case: every case agrees, but for the known differences."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

import recordings
from recordings import RECORDINGS, recordings_runner

KNOWN: dict[str, dict[str, str]] = tomllib.loads(recordings.KNOWN.read_text())

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason=f"AWS's recorded answers are not at {RECORDINGS}: set STEPWELL_SHARED"
)


@pytest.fixture(scope="module")
def runner() -> Iterator[Any]:
    """The recordings' own scorer."""
    with recordings_runner() as module:
        yield module


def cases(kind: str) -> Iterator[Any]:
    """The open cases of a kind that are to be run; of the API those of a known day, which are AWS's answers."""
    for path in sorted((RECORDINGS / "cases").glob("*.json")):
        for case in json.loads(path.read_text())["cases"]:
            if case["kind"] == kind and case["needs"] != "live" and (case["recorded"] or kind != "api"):
                yield pytest.param(case, id=case["id"])


def judge(kind: str, case: dict[str, Any], differences: list[str]) -> None:
    known = KNOWN[kind].get(case["id"])
    if known is None:
        assert not differences, "\n".join(differences)
    else:
        assert differences, f"it agrees now: take it off the list of known differences ({known})"


@pytest.mark.parametrize("case", list(cases("execution")))
def test_an_execution_goes_as_on_aws(runner: Any, case: dict[str, Any]) -> None:
    judge("execution", case, runner.run_execution(case, None))


@pytest.mark.parametrize("case", list(cases("test_state")))
def test_a_state_is_tested_as_on_aws(runner: Any, case: dict[str, Any]) -> None:
    judge("test_state", case, runner.run_test_state(case, None))


@pytest.fixture(scope="module")
def server(runner: Any) -> Iterator[Any]:
    """``stepwell serve`` as the scorer starts it."""
    served = runner.Server()
    yield served
    served.close()


@pytest.mark.parametrize("case", list(cases("api")))
def test_the_api_answers_as_on_aws(runner: Any, server: Any, case: dict[str, Any]) -> None:
    # The scorer gives each case's machines names of their own, but not those in the mock file.
    mark = hashlib.sha256(case["id"].encode()).hexdigest()[:7]
    text = json.dumps(case).replace("0000000", mark)
    if not case.get("mocks") and "waitForTaskToken" not in text:
        judge("api", case, runner.run_api(case, server))
        return
    # A task without a handler waits for a while after the start of its server, and then fails.
    own = runner.Server(json.loads(text)["mocks"][0] if case.get("mocks") else None)
    try:
        judge("api", case, runner.run_api(case, own))
    finally:
        own.close()


@pytest.mark.parametrize("case", list(cases("test_state")))
def test_a_state_is_tested_as_on_aws_over_http(runner: Any, server: Any, case: dict[str, Any]) -> None:
    judge("test_state", case, runner.run_test_state(case, server))


@pytest.mark.parametrize("kind", KNOWN)
def test_every_known_difference_is_a_case(kind: str) -> None:
    ids = {param.id for param in cases(kind)}
    assert set(KNOWN[kind]) <= ids
