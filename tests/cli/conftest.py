"""Fixtures for tests of the command, which run it as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.support import Finished, Machine, Own, Owner, Stepwell
from stepwell import Executor


@pytest.fixture
def stepwell(tmp_path: Path) -> Stepwell:
    """``stepwell(*words)`` runs the command in an empty folder of the test's own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("STEPWELL", "ORDER_"))}
    environment |= {"TZ": "UTC", "PYTHONWARNINGS": "error"}

    def run(*words: object, stdin: str = "", **variables: str) -> Finished:
        finished = subprocess.run(
            [sys.executable, "-m", "stepwell", *map(str, words)],
            cwd=tmp_path,
            env=environment | variables,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        of_handlers = finished.stderr.count("stepwell: the handler of ")  # whose exceptions are logged with theirs
        assert finished.stderr.count("Traceback (") <= of_handlers, finished.stderr
        return Finished(finished.returncode, finished.stdout, finished.stderr)

    return run


@pytest.fixture
def deploy(tmp_path: Path) -> Callable[..., None]:
    """``deploy(name, states)`` stores a workflow in the folder ``data``, without starting a process."""

    def keep(name: str, states: dict[str, Any]) -> None:
        with Executor(tmp_path / "data") as executor:
            executor.deploy(name, {"StartAt": next(iter(states)), "States": states})

    return keep


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """``machine(states)`` writes a state machine to a file; it starts at the first state."""

    def write(states: dict[str, Any], name: str = "machine.json", **fields: Any) -> Path:
        file = tmp_path / name
        file.write_text(json.dumps({"StartAt": next(iter(states)), "States": states, **fields}))
        return file

    return write


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    """``own(partitions, data)`` starts a process that has a folder open (``data``, unless said otherwise)."""
    owners: list[Owner] = []

    def begin(partitions: int = 1, data: Path = tmp_path / "data") -> Owner:
        owners.append(Owner("lead", data, partitions))
        return owners[-1]

    yield begin
    for owner in owners:
        owner.kill()
