"""A node of the nemesis: it runs the torture's workflows, and does what its standard input says.

``torture_node.py FOLDER SERVERS NODE LIFE SEED``. The journal in FOLDER is shared by all nodes and all their lives.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stepwell import Cluster, Executor
from stepwell.engine import wall_clock
from stepwell.engine.cluster.host import ClusterHost
from stepwell.engine.cluster.options import DISPATCHES
from stepwell.errors import StepwellError, TaskDoesNotExist
from stepwell.testing.torture import journal, model, workflows
from stepwell.testing.torture.child import Child

CLUSTER = "torture"
PARTITIONS = 3
SNAPSHOT_BYTES = 400_000
"""So little that streams are purged, and lost folders begin with snapshots."""
RUNNING = 8
"""How many executions of a node may run at a time."""
REST_SECONDS = 0.05


class TortureNode(Child):
    """One life of a node."""

    def __init__(self, folder: Path, servers: str, node: str, life: int, seed: int) -> None:
        self._servers, self._node, self._life = servers, node, life
        self._draining = threading.Event()
        self._skipped = 0
        super().__init__(folder, seed, 100 * life + int(node[1:]))

    def _open(self, handlers: dict[str, Callable[..., Any]]) -> Executor:
        cluster = Cluster(
            self._servers,
            name=CLUSTER,
            node=self._node,
            partitions=PARTITIONS,
            snapshot_bytes=SNAPSHOT_BYTES,
            dispatch=DISPATCHES[(self._life + int(self._node[1:])) % 3 > 0],
        )
        executor = Executor(self._folder / self._node, cluster=cluster, handlers=handlers, max_workers=16)
        for name, definition in workflows.DEFINITIONS.items():
            self._until_done(executor.deploy, name, definition)
        return executor

    def _until_done(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call something that may be done twice, until a leader answers."""
        while True:
            try:
                return call(*arguments)
            except StepwellError as error:
                print(f"{self._node}: {error}", file=sys.stderr)
                time.sleep(REST_SECONDS)

    def work(self) -> None:
        """Start executions through this node, answer tokens, stop sleepers and record ends."""
        self._running: dict[str, str] = {}
        threading.Thread(target=self._answer_all, daemon=True).start()
        number = 0
        while True:
            if not self._draining.is_set() and len(self._running) < RUNNING:
                number += 1
                self._try(self._start, f"{self._node}-{self._life}-{number}")
            self._try(self._watch)
            time.sleep(REST_SECONDS)

    def _try(self, call: Callable[..., None], *arguments: Any) -> None:
        try:
            call(*arguments)
        except StepwellError as error:  # whether it was done is what the model looks at
            self._journal.write("failed", call=call.__name__, error=str(error))

    def _answer_all(self) -> None:
        while True:
            time.sleep(REST_SECONDS)
            for token, n in list(self._tokens):
                self._journal.write("answering", token=token)
                try:
                    self._executor.send_task_success(token, {"approved": n})
                    self._journal.write("answered", token=token)
                except TaskDoesNotExist:
                    self._journal.write("refused", token=token)
                except StepwellError as error:
                    self._journal.write("failed", call="answer", error=str(error))
                    continue
                self._tokens.remove((token, n))

    # what the nemesis asks at the end

    def take_over(self) -> int:
        """Start nothing more. Take over what is left of all nodes' work; how many executions have not ended."""
        self._draining.set()
        lines = journal.read(self._folder / "journal")
        done = {line["token"] for line in lines if line["what"] in ("answered", "refused")}
        known = {token for token, _ in self._tokens}
        self._tokens += [
            (line["token"], line["n"])
            for line in lines
            if line["what"] == "token" and line["token"] not in done | known
        ]
        open_ones = [
            execution
            for status in ("Pending", "Running", "Completing", "Canceling")
            for execution in self._until_done(self._executor.list, None, status)
        ]
        for execution in open_ones:
            self._running.setdefault(execution.id, execution.workflow)
        return len(open_ones)

    def check(self) -> dict[str, Any]:
        """What the model finds: all executions have ended."""
        lines = journal.read(self._folder / "journal")
        findings = model.compare(lines, self._executor)
        return {
            "counts": dict(findings.counts),
            "breaches": findings.breaches,
            "latest": findings.latest_timer,
        }

    def copies(self) -> list[dict[str, Any]]:
        """Where each copy of this node is, and what it holds."""
        host = self._executor.client.host
        assert isinstance(host, ClusterHost)
        found: list[dict[str, Any]] = []
        for leadership in host.leaderships:
            copy = leadership.copy
            if copy is None:
                found.append({"problem": leadership.problem or "closed"})
                continue
            status = copy.status()
            rows, digest = copy.store.digest()
            found.append(
                {key: status[key] for key in ("position", "hash", "failure")} | {"rows": rows, "digest": digest}
            )
        return found

    def led(self) -> list[int]:
        """The partitions that this node leads."""
        host = self._executor.client.host
        assert isinstance(host, ClusterHost)
        return [partition.index for partition in host.partitions if partition.is_led]


def main() -> None:
    logging.basicConfig(format=f"%(asctime)s {sys.argv[3]} %(message)s", level=logging.WARNING)
    folder, servers, name, life, seed = Path(sys.argv[1]), *sys.argv[2:4], int(sys.argv[4]), int(sys.argv[5])
    node = TortureNode(folder, servers, name, life, seed)
    print(json.dumps("ready"), flush=True)
    threading.Thread(target=node.work, daemon=True).start()
    for line in sys.stdin:
        order, *arguments = json.loads(line)
        print(json.dumps(_jump(*arguments) if order == "jump" else getattr(node, order)()), flush=True)


def _jump(seconds: float) -> float:
    """Let the clock of this process be so far ahead of the machine's."""
    right = time.time_ns
    wall_clock.now = lambda: right() // 1000 + int(seconds * 1_000_000)
    return seconds


if __name__ == "__main__":
    main()
