"""Scores a cluster against AWS's recorded answers: three nodes, three NATS servers, every request at another node.

``make conformance-cluster``, or ``python tests/cluster/conformance.py`` with the arguments of the recordings' own
scorer (``../shared/conformance/run.py``), which does the work here too. Executions run in three embedded nodes; calls
of the API go to three nodes that are ``stepwell serve``. It exits with 1 if a case differs that is listed
neither in ``tests/conformance/known_differences.toml`` nor here.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any

import msgspec

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from cluster.served import ServedCluster, ServedNode
from recordings import KNOWN, recordings_runner
from stepwell import Cluster, Executor, testing
from stepwell.asl.json import dumps
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.tasks.calls import Call, CallHandler, Deferred
from stepwell.testing.scripted import ScriptedTasks

CASE_SECONDS = "120"
"""How long a case may take: some wait for a time-out of five seconds, and a cluster is on a busy machine."""
HERE = {
    "timeouts/test_timeouts.py::TestTimeouts::test_service_lambda_map_timeout": "by the clock: of four tasks that "
    "time out a millisecond apart the first one fails the Map before the others are due",
    "local_mocking/test_base_scenarios.py::TestBaseScenarios::test_map_state_lambda": "the scorer renames the state "
    "machines of a case, but not those of its mock file (on one machine too)",
}
"""Cases that differ here for a reason that is not the cluster's."""
_STATUSES = {"Succeeded": "SUCCEEDED", "Failed": "FAILED", "Canceled": "ABORTED"}
_ACTIVITY_SECONDS = 1.0


class Scripted(CallHandler):
    """Answers all tasks by a script, each through another node than the one that called."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.script = ScriptedTasks([])
        self.hosts: Iterator[Any] = iter(())

    async def __call__(self, call: Call, is_over: Callable[[], bool]) -> Deferred:
        with self._lock:
            self.script.dispatch([call])
            answers, self.script.answers = self.script.answers, []
            if call.id in self.script.late and not call.deadline:
                error = self.script.late[call.id].get("error", "States.Timeout")
                answers = [
                    *answers,
                    (r.FailTaskCommand(call.id, call.resource, error, None, True, 0, 0), Document(b"")),
                ]
        return Deferred(None, partial(self.send, answers))

    def send(self, answers: list[tuple[r.Command, Document]]) -> None:
        """Send answers in their order, each once the one before is durable."""
        if answers:
            command, document = answers[0]
            next(self.hosts).submit(command, document, lambda *_: self.send(answers[1:]))


class EmbeddedCluster:
    """Three nodes in this process."""

    def __init__(self, folder: Path, servers: str) -> None:
        self._handler, self._names = Scripted(), count(1)
        self._nodes: list[Executor] = []
        try:
            for node in ("e1", "e2", "e3"):
                cluster = Cluster(servers, name="embedded", node=node, partitions=3)
                executor = Executor(folder / node, cluster=cluster, handlers={"*": self._handler}, profile="aws")
                self._nodes.append(executor)
        except BaseException:
            self.close()
            raise
        self._turns = cycle(self._nodes)
        self._handler.hosts = (node.client.host for node in cycle(self._nodes))

    def close(self) -> None:
        for executor in self._nodes:
            executor.close()

    def scripted_run(
        self, definition: dict[str, Any] | str, input: Any, tasks: list[dict[str, Any]], *, type: str = "STANDARD"
    ) -> dict[str, Any]:
        """What ``stepwell.testing.scripted_run`` does, by the clock: deployed, started and looked at by three nodes."""
        name = f"Recorded{next(self._names)}"
        text = definition if isinstance(definition, str) else dumps(definition).decode()
        next(self._turns).deploy(name, text, type=type)
        self._handler.script = script = ScriptedTasks(tasks)
        starting = next(self._turns)
        request = starting.client.start_request(name, None, None, None, None, synchronous=type == "EXPRESS")
        given = Document(msgspec.json.encode(input))  # as its caller would write it: numbers keep their form
        script.root = id = str(starting.client.host.ask(request.command, given))
        is_over = threading.Event()
        workers = [
            threading.Thread(target=self._work, args=(next(self._turns), script, resource, is_over))
            for resource in _activities(json.loads(text))
        ]
        for worker in workers:
            worker.start()
        try:
            context = next(self._turns).get(id).wait(float(CASE_SECONDS)).context()
        finally:
            is_over.set()
            for worker in workers:
                worker.join()
        if script.failure is not None:
            raise script.failure
        answer: dict[str, Any] = {"status": "TIMED_OUT" if context.timed_out else _STATUSES[context.status]}
        if context.output:
            answer["output"] = json.loads(context.output)
        for key in ("error", "cause"):
            if getattr(context, key) is not None:
                answer[key] = getattr(context, key)
        answer["events"] = next(self._turns).history(id)
        return answer

    def _work(self, executor: Executor, script: ScriptedTasks, activity: str, is_over: threading.Event) -> None:
        """Be an activity's worker, which answers by the script."""
        while not is_over.is_set():
            task = executor.get_activity_task(activity, "worker", _ACTIVITY_SECONDS)
            if task is not None:
                script.take(task.id, task.resource, "", json.loads(task.input))
                answers, script.answers = script.answers, []
                self._handler.send(answers)


