"""Draws faults while three nodes run the torture's workflows over three NATS servers, and checks what is left.

``python tests/cluster/nemesis.py --faults 300 --seed 7`` runs for as long as that takes; ``make test`` draws a dozen.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from cluster.network import Host
from cluster.nodes import NODES, NodeProcess, Nodes
from cluster.servers import Server
from cluster.torture_node import CLUSTER
from stepwell import Cluster
from stepwell.engine.cluster.overview import Overview
from stepwell.errors import StepwellError
from stepwell.testing.torture.journal import Journal

DISK = "size=256m"
LONGEST_SECONDS = 6.0
"""How long a fault lasts at most: longer than a lease."""
DRAIN_SECONDS = 120.0
NODE = Path(__file__).with_name("torture_node.py")


class Broken(Exception):
    """Something does not come back after the faults have ended."""


class Nemesis(Nodes[NodeProcess]):
    """Three servers, three nodes, and everything that can happen to them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self._chance = random.Random(seed)
        super().__init__(folder, lambda host, servers: NodeProcess(host, folder, NODE, servers, seed))
        self._disks = [server for server in self.servers.servers.values() if _mount(server.store)]
        self.drawn: Counter[str] = Counter()
        self._calm = 1_000_000
        """The number of the last time without faults; the lives of nodes have lower ones."""
        self.faults: dict[str, Callable[[float], None]] = {
            "node killed": self.kill_node,
            "leader killed": self.kill_leader,
            "node paused": self.pause_node,
            "server killed": self.kill_server,
            "server paused": self.pause_server,
            "a node and a server killed": self.kill_both,
            "everything killed": self.kill_all,
            "node lost its folder": self.lose_folder,
            "clock jumped": self.jump,
        }
        if self.network.can_cut:
            self.faults |= {
                "node cut from all servers": self.cut_node,
                "server cut from the others": self.cut_server,
                "packets of a node lost": self.deafen_servers,
                "packets of a server lost": self.deafen_other_servers,
                "node slow": self.slow_node,
                "server slow": self.slow_server,
            }
        if self._disks:
            self.faults["disk of a server full"] = self.fill_disk

    # life

    def _end(self) -> None:
        super()._end()
        for server in self._disks:
            subprocess.run(["umount", server.store], check=False, capture_output=True)

    def draw(self, count: int) -> None:
        """Let so many faults happen, one after the other; each kind as often as any."""
        bag: list[str] = []
        for number in range(count):
            if not bag:
                bag = self._chance.sample(sorted(self.faults), len(self.faults))
            name = bag.pop()
            seconds = LONGEST_SECONDS * self._chance.random()
            print(f"{number + 1:3} {name}, {seconds:.1f} s", file=sys.stderr, flush=True)
            self.drawn[name] += 1
            self.faults[name](seconds)
            self._live(self._chance.random())

    def _live(self, seconds: float) -> None:
        """No fault for some seconds: only then timers are expected to fire. The journal says so."""
        self._calm += 1
        journal = Journal(self.folder / "journal", self._calm)
        journal.write("opened")
        time.sleep(seconds)
        journal.write("life", until=time.time())

    def _node(self) -> NodeProcess:
        return self._chance.choice(self.nodes)

    def _server(self) -> Server:
        return self._chance.choice(list(self.servers.servers.values()))

    def _server_hosts(self, *, but: Host | None = None) -> list[Host]:
        return [server.host for server in self.servers.servers.values() if server.host is not but]

    # faults: each ends after some seconds

    def kill_node(self, seconds: float) -> None:
        self._kill([self._node()], [], seconds)

    def kill_leader(self, seconds: float) -> None:
        leaders = [node for node in self.nodes if node.was_ready and node.ask("led")]
        self._kill(leaders[:1] or [self._node()], [], seconds)

    def kill_server(self, seconds: float) -> None:
        self._kill([], [self._server()], seconds)

    def kill_both(self, seconds: float) -> None:
        self._kill([self._node()], [self._server()], seconds)

    def kill_all(self, seconds: float) -> None:
        self._kill(self.nodes, list(self.servers.servers.values()), seconds / 4)

    def _kill(self, nodes: list[NodeProcess], servers: list[Server], seconds: float) -> None:
        for each in [*nodes, *servers]:
            each.kill()
        time.sleep(seconds)
        for each in [*servers, *nodes]:
            each.start()

    def lose_folder(self, seconds: float) -> None:
        node = self._node()
        node.kill()
        node.lose_folder()
        time.sleep(seconds / 4)
        node.start()

    def pause_node(self, seconds: float) -> None:
        self._pause(self._node(), seconds)

    def pause_server(self, seconds: float) -> None:
        self._pause(self._server(), seconds)

    def _pause(self, process: NodeProcess | Server, seconds: float) -> None:
        process.signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.signal(signal.SIGCONT)

    def cut_node(self, seconds: float) -> None:
        self._between(self._node().host, self._server_hosts(), Host.cut_from, seconds)

    def cut_server(self, seconds: float) -> None:
        host = self._server().host
        self._between(host, self._server_hosts(but=host), Host.cut_from, seconds)

    def deafen_servers(self, seconds: float) -> None:
        self._between(self._node().host, self._server_hosts(), Host.drop_to, seconds)

    def deafen_other_servers(self, seconds: float) -> None:
        host = self._server().host
        self._between(host, self._server_hosts(but=host), Host.drop_to, seconds)

    def _between(self, host: Host, others: list[Host], cut: Callable[[Host, list[Host]], None], seconds: float) -> None:
        cut(host, others)
        time.sleep(seconds)
        host.heal(others)

    def slow_node(self, seconds: float) -> None:
        self._slow(self._node().host, seconds)

    def slow_server(self, seconds: float) -> None:
        self._slow(self._server().host, seconds)

    def _slow(self, host: Host, seconds: float) -> None:
        host.slow_down()
        time.sleep(seconds)
        host.speed_up()

    def fill_disk(self, seconds: float) -> None:
        """A server whose disk is full stops its JetStream: it is started again once there is room."""
        server = self._chance.choice(self._disks)
        filler = server.store / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=1M"], check=False, capture_output=True)
        time.sleep(seconds)
        filler.unlink()
        server.kill()
        server.start()

    def jump(self, seconds: float) -> None:
        node = self._node()
        if node.was_ready:
            node.ask("jump", self._chance.choice((-1, 1)) * 3 * seconds)
            time.sleep(1.0)
            node.ask("jump", 0.0)

    # the end

    def drain(self) -> None:
        """Let everything end that was begun."""
        self._calm += 1
        journal = Journal(self.folder / "journal", self._calm)
        journal.write("opened")
        journal.write("life", until=time.time() + 2 * DRAIN_SECONDS)
        self.servers.start()
        self.servers.wait()
        for node in self.nodes:
            node.wait()
        deadline = time.monotonic() + DRAIN_SECONDS
        while left := max(node.ask("take_over") for node in self.nodes):
            if time.monotonic() > deadline:
                raise Broken(f"{left} executions have not ended after {DRAIN_SECONDS} s")
            time.sleep(0.3)

    def differing_copies(self) -> list[str]:
        """The partitions whose copies are not the same on all nodes, row by row, once they have had time to follow."""
        deadline = time.monotonic() + DRAIN_SECONDS / 4
        while True:
            copies = [node.ask("copies") for node in self.nodes]
            wrong = [
                f"partition {index} on {', '.join(NODES)}: {each}"
                for index, each in enumerate(zip(*copies, strict=True))
                if any(copy != each[0] or copy.get("failure") or "problem" in copy for copy in each)
            ]
            if not wrong or time.monotonic() > deadline:
                return wrong
            time.sleep(0.3)

    def unproven(self) -> list[str]:
        """The partitions whose rows are not what the events of their streams say."""
        overview = Overview(Cluster(self.servers.urls, name=CLUSTER))
        wrong: list[str] = []
        try:
            for stream in overview.streams():
                try:
                    overview.prove(stream)
                except StepwellError as error:
                    wrong.append(f"partition {stream['partition']}: {error}")
        finally:
            overview.close()
        return wrong

    def findings(self) -> dict[str, Any]:
        """What the model outside finds."""
        return self._chance.choice(self.nodes).ask("check")


