"""The pytest suite of a workflow, run as its user does: it passes, also after a kill, and finds mistakes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from examples.support import EXAMPLES, Program, new_random, programs

Suite = Callable[[], Program]


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    """Runs a copy of the suite, in ``tmp_path / "suite"``."""
    copy = tmp_path / "suite"
    shutil.copytree(EXAMPLES / "pytest_suite", copy, ignore=shutil.ignore_patterns("__pycache__"))
    with programs() as start:
        yield lambda: start("-m", "pytest", "-x", "-p", "no:cacheprovider", "--basetemp", tmp_path / "temp", cwd=copy)


def test_it_passes_also_after_it_was_killed(suite: Suite) -> None:
    random = new_random()
    killed = suite()
    killed.said("collected ")
    time.sleep(random.uniform(0, 2))
    killed.kill()
    finished = suite().ended()
    assert finished.process.returncode == 0, finished.output
    assert "18 passed" in finished.output


@pytest.mark.parametrize(
    ("right", "wrong", "failed"),
    [
        ('"Default": "Pay"', '"Default": "Pey"', "test_definition.py"),
        ('"NumericGreaterThanEquals"', '"NumericGreaterThan"', "test_states.py"),
        ('"IntervalSeconds": 3600', '"IntervalSeconds": 60', "test_paths.py"),
        ("if key not in dict(self.transfers())", "if True", "test_crash.py"),
    ],
)
def test_it_finds_a_mistake(suite: Suite, tmp_path: Path, right: str, wrong: str, failed: str) -> None:
    workflow = tmp_path / "suite" / "refunds.py"
    text = workflow.read_text()
    assert text.count(right) == 1
    workflow.write_text(text.replace(right, wrong))
    for path in workflow.parent.glob("test_*.py"):
        if path.name != failed:
            path.unlink()
    finished = suite().ended()
    assert finished.process.returncode == 1, finished.output
    assert f"FAILED {failed}" in finished.output