def _activities(definition: Any) -> set[str]:
    """The activities that a definition's Task states have."""
    if isinstance(definition, dict):
        resource = definition.get("Resource")
        own = {resource} if isinstance(resource, str) and ":activity:" in resource else set[str]()
        return own.union(*map(_activities, definition.values()))
    return set[str]().union(*map(_activities, definition)) if isinstance(definition, list) else set()


class Turns:
    """A client of AWS's API whose every call goes to another node than the one before."""

    def __init__(self, urls: list[str]) -> None:
        self._clients = cycle([_client(url) for url in urls])

    def __getattr__(self, operation: str) -> Any:
        return getattr(next(self._clients), operation)


def _client(url: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(inject_host_prefix=False, retries={"max_attempts": 0}, read_timeout=60, parameter_validation=False)
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    return boto3.client("stepfunctions", endpoint_url=url, region_name="us-east-1", config=config, **keys)


class Served:
    """What the scorer takes for a server: three nodes. Those of a mock file are a cluster of their own."""

    _numbers = count(1)

    def __init__(self, cluster: ServedCluster, mocks: Any = None) -> None:
        self._own: list[ServedNode] = []
        if mocks is not None:
            self._own = self._mocked(cluster, f"mocked{next(self._numbers)}", mocks)
        self.client = Turns([node.url for node in self._own or cluster.nodes])

    def _mocked(self, cluster: ServedCluster, name: str, mocks: Any) -> list[ServedNode]:
        folder = cluster.folder / name
        folder.mkdir()
        file = folder / "mocks.json"
        file.write_text(json.dumps(mocks))
        options = ("--mock-config", file)
        nodes = [ServedNode(node.host, folder, cluster.servers.urls, options, name) for node in cluster.nodes]
        for node in nodes:
            node.start()
        for node in nodes:
            node.wait()
        return nodes

    def close(self) -> None:
        for node in self._own:
            node.kill()


def known_differences() -> set[str]:
    """The cases that differ on one machine too."""
    return {case for cases in tomllib.loads(KNOWN.read_text()).values() for case in cases}


def score(folder: Path) -> dict[str, list[str]]:
    """Let the scorer run over a cluster, with this process's arguments; the differences of each case."""
    verdicts = folder / "verdicts.json"
    os.environ["CASE_SECONDS"] = CASE_SECONDS
    cluster = ServedCluster(folder, "--profile", "aws")
    try:
        cluster.start()
        embedded = EmbeddedCluster(folder, cluster.servers.urls)
        try:
            with recordings_runner() as runner:
                runner.Server = partial(Served, cluster)
                testing.scripted_run = embedded.scripted_run
                sys.argv += ["--json", str(verdicts)]
                runner.main()
        finally:
            embedded.close()
    finally:
        cluster.close()
    return json.loads(verdicts.read_text())


def main() -> int:
    listed = known_differences() | HERE.keys()
    folder = Path(tempfile.mkdtemp(prefix="stepwell-conformance-"))
    try:
        verdicts = score(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    differing = {case for case, differences in verdicts.items() if differences}
    for case in sorted(differing - listed):
        print(f"differs, and is not known to: {case}")
    return 1 if differing - listed else 0


if __name__ == "__main__":
    sys.exit(main())
