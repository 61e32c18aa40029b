"""The torture's workflows on three nodes over three NATS servers, under drawn faults (``nemesis``)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cluster.nemesis import run
from cluster.network import has_namespaces

pytest.importorskip("nats")

FAULTS = 12


@pytest.mark.timeout(900)  # a dozen faults last a minute; on a busy machine everything that waits takes longer
def test_no_promise_is_broken_under_a_dozen_faults(tmp_path: Path) -> None:
    if not has_namespaces():
        print(
            "network namespaces are not allowed here: nothing is cut, the faults are those of processes",
            file=sys.stderr,
        )
    report = run(tmp_path, FAULTS, seed=2)
    assert report["breaches"] == []
    assert report["counts"]["acknowledged"] > 0
    assert report["counts"]["Succeeded"] > 0
