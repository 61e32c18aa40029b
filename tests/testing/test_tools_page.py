"""docs/testing-tools.md: its commands run, its tests pass, its outputs are what comes out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from documents.blocks import texts
from stepwell.testing import TestExecutor

Run = Callable[[str], subprocess.CompletedProcess[str]]


def blocks(language: str) -> list[str]:
    return texts("docs/testing-tools.md", language)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the page."""
    folder = tmp_path_factory.mktemp("tools")
    order, mocks = blocks("json")
    (folder / "order.json").write_text(order)
    (folder / "mocks.json").write_text(mocks)
    (folder / "test_order.py").write_text(blocks("python")[0])
    with TestExecutor() as executor:
        executor.mock.state("Charge").fails("Card.Gone")
        executor.deploy("order", json.loads(order))
        history = executor.start("order", {"total": 420}).wait().history()
    (folder / "history.json").write_text(json.dumps({"events": history}))
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    """``run(command)`` runs a line of a shell block."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTEST_ADDOPTS": "-p stepwell.pytest_plugin -p no:cacheprovider"}
    environment = {name: value for name, value in environment.items() if not name.startswith("STEPWELL")}

    def run(command: str) -> subprocess.CompletedProcess[str]:
        command = re.sub(r"^(stepwell|pytest) ", rf"{sys.executable} -m \1 ", command)
        done = subprocess.run(
            command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done

    return run


def test_the_commands_run_and_print_what_the_page_shows(run: Run, folder: Path) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if not line.startswith("aws ")]
    printed = "\n".join(run(line).stdout for line in lines)
    _, table, steps = blocks("text")
    assert table in printed
    assert steps in printed
    for name in ("coverage.json", "coverage.html", "order.snapshot.json", "order.svg", "order_tasks.py"):
        assert (folder / name).stat().st_size
    assert "class Charge(Protocol):" in (folder / "order_tasks.py").read_text()


def test_the_replay_prints_what_its_comments_say(folder: Path) -> None:
    program = blocks("python")[1]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    told = [comment.strip() for comment in re.findall(r"#(.*)$", program, re.MULTILINE)]
    assert done.stdout.splitlines() == told, done.stderr


def test_a_failing_path_is_shown_as_on_the_page(folder: Path) -> None:
    with TestExecutor() as executor:
        executor.mock.state("Charge").fails("Card.Declined")
        executor.deploy("order", json.loads((folder / "order.json").read_text()))
        execution = executor.start("order", {"total": 420}).wait()
        with pytest.raises(AssertionError) as caught:
            execution.assert_path(["Reserve", "Pack", "Charge", "Done"])
    assert f"{caught.value}\n" == blocks("text")[0]
