"""``stepwell cluster``: the nodes of a cluster, who leads what, and whether the copies are sound."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .cluster_options import add_cluster, add_monitors, cluster_of
from .cluster_snapshots import add_check_options, add_restore, held, shown_held, snapshot_problems, take_snapshots
from .console import Console
from .exits import FAILED, OK
from .options import Commands, add_command

if TYPE_CHECKING:
    from stepwell.engine.cluster.overview import Overview


def add_commands(commands: Commands) -> None:
    """Add ``cluster`` and what it can do."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "cluster", help="look at a cluster of nodes, and move its partitions", description=__doc__
    )
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add(actions, "status", _status, "say which nodes live, and who leads which partition")
    move = _add(actions, "move", _move, "let a node lead a partition, as long as it lives")
    move.add_argument("partition", type=int, metavar="PARTITION")
    move.add_argument("node", metavar="NODE", nargs="?", help="default: the node that is preferred anyway")
    check = _add(actions, "check", _check, "compare the copies with the streams; exits with 1 if something is wrong")
    add_check_options(check)
    add_monitors(check, "--monitors")
    forget = _add(actions, "forget", _forget, "let a dead node that does not come back be no fault any more")
    forget.add_argument("node", metavar="NODE")
    snapshot = _add(actions, "snapshot", take_snapshots, "have snapshots made now, which are the cluster's backup")
    snapshot.add_argument("partition", type=int, metavar="PARTITION", nargs="?", help="default: all")
    add_restore(actions)


def _add(
    actions: Commands, name: str, run: Callable[[argparse.Namespace, Console, Overview], int], help: str
) -> argparse.ArgumentParser:
    parser = add_command(actions, name, partial(_with_cluster, run), help)
    add_cluster(parser, required=True)
    return parser


def _with_cluster(
    run: Callable[[argparse.Namespace, Console, Overview], int], options: argparse.Namespace, console: Console
) -> int:
    from stepwell.engine.cluster.overview import Overview

    overview = Overview(cluster_of(options, monitors=getattr(options, "monitors", ())))
    try:
        return run(options, console, overview)
    finally:
        overview.close()


def _status(options: argparse.Namespace, console: Console, overview: Overview) -> int:
    nodes, partitions = overview.nodes(), overview.partitions()
    for partition, stream in zip(partitions, overview.streams(), strict=True):
        partition |= held(overview, stream)
    record = {"cluster": overview.options.name, "id": overview.record.id, "nodes": nodes, "partitions": partitions}
    if console.as_json:
        console.document(record)
        return OK
    console.record(record, f"cluster {overview.options.name} ({overview.record.id})\n")
    console.table(
        ({**node, "leads": _numbers(node["leads"])} for node in nodes), ("node", "alive", "version", "address", "leads")
    )
    console.record({}, "")
    columns = ("partition", "leader", "epoch", "pinned", "copies", "stream", "snapshots", "problems")
    console.table(map(_shown, partitions), columns)
    return OK


def _shown(partition: dict[str, Any]) -> dict[str, Any]:
    copies = " ".join(f"{node}:{position}" for node, position in partition["copies"].items())
    problems = "; ".join(f"{node}: {problem}" for node, problem in partition["problems"].items())
    return {**partition, **shown_held(partition), "copies": copies, "problems": problems}


def _numbers(numbers: list[int]) -> str:
    return " ".join(map(str, numbers))


def _move(options: argparse.Namespace, console: Console, overview: Overview) -> int:
    overview.move(options.partition, options.node)
    who = options.node or "the node that is preferred"
    console.record({"partition": options.partition, "node": options.node}, f"partition {options.partition}: {who}")
    return OK


def _forget(options: argparse.Namespace, console: Console, overview: Overview) -> int:
    overview.forget(options.node)
    console.record({"node": options.node}, f"node {options.node} is not expected back")
    return OK


def _check(options: argparse.Namespace, console: Console, overview: Overview) -> int:
    from stepwell.engine.cluster.sync_check import NOT_CHECKED, look_at_sync

    alive = {node["node"] for node in overview.nodes() if node["alive"]}
    wrong = [f"node {node} is dead, or not reached" for node in overview.missing(alive)]
    for partition, stream in zip(overview.partitions(), overview.streams(), strict=True):
        wrong += _problems(partition, stream, alive) + snapshot_problems(overview, stream, replay=options.replay)
    wrong += overview.unsaved(alive)
    notes: list[str] = []
    if options.monitors:
        faults = look_at_sync(options.monitors)
        wrong += [*faults.refused, *faults.unknown]
    else:
        notes.append(f"not checked: {NOT_CHECKED}")
    console.record({"problems": wrong, "notes": notes}, "\n".join([*(wrong or ["nothing is wrong"]), *notes]))
    return FAILED if wrong else OK


def _problems(partition: dict[str, Any], stream: dict[str, Any], alive: set[str]) -> list[str]:
    where = f"partition {partition['partition']}"
    wrong = [f"{where}, node {node}: {problem}" for node, problem in partition["problems"].items()]
    if "problem" in stream:
        return [*wrong, f"{where}: {stream['problem']}"]
    if partition["leader"] not in alive:
        wrong.append(f"{where} is led by nobody")
    if stream["leader"] is None:
        wrong.append(f"{where}: its stream has no leader: NATS servers are missing")
    for name, current, offline, lag in stream["followers"]:
        if offline or not current:
            wrong.append(f"{where}: replica {name} is {'offline' if offline else f'{lag} messages behind'}")
    ahead = max(partition["copies"].values(), default=0)
    wrong += [f"{where}: node {node} has no copy" for node in sorted(alive - partition["copies"].keys())]
    if partition["problems"]:
        longest = [node for node, position in partition["copies"].items() if position == ahead]
        wrong.append(f"{where}: the longest copy, up to position {ahead}, is that of {', '.join(longest)}")
    return wrong
