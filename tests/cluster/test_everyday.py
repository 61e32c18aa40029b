"""What a program does every day, on one cluster: each step at another node than the one before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.conformance import HERE, RECORDINGS, EmbeddedCluster, Served, known_differences, recordings_runner
from cluster.served import ServedCluster
from stepwell import testing

pytest.importorskip("nats")

SAMPLE = {"api": 9, "execution": 12}
"""Of the recorded cases of a kind every so-manieth is run here; ``make conformance-cluster`` runs all."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCluster]:
    found = ServedCluster(tmp_path_factory.mktemp("cluster"))
    try:
        found.start()
        yield found
    finally:
        found.close()


def recorded(kind: str) -> list[dict[str, Any]]:
    """A sample of the cases that have to agree, and need no nodes of their own."""
    listed = known_differences() | HERE.keys()
    cases = [
        case
        for path in sorted((RECORDINGS / "cases").glob("*.json"))
        for case in json.loads(path.read_text())["cases"]
        if case["kind"] == kind and case["recorded"] and case["needs"] != "live" and case["id"] not in listed
    ]
    return [case for case in cases[:: SAMPLE[kind]] if not case.get("mocks")]


@pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason=f"AWS's recorded answers are not at {RECORDINGS}: set STEPWELL_SHARED"
)
def test_a_cluster_answers_as_aws_does(served: ServedCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    differing: dict[str, list[str]] = {}
    embedded = EmbeddedCluster(tmp_path, served.servers.urls)
    try:
        monkeypatch.setattr(testing, "scripted_run", embedded.scripted_run)
        with recordings_runner() as runner:
            differing |= {case["id"]: runner.run_execution(case, None) for case in recorded("execution")}
            server = Served(served)
            differing |= {case["id"]: runner.run_api(case, server) for case in recorded("api")}
    finally:
        embedded.close()
    assert len(differing) > 20
    assert {id: found for id, found in differing.items() if found} == {}
