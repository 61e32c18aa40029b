"""Workflows by version: started, listed, deleted; and what a deletion leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine.support import ACTIVITY, machine, passing, task
from stepwell import (
    AsyncExecutor,
    Execution,
    ExecutionRunning,
    Executor,
    Follower,
    Limits,
    NotRedrivable,
    TaskError,
    WorkflowNotFound,
)
from stepwell.engine.storage.contexts import WorkflowContext

WAITS = machine({"W": task(resource=ACTIVITY)})


def giving(result: Any) -> dict[str, Any]:
    """A definition whose output is ``result``."""
    return machine({"P": passing(Result=result)})


def test_older_versions_are_started_and_listed(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    for number in range(1, 12):
        assert repr(ex.deploy("order", giving(number))) == f"<Workflow order:{number}>"
    ex.deploy("order-2", giving(0))
    assert sorted(workflow.id for workflow in ex.workflows()) == ["order-2:1", "order:11"]
    assert [workflow.version for workflow in ex.workflows("order")] == list(range(11, 0, -1))
    assert [workflow.id for workflow in ex.workflows("order:3")] == ["order:3"]
    assert (ex.workflow("order").version, ex.workflow("order:3").version) == (11, 3)
    old, new = ex.start("order:3").wait(60), ex.start("order").wait(10)
    assert (old.output, old.version, old.workflow) == (3, 3, "order")
    assert (new.output, new.version) == (11, 11)


def test_a_version_of_an_express_workflow_runs_synchronously() -> None:
    with Executor() as ex:
        ex.deploy("quick", giving(1), type="EXPRESS")
        ex.deploy("quick", giving(2), type="EXPRESS")
        assert ex.start_sync("quick:1")["output"] == "1"
        assert ex.start_sync("quick")["output"] == "2"


@pytest.mark.parametrize(
    "name", ["order:0", "order:2", "order:", "order:x", "order:-1", "order:1:1", "order:²", "o:1", 7]
)
def test_a_version_that_is_not_there(name: Any) -> None:
    with Executor() as ex:
        ex.deploy("order", giving(1))
        for call in (ex.start, ex.workflow, ex.workflows, ex.start_sync, ex.delete_workflow):
            with pytest.raises(WorkflowNotFound):
                call(name)


def test_a_workflow_that_runs_is_not_deleted(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("order", WAITS)
    started = [ex.start("order"), *(ex.start("order", n) for n in range(4)), ex.start("order", delay=3600)]
    for execution in started:
        with pytest.raises(ExecutionRunning, match="'order' have not ended"):
            ex.delete_workflow("order")
        assert ex.workflow("order").version == 1
        execution.stop().wait(60)
    ex.delete_workflow("order")
    assert ex.workflows() == []


def test_what_a_deleted_workflow_leaves(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere(handlers={"h": fails})
    ex.deploy("order", giving(1))
    ended = ex.start("order", 1, "one").wait(60)
    ex.deploy("order", machine({"T": task(resource="h")}))
    failed = ex.start("order").wait(60)
    ex.delete_workflow("order")
    for name in ("order", "order:1", "order:2"):
        with pytest.raises(WorkflowNotFound):
            ex.start(name)
        with pytest.raises(WorkflowNotFound):
            ex.delete_workflow(name)
    assert (ended.output, len(ended.history()), ex.get(ended.id).aws_status) == (1, 4, "SUCCEEDED")
    assert set(ex.list("order")) == {ended, failed}
    assert ex.get(workflow="order", name="one") == ended
    with pytest.raises(NotRedrivable, match="was deleted"):
        ex.redrive(failed.id)
    assert ex.deploy("order", giving(3)).id == "order:3"
    assert [workflow.id for workflow in ex.workflows("order")] == ["order:3"]
    with pytest.raises(WorkflowNotFound, match="no version 2"):
        ex.start("order:2")
    assert ex.start("order").wait(60).output == 3
    with pytest.raises(NotRedrivable, match="was deleted"):
        ex.redrive(failed.id)
    ex.delete(ended.id)
    assert len(failed.history()) == 6


def fails(input: Any) -> None:
    raise TaskError("Broken")


@pytest.mark.parametrize("partitions", [1, 2])
def test_a_deletion_outlives_the_process(partitions: int, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with Executor(folder, partitions=partitions) as ex:
        ex.deploy("order", giving(1))
        ex.deploy("order", giving(2))
        ex.deploy("other", giving(0))
        ended = [ex.start("order:1", n).wait(60) for n in range(4)]
        ex.delete_workflow("order")
    with Executor(folder, partitions=partitions) as ex:
        assert [workflow.id for workflow in ex.workflows()] == ["other:1"]
        assert [len(ex.history(each.id)) for each in ended] == [4] * 4
        for each in ended:
            ex.delete(each.id)
    with Executor(folder, partitions=partitions) as ex:
        rows = [(row.version, row.definition, row.deleted) for row in ex.storage.scan(WorkflowContext, "order")]
        assert rows == [(2, b"", True)]  # the number alone, so that it is not given again
        assert ex.deploy("order", giving(3)).id == "order:3"
    with Executor(folder, partitions=partitions) as ex:
        assert [workflow.id for workflow in ex.workflows("order")] == ["order:3"]
        assert ex.start("order").wait(60).output == 3


def test_definitions_of_a_deleted_workflow_go_with_its_last_execution() -> None:
    with Executor(limits=Limits(retention=0.2)) as ex:
        ex.deploy("order", giving(1))
        ex.start("order").wait(60)
        kept = ex.start("order").wait(60)
        ex.delete_workflow("order")
        while ex.list("order"):
            pass
        with pytest.raises(WorkflowNotFound):
            ex.start("order")
        assert kept.output == 1
        (row,) = ex.storage.scan(WorkflowContext, "order")
        assert (row.definition, row.deleted) == (b"", True)


def test_starts_and_a_deletion_at_once_leave_no_execution_of_a_deleted_workflow(
    anywhere: Callable[..., Executor],
) -> None:
    ex = anywhere()
    for _ in range(5):
        ex.deploy("order", WAITS)
        is_deleted, running = start_while_it_is_deleted(ex)
        assert not (is_deleted and running)
        assert [workflow.name for workflow in ex.workflows()] == ([] if is_deleted else ["order"])
        for execution in running:
            execution.stop().wait(60)


def start_while_it_is_deleted(ex: Executor) -> tuple[bool, list[Execution]]:
    """Start "order" in two threads, and delete it; whether that was done, and what was started."""
    begin = threading.Barrier(3)
    started: list[Execution] = []

    def start() -> None:
        begin.wait()
        with suppress(WorkflowNotFound):
            started.append(ex.start("order"))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    begin.wait()
    try:
        ex.delete_workflow("order")
    except ExecutionRunning:
        is_deleted = False
    else:
        is_deleted = True
    for thread in threads:
        thread.join()
    return is_deleted, started


def test_a_follower_sees_a_deletion(tmp_path: Path) -> None:
    with Executor(tmp_path / "leader") as ex, Follower(tmp_path / "leader", tmp_path / "copy") as follower:
        ex.deploy("order", giving(1))
        ended = ex.start("order").wait(60)
        ex.delete_workflow("order")
        assert follower.wait_level(20)
        assert follower.workflows() == []
        assert len(follower.history(ended.id)) == 4
        with pytest.raises(WorkflowNotFound):
            follower.workflow("order")


def test_the_same_awaited() -> None:
    async def main() -> None:
        async with AsyncExecutor() as ex:
            await ex.deploy("order", giving(1))
            await ex.deploy("order", WAITS)
            assert (await (await ex.start("order:1")).wait(60)).output == 1
            running = await ex.start("order")
            with pytest.raises(ExecutionRunning):
                await ex.delete_workflow("order")
            await (await running.stop()).wait(60)
            assert [workflow.id for workflow in await ex.workflows("order")] == ["order:2", "order:1"]
            await ex.delete_workflow("order")
            assert await ex.workflows() == []
            with pytest.raises(WorkflowNotFound):
                await ex.workflows("order")

    asyncio.run(main())
