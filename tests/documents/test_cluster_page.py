"""The cluster for one machine that docs/cluster.md shows runs, and its commands say what a node's folder is."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from documents.blocks import ROOT, blocks

pytest.importorskip("nats", reason="the extra nats is not installed")
SECONDS = 240


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """One in which the page's commands are found."""
    found = subprocess.run([ROOT / "scripts/install-nats-server"], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode == 3:
        pytest.skip("nats-server is not installed, and Go neither")
    assert found.returncode == 0
    programs = [Path(sys.executable).parent, Path(found.stdout.strip()).parent, os.environ["PATH"]]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("STEPWELL_")}
    return kept | {"PATH": os.pathsep.join(map(str, programs)), "PYTHONUNBUFFERED": "1"}


def with_free_ports(text: str) -> str:
    """The commands with ports that are free: those of the page may be used."""
    text = text.replace("411$n", "$((4110 + n))").replace("412$n", "$((4120 + n))")
    with ExitStack() as held:
        for base, count in (("4110", 3), ("4120", 3)):
            ports = [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]
            for number, port in enumerate(ports, 1):
                text = text.replace(f":{int(base) + number}", f":{port}")
            text = text.replace(f"$(({base} + n))", f"$(set -- {' '.join(map(str, ports))}; shift $((n - 1)); echo $1)")
    return re.sub(r"--port \d+", "--port 0", text)


@pytest.fixture
def folder(tmp_path: Path, environment: dict[str, str]) -> Iterator[Path]:
    """The folder in which the page's commands were run; its servers and nodes work."""
    (handlers, commands) = (block for block in blocks("docs/cluster.md") if is_of_trial(block.text))
    (tmp_path / "handlers.py").write_text(handlers.text)
    script = with_free_ports(commands.text) + "wait\n"
    with (tmp_path / "said").open("wb") as said:
        running = subprocess.Popen(
            ["bash", "-eu", "-c", script],
            cwd=tmp_path,
            env=environment,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        wait_for_nodes(tmp_path / "said", running)
        yield tmp_path
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait(SECONDS)


def is_of_trial(text: str) -> bool:
    """Whether a block belongs to the section for one machine."""
    return "nats-server -c" in text or text.startswith("def greet")


def wait_for_nodes(said: Path, running: subprocess.Popen[bytes]) -> None:
    """Wait until both nodes are ready."""
    deadline = time.monotonic() + SECONDS
    while said.read_text(errors="replace").count("ready on") < 2:
        assert running.poll() is None, said.read_text(errors="replace")
        assert time.monotonic() < deadline, said.read_text(errors="replace")
        time.sleep(0.2)


def test_two_nodes_on_one_machine(folder: Path, environment: dict[str, str]) -> None:
    servers = re.findall(
        r'^listen: "(.*)"$', "\n".join(path.read_text() for path in folder.glob("s?.conf")), re.MULTILINE
    )
    environment["STEPWELL_CLUSTER"] = ",".join(f"nats://{server}" for server in servers)

    def stepwell(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "stepwell", *words]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    status = stepwell("cluster", "status", "--json")
    assert {node["node"] for node in json.loads(status.stdout)["nodes"]} == {"n1", "n2"}
    states = {"Greet": {"Type": "Task", "Resource": "greet", "End": True}}
    (folder / "greeting.json").write_text(json.dumps({"StartAt": "Greet", "States": states}))
    assert stepwell("deploy", "greeting", "greeting.json", "--data", "n1").returncode == 0
    started = stepwell("start", "greeting", "--data", "n2", "--input", '"Ada"', "--wait")
    assert started.stdout == '"Hello, Ada!"\n', started.stderr
    shown = json.loads(stepwell("status", "n1", "--json").stdout)
    assert shown["storage_bytes"] > 0
    refused = stepwell("backup", "n1", "--to", "copy")
    assert refused.returncode == 3
    assert "folder of a cluster's node" in refused.stderr
