"""Power cuts of a node: its folder, which is not synced for each batch, is sound afterwards, or made anew by the node.

A node is recorded (``crash.lossy_disk``); drawn states of its disk are opened, and must come to what another node has.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.network import free_ports
from cluster.power_node import NODE, PARTITIONS, cluster, opened
from cluster.servers import binary
from crash.lossy_disk import build, record
from stepwell import _core
from stepwell.engine.cluster.host import ClusterHost
from stepwell.engine.cluster.link import Link
from stepwell.engine.cluster.registry import Registry

pytest.importorskip("nats")

CUTS = max(1, int(os.environ.get("STEPWELL_POWER_CUTS", "80")) // 13)
SECONDS = 60.0
"""No test waits longer: this guards against a hang."""
WORKER = Path(__file__).with_name("power_node.py")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server, whose own disk is not cut."""
    place, (port,) = tmp_path_factory.mktemp("nats"), free_ports(1)
    command = [binary(), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(place)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        url = f"nats://127.0.0.1:{port}"
        connection = _core.Nats.connect(url, name="test", timeout=SECONDS)
        options = cluster(url, NODE)
        link = Link(options)
        Registry(link).join()
        link.close()
        for index in range(PARTITIONS):  # one server has no three replicas
            connection.create_stream(options.stream(index), options.subject("log", index), replicas=1, unsafe_sync=True)
        connection.close()
        yield url
    finally:
        server.kill()
        server.wait()


@pytest.mark.timeout(1200)
def test_a_node_whose_power_failed_comes_to_what_the_others_have(tmp_path: Path, servers: str) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = record(build(tmp_path), folder, [sys.executable, str(WORKER), str(folder), servers])
    chance = random.Random(1)
    with opened(tmp_path, servers, "b") as other:
        host = other.client.host
        assert isinstance(host, ClusterHost)
        assert len(other.list(status="Succeeded")) == 120
        for cut in disk.cuts(chance, CUTS):
            how = cut.write(folder)
            try:
                with opened(folder, servers, NODE) as executor:
                    _wait_until_same(executor.client.host, host)
            except BaseException as error:
                error.add_note(f"cut {cut.number} of {len(disk)}: {how}")
                raise


def _wait_until_same(one: object, two: ClusterHost) -> None:
    """Wait until all copies of two nodes have the same rows and the same history."""
    assert isinstance(one, ClusterHost)
    deadline = time.monotonic() + SECONDS
    while (found := _content(one)) != _content(two) or None in found:
        problems = [each.problem for each in one.leaderships]
        assert time.monotonic() < deadline, (found, _content(two), problems)
        time.sleep(0.05)


def _content(host: ClusterHost) -> list[tuple[int, str, object] | None]:
    """Where each copy is, what it holds, and the hash of its history."""
    found: list[tuple[int, str, object] | None] = []
    for held in host.leaderships:
        copy = held.copy
        status = None if copy is None else copy.status()
        if copy is None or status is None or status["failure"]:
            found.append(None)
        else:
            found.append((status["position"], status["hash"], copy.store.digest()))
    return found