def _mount(folder: Path) -> bool:
    """Give a folder a small disk of its own, if that is allowed; whether it has one."""
    mount = ["mount", "-t", "tmpfs", "-o", DISK, "stepwell-test", folder]
    return subprocess.run(mount, check=False, capture_output=True).returncode == 0


def run(folder: Path, faults: int, seed: int) -> dict[str, Any]:
    """Draw faults, and return the figures and the breaches."""
    began = time.monotonic()
    nemesis = Nemesis(folder, seed)
    try:
        nemesis.start()
        nemesis.draw(faults)
        nemesis.drain()
        differing = nemesis.differing_copies() + nemesis.unproven()
        found = nemesis.findings()
    finally:
        nemesis.close()
    late = [breach for breach in found["breaches"] if nemesis.drawn["clock jumped"] and _is_late(breach)]
    return {
        "seed": seed,
        "faults": dict(nemesis.drawn),
        "seconds": round(time.monotonic() - began, 1),
        "counts": found["counts"],
        "latest timer": found["latest"],
        "results that beat a time-out": len(late),
        "breaches": [breach for breach in found["breaches"] if breach not in late] + differing,
    }


def _is_late(breach: str) -> bool:
    """Whether a result beat a time-out: its time-out goes by the clock of its leader, which a fault set back."""
    return breach.startswith("overdue ") and "in time" in breach


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="is kept (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stepwell-nemesis-") as temporary:
        report = run(options.folder or Path(temporary), options.faults, options.seed)
    print(json.dumps(report, indent=2))
    return 1 if report["breaches"] else 0


if __name__ == "__main__":
    sys.exit(main())
