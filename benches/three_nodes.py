"""The figures of a cluster: three NATS servers and three nodes on this machine, each write synced, three copies.

    .venv/bin/python benches/three_nodes.py speed moves ends kills
    .venv/bin/python benches/three_nodes.py speed --partitions 1 --rounds 3 --restate

``--restate`` lets Restate's single node do the same work before each round (``benches/peers/setup`` installs it).
Prints a line of JSON for each measurement.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE)]

import nats  # noqa: E402
from machine import cpu_seconds, describe, fdatasync_seconds  # noqa: E402

from cluster.network import Host  # noqa: E402
from cluster.nodes import NODES, Node, Nodes  # noqa: E402
from stepwell import Cluster  # noqa: E402
from stepwell.engine.cluster.overview import Overview  # noqa: E402

SECONDS = 120.0
"""Nothing waits longer."""
CALM_SECONDS = 4.0
"""So long no partition may have moved before something is measured."""
STEPS = 10
STARTERS = 2
"""So many threads of each node start executions while partitions move."""
EXECUTIONS = 24
"""So many executions run when their leader is killed, over all partitions."""
PEERS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "stepwell/peers"


class BenchNode(Node):
    """A node that does what it is asked."""

    def __init__(self, host: Host, folder: Path, servers: str, partitions: int) -> None:
        super().__init__(host, folder, servers)
        self._partitions = partitions

    def start(self) -> None:
        self._launch(HERE / "one_node.py", self._folder, self._servers, self.name, self._partitions)

    def wait(self) -> None:
        assert self._answer() == "ready"

    def ask(self, *order: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._answer()


class Publisher:
    """Publishes to a stream of three replicas, one message after the other, over a bare socket."""

    def __init__(self, servers: str) -> None:
        asyncio.run(self._make(servers))
        time.sleep(2)  # the servers choose who leads it
        host, port = servers.split(",")[0].removeprefix("nats://").split(":")
        self._address = (host, int(port))

    async def _make(self, servers: str) -> None:
        client = await nats.connect(servers.split(","))
        await client.jetstream().add_stream(name="floor", subjects=["floor"], num_replicas=3)
        await client.close()

    def seconds(self, count: int) -> list[float]:
        """The times of ``count`` publishes of 1 KiB."""
        with socket.create_connection(self._address) as end, end.makefile("rb") as answers:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers.readline()
            end.sendall(b'CONNECT {"verbose":false,"pedantic":false}\r\nSUB answers 1\r\nPING\r\n')
            while answers.readline() != b"PONG\r\n":
                pass
            return [self._publish(end, answers) for _ in range(count)]

    def _publish(self, end: socket.socket, answers: BinaryIO) -> float:
        began = time.perf_counter()
        end.sendall(b"PUB floor answers 1024\r\n" + b"x" * 1024 + b"\r\n")
        while (line := answers.readline()).startswith(b"PING"):
            end.sendall(b"PONG\r\n")
        answer = answers.read(int(line.split()[-1]) + 2)
        assert b'"seq"' in answer, answer
        return time.perf_counter() - began


class Bench:
    """A cluster that is measured."""

    def __init__(self, folder: Path, partitions: int) -> None:
        self._partitions = partitions
        self._cluster = Nodes(folder, lambda host, servers: BenchNode(host, folder, servers, partitions))
        self._nodes = {node.name: node for node in self._cluster.nodes}
        self._cluster.start()
        urls = self._cluster.servers.urls
        self._overview, self._publisher = Overview(Cluster(urls, name="bench")), Publisher(urls)
        self._settle()
        self._nodes["n1"].ask("deploy")

    def close(self) -> None:
        self._overview.close()
        self._cluster.close()

    def _leaders(self) -> dict[int, str]:
        return {partition: name for name in NODES for partition in self._nodes[name].ask("led")}

    def _settle(self) -> None:
        """Wait until each partition has a leader, for a few seconds the same one."""
        deadline, since, before = time.monotonic() + SECONDS, time.monotonic(), self._leaders()
        while time.monotonic() - since < CALM_SECONDS or len(before) < self._partitions:
            assert time.monotonic() < deadline, before
            time.sleep(0.2)
            now = self._leaders()
            if now != before:
                since, before = time.monotonic(), now

    def _together(self, orders: dict[str, tuple[Any, ...]]) -> list[Any]:
        """Ask nodes at the same time."""
        answers: list[Any] = []
        threads = [
            threading.Thread(target=lambda name=name, order=order: answers.append(self._nodes[name].ask(*order)))
            for name, order in orders.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def _cpu(self) -> tuple[float, float]:
        """The processor time of the servers and of the nodes."""
        servers = [server.pid for server in self._cluster.servers.servers.values()]
        nodes = [node.process.pid for node in self._cluster.nodes]
        return sum(map(cpu_seconds, servers)), sum(map(cpu_seconds, nodes))

    def _messages(self) -> int:
        """The messages that leaders have published."""
        return sum(self._together(dict.fromkeys(NODES, ("messages",))))

    # figures

    def steps(self, count: int) -> dict[str, Any]:
        """Executions of one step, one after the other, at each node, beside publishes of one message."""
        publishes = self._publisher.seconds(count)
        times = {name: self._nodes[name].ask("one_by_one", "one", count) for name in NODES}
        publishes += self._publisher.seconds(count)
        floor = statistics.median(publishes)
        p50 = {name: statistics.median(seconds) for name, seconds in times.items()}
        return {
            "publish_p50_ms": round(floor * 1000, 2),
            "one_step_p50_ms": {name: round(seconds * 1000, 2) for name, seconds in p50.items()},
            "in_publishes": {name: round(seconds / floor, 2) for name, seconds in p50.items()},
            "leads": {name: self._nodes[name].ask("led") for name in NODES},
        }

    def rate(self, count: int, at_once: int) -> dict[str, Any]:
        """Executions of ten steps, so many at once, a third of them at each node."""
        shares = {name: at_once // 3 + (index < at_once % 3) for index, name in enumerate(NODES)}
        orders = {name: ("side_by_side", count * share // at_once, share) for name, share in shares.items()}
        self._together({name: ("side_by_side", 50, share) for name, share in shares.items()})  # all is warm then
        messages, (servers, nodes) = self._messages(), self._cpu()
        answers = self._together(orders)
        seconds = max(each["ended"] for each in answers) - min(each["began"] for each in answers)
        messages, (servers_now, nodes_now) = self._messages() - messages, self._cpu()
        servers, nodes = servers_now - servers, nodes_now - nodes
        return {
            "steps_per_second": round(STEPS * count / seconds),
            "cpu_ms_per_workflow": round((servers + nodes) * 1000 / count, 2),
            "cpu_of_servers": round(servers * 1000 / count, 2),
            "cpu_of_nodes": round(nodes * 1000 / count, 2),
            "cores_in_use": round((servers + nodes) / seconds, 2),
            "messages_per_workflow": round(messages / count, 2),
        }

    def moves(self, count: int) -> dict[str, Any]:
        """The seconds of moves of partitions, while all nodes start executions."""
        self._together(dict.fromkeys(NODES, ("begin_starting", STARTERS)))
        seconds: list[float] = []
        try:
            for number in range(count):
                partition = number % self._partitions
                leader = self._leaders()[partition]
                other = next(name for name in NODES if name != leader)
                began = time.monotonic()
                self._overview.move(partition, other)
                seconds.append(round(time.monotonic() - began, 3))
        finally:
            answers = self._together(dict.fromkeys(NODES, ("end_starting",)))
        for partition in range(self._partitions):
            self._overview.move(partition, None)
        self._settle()
        return {"move_seconds": sorted(seconds), **_starts(answers)}

    def ends(self, count: int) -> dict[str, Any]:
        """The seconds from the order to end until others lead the partitions of a node, while they start executions."""
        seconds: list[float] = []
        answers: list[Any] = []
        for number in range(count):
            leaving = NODES[number % 3]
            others = [name for name in NODES if name != leaving]
            self._together(dict.fromkeys(others, ("begin_starting", STARTERS)))
            began = time.monotonic()
            closing = threading.Thread(target=self._nodes[leaving].ask, args=("close",))
            closing.start()
            while sum(len(self._nodes[name].ask("led")) for name in others) < self._partitions:
                assert time.monotonic() - began < SECONDS
                time.sleep(0.01)
            seconds.append(round(time.monotonic() - began, 3))
            closing.join()
            answers += self._together(dict.fromkeys(others, ("end_starting",)))
            self._nodes[leaving].kill()
            self._nodes[leaving].start()
            self._nodes[leaving].wait()
            self._settle()
        return {"end_seconds": sorted(seconds), **_starts(answers)}

    def kills(self, count: int) -> dict[str, Any]:
        """The seconds from the loss of a node until executions that were running have ended, seen from another one."""
        seconds: list[float] = []
        for number in range(count):
            killed, other = (self._nodes[NODES[(number + index) % 3]] for index in range(2))
            ids = killed.ask("patient", EXECUTIONS)
            began = time.time()
            killed.kill()
            seconds.append(round(other.ask("wait", ids) - began, 2))
            killed.start()
            killed.wait()
            self._settle()
        return {"killed_seconds": sorted(seconds), "median": round(statistics.median(seconds), 2)}


def _starts(answers: list[Any]) -> dict[str, Any]:
    return {
        "starts": sum(each["starts"] for each in answers),
        "longest_start": round(max(each["longest"] for each in answers), 3),
        "failed_starts": [error for each in answers for error in each["errors"]],
    }


def restate(peers: Path, folder: Path) -> dict[str, Any]:
    """The same work by Restate's single node."""
    server = next((peers / "npm").glob("node_modules/@restatedev/restate-server-linux-*/bin/restate-server"))
    command = [peers / "venv/bin/python", HERE / "peers/restate_client.py", server, folder]
    done = subprocess.run(command, cwd=HERE / "peers", capture_output=True, text=True, check=True, timeout=600)
    row = json.loads(done.stdout.splitlines()[-1])
    return {"restate_" + name: row[name] for name in ("one_step_p50_ms", "steps_per_second", "cpu_ms_per_workflow")}


def measure(bench: Bench, options: argparse.Namespace) -> None:
    if "speed" in options.what:
        show(bench.steps(200))
        show(bench.rate(options.workflows, options.at_once))
    if "moves" in options.what:
        show(bench.moves(options.moves))
    if "ends" in options.what:
        show(bench.ends(options.ends))
    if "kills" in options.what:
        show(bench.kills(options.kills))


def show(figures: dict[str, Any]) -> None:
    print(json.dumps(figures), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=["speed", "moves", "ends", "kills"])
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workflows", type=int, default=3000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--moves", type=int, default=24)
    parser.add_argument("--ends", type=int, default=6)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--restate", action="store_true")
    parser.add_argument("--peers", type=Path, default=PEERS, help="where benches/peers/setup installed it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cluster-", dir=os.environ.get("TMPDIR")) as folder:
        bench = Bench(Path(folder), options.partitions)
        try:
            for number in range(options.rounds):
                if options.restate:
                    show(restate(options.peers, Path(folder) / f"restate-{number}"))
                measure(bench, options)
        finally:
            bench.close()
        show({**describe(), "fdatasync_ms": round(fdatasync_seconds(Path(folder)) * 1000, 2)})


if __name__ == "__main__":
    main()
