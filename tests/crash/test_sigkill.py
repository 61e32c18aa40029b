"""SIGKILL at random moments, and a model outside that says what must still be true (RELIABILITY, promises 1 to 5).

What is checked stands in ``stepwell.testing.torture.model``: acknowledged starts are there and end right, each
result is recorded once, a handler gets nothing that is not durable, waits and timeouts end neither early nor
anew, histories go from 1 to n without a gap and have one end.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stepwell.cli.main import main
from stepwell.testing.torture import torture

KILLS, SEEDS = 100, range(2)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_done_twice_when_the_process_is_killed(tmp_path: Path, seed: int) -> None:
    report = torture(tmp_path / "torture", KILLS, seed)
    assert report.breaches == []
    assert report.kills == KILLS
    counts = report.counts
    assert counts["acknowledged"] > KILLS
    assert counts["tasks"] > 2 * KILLS
    assert counts["timers"] > KILLS / 2
    assert counts["calls again after a crash"] > 0, "no kill ever met a handler at work"


def test_the_command_tells_what_came_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "kept"
    assert main(["torture", "--kills", "2", "--seed", "7", "--folder", str(folder), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["kills"], report["seed"], report["breaches"]) == (2, 7, [])
    assert main(["torture", "--folder", str(folder)]) == 2  # what is there is nobody's to be killed
    assert "not empty" in capsys.readouterr().err
