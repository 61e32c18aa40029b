"""AWS's sample on ``stepwell serve``: its boto3 script survives a kill of the server, and a job is submitted once."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from examples.support import EXAMPLES, Program, free_port, programs, rows, until

EXAMPLE = EXAMPLES / "aws_job_poller"
Start = Callable[..., Program]


@pytest.fixture
def start() -> Iterator[Start]:
    for package in ("boto3", "uvicorn"):
        pytest.importorskip(package)
    with programs() as begin:
        yield begin


def jobs(folder: Path) -> list[tuple[str]]:
    database = folder / "jobs.sqlite"
    return rows(database, "SELECT name FROM jobs") if database.exists() else []


def test_the_script_runs_unchanged_also_when_the_server_is_killed(start: Start, tmp_path: Path) -> None:
    port = free_port()
    words = (
        "--data",
        "jobs.data",
        "--handlers",
        EXAMPLE / "lambdas.py",
        "--mock-config",
        EXAMPLE / "MockConfigFile.json",
    )
    serve = partial(start, "-m", "stepwell", "serve", "--port", port, *words, cwd=tmp_path)
    run = partial(
        start,
        EXAMPLE / "run_job.py",
        cwd=tmp_path,
        AWS_ENDPOINT_URL_SFN=f"http://127.0.0.1:{port}",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="any",
        AWS_SECRET_ACCESS_KEY="any",
        AWS_MAX_ATTEMPTS=20,  # the server may be slow to come back
    )
    server = serve()
    server.said("stepwell: ready on ")
    script = run("nightly-report", "--seconds", 1, "--wait", 1)
    until(lambda: jobs(tmp_path), "no job was submitted")
    server.kill()
    serve()
    assert script.ended().process.returncode == 0, script.output
    assert script.lines[-1] == 'SUCCEEDED "SUCCEEDED"'
    assert jobs(tmp_path) == [("nightly-report",)]
    mocked = run("never-submitted", "--wait", 1, "--test-case", "Fails").ended()
    assert mocked.process.returncode == 1
    assert mocked.lines[-1] == "FAILED DescribeJob returned FAILED"
    assert len(jobs(tmp_path)) == 1


def test_its_suite_passes_with_the_mock_file(start: Start, tmp_path: Path) -> None:
    copy = tmp_path / "suite"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    finished = start("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=copy).ended()
    assert finished.process.returncode == 0, finished.output
    assert re.search(r"\b4 passed", finished.output)
