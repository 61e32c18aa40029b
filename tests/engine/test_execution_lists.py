"""Lists of executions with filters: by time, by the beginning of the name, by version; read as one iterates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.support import ACTIVITY, machine, passing, task
from stepwell import AsyncExecutor, Execution, ExecutionNotFound, Executor, InvalidInput, MapRunNotFound
from stepwell.engine.client import execution_lists
from stepwell.engine.client.statuses import StatusFilter
from stepwell.engine.storage.contexts import VisibilityContext

PASSES = machine({"P": passing()})
WAITS = machine({"W": task(resource=ACTIVITY)})


def started(ex: Executor, workflow: str, names: list[str]) -> list[Execution]:
    """Executions that have ended, each started after the one before."""
    executions = []
    for name in names:
        executions.append(ex.start(workflow, execution_name=name).wait(60))
        time.sleep(0.002)
    return executions


def test_by_the_beginning_of_the_name(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("w", PASSES)
    order_1, invoice, order_2 = started(ex, "w", ["order-1", "invoice-1", "order-2"])
    assert ex.list(name_prefix="order-") == [order_2, order_1]
    assert ex.list(name_prefix="order-", limit=1) == [order_2]
    assert ex.list(name_prefix="order-1") == [order_1]
    assert ex.list(name_prefix="") == [order_2, invoice, order_1]
    assert ex.list(name_prefix="rder") == []


def test_by_time_in_halves_that_meet(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("w", PASSES)
    ex.deploy("v", PASSES)
    every = [each for n in range(4) for each in started(ex, "w" if n % 2 else "v", [f"e{n}"])]
    for index, execution in enumerate(every):
        at = execution.started_at
        assert ex.list(started_after=at) == every[index:][::-1]
        assert ex.list(started_before=at) == every[:index][::-1]
        assert ex.list(started_after=at, started_before=at + timedelta(microseconds=1)) == [execution]
        assert ex.list(started_before=at.timestamp() - 100) == []
    assert ex.list(started_after=datetime.now(UTC) + timedelta(days=1)) == []
    assert ex.list(started_after=-5, started_before=float("inf")) == every[::-1]


def test_time_that_is_not_wanted_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with Executor() as ex:
        ex.deploy("w", PASSES)
        every = started(ex, "w", [f"e{n}" for n in range(30)])
        read: list[VisibilityContext] = []
        scan = ex.storage.scan

        def counting(*key: object, **options: object) -> list[VisibilityContext]:
            rows = scan(*key, **options)  # type: ignore[call-overload]
            read.extend(rows)
            return rows

        monkeypatch.setattr(ex.storage, "scan", counting)
        monkeypatch.setattr(execution_lists, "PAGE", 4)
        asked: dict[str, Any] = {"started_after": every[10].started_at, "started_before": every[13].started_at}
        assert ex.list("w", **asked) == every[10:13][::-1]
        assert len(read) <= 2 * 4


def test_by_version(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("w", PASSES)
    old = ex.start("w").wait(60)
    ex.deploy("w", machine({"Q": passing()}))
    new, again = ex.start("w").wait(60), ex.start("w:1").wait(10)
    assert set(ex.list("w:1")) == {old, again}
    assert ex.list("w:2") == [new]
    assert ex.list("w:3") == []
    assert len(ex.list("w")) == 3


def test_an_iteration_reads_as_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_lists, "PAGE", 3)
    with Executor() as ex:
        ex.deploy("w", PASSES)
        every = started(ex, "w", [f"e{n}" for n in range(10)])
        found = ex.executions("w")
        assert isinstance(found, Iterator)
        assert next(found) == every[-1]
        for execution in every[:5]:
            ex.delete(execution.id)
        assert list(found) == every[5:-1][::-1]


@pytest.mark.parametrize("status", ["Done", "", [None], ["Failed", None], [""], [["Failed"]], [{}], 3])
def test_what_is_no_status_is_refused(status: Any) -> None:
    with Executor() as ex, pytest.raises(InvalidInput, match="status"):
        ex.list(status=status)


def test_an_async_iteration() -> None:
    async def main() -> None:
        async with AsyncExecutor() as ex:
            await ex.deploy("w", PASSES)
            for number in range(40):
                await (await ex.start("w", number)).wait(60)
            assert [each.input async for each in ex.executions("w", status=["SUCCEEDED"])] == list(range(39, -1, -1))
            assert [each.input for each in await ex.list("w", limit=3)] == [39, 38, 37]
            with pytest.raises(InvalidInput, match="no status"):
                async for _ in ex.executions(status="Done"):
                    pass

    asyncio.run(main())


@pytest.mark.parametrize("page", [1, 2, 5])
def test_one_that_goes_on_while_its_list_is_read_is_given_once(page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_lists, "PAGE", page)
    with Executor() as ex:
        ex.deploy("w", WAITS)
        every = [ex.start("w", n) for n in range(8)]
        found = []
        for execution in ex.executions():
            found.append(execution)
            for other in (every[0], every[len(every) - len(found) - 1]):  # the last one, and the next one
                if other.status == "Running":
                    other.complete("W", None)
                    other.wait(60)
        assert sorted(each.input for each in found) == list(range(8))


class Moving:
    """A storage in which an execution goes from one list to another after so many pages."""

    def __init__(self, rows: list[VisibilityContext], moves_after: int) -> None:
        self.rows, self._moves_after = rows, moves_after

    def scan(self, kind: type, workflow: str, status: str, *, after: Any, limit: int) -> list[VisibilityContext]:
        self._moves_after -= 1
        if self._moves_after == 0:
            for row in self.rows:
                if row.status == "Running":
                    row.status = "Succeeded"
        rows = sorted((-row.started_at, row.execution_id) for row in self.rows if row.status == status)
        behind = None if after is None else (-after[2], after[3])
        chosen = [place for place in rows if behind is None or place > behind][:limit]
        return [row for place in chosen for row in self.rows if (-row.started_at, row.execution_id) == place]


@pytest.mark.parametrize("moves_after", range(1, 24))
def test_no_moment_of_going_on_hides_an_execution(moves_after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_lists, "PAGE", 2)
    statuses = ["Running", "Succeeded", "Running", "Failed", "Succeeded", "Running", "Running", "Succeeded"]
    rows = [VisibilityContext("w", status, 9 - n, f"e{n}", "n", 0) for n, status in enumerate(statuses)]
    storage: Any = Moving(rows, moves_after)
    wanted = execution_lists.Filter(StatusFilter.of(None))
    found = execution_lists.rows(storage, ["w"], wanted, lambda row: False)
    assert [row.execution_id for row in found] == [f"e{n}" for n in range(8)]


@pytest.mark.parametrize(
    ("asked", "error", "text"),
    [
        ({"started_after": datetime(2026, 1, 1)}, InvalidInput, "time zone"),
        ({"started_before": "yesterday"}, InvalidInput, "started_before"),
        ({"started_after": True}, InvalidInput, "started_after"),
        ({"started_after": float("nan")}, InvalidInput, "started_after"),
        ({"name_prefix": 7}, InvalidInput, "name"),
        ({"status": 7}, InvalidInput, "status"),
        ({"status": [7]}, InvalidInput, "no status"),
        ({"parent": "e1234567-0123456789abcdef"}, ExecutionNotFound, "no execution"),
        ({"map_run": "x"}, MapRunNotFound, "map run"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once(asked: dict[str, Any], error: type[Exception], text: str) -> None:
    with Executor() as ex:
        with pytest.raises(error, match=text):
            ex.executions(**asked)
        with pytest.raises(error, match=text):
            ex.list(**asked)
