"""Lists of executions: the newest first, across workflows and statuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.support import machine, passing
from stepwell import Executor, InvalidInput
from stepwell.engine.client import execution_lists
from stepwell.engine.status import STATUSES
from stepwell.engine.storage.contexts import VisibilityContext

STATES = {
    "Succeeded": machine({"P": passing()}),
    "Failed": machine({"F": {"Type": "Fail"}}),
    "Running": machine({"W": {"Type": "Wait", "Seconds": 3600, "End": True}}),
}


@pytest.fixture(scope="module")
def ex() -> Iterator[Executor]:
    """An executor with five workflows, each with executions of three kinds."""
    with Executor() as executor:
        started = []
        for number in range(45):
            status = list(STATES)[number % 3]
            name = f"{status.lower()}-{number % 5}"
            executor.deploy(name, STATES[status])
            started.append(executor.start(name, number))
        for execution, status in zip(started, list(STATES) * 15, strict=True):
            if status != "Running":
                execution.wait(60)
        yield executor


def numbers(ex: Executor, **options: object) -> list[int]:
    return [execution.input for execution in ex.list(**options)]  # type: ignore[arg-type]


@pytest.mark.covers("A16.76")
def test_the_newest_come_first(ex: Executor) -> None:
    assert numbers(ex) == list(range(44, -1, -1))


@pytest.mark.covers("A16.76")
@pytest.mark.parametrize("limit", [1, 2, 7, 44, 45, 46])
def test_a_limit_keeps_the_newest(ex: Executor, limit: int) -> None:
    assert numbers(ex, limit=limit) == list(range(44, -1, -1))[:limit]


@pytest.mark.parametrize("page", [1, 2, 3])
def test_groups_are_read_page_by_page(ex: Executor, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_lists, "PAGE", page)
    assert numbers(ex, limit=44) == list(range(44, 0, -1))
    assert numbers(ex, status="Failed", limit=5) == [43, 40, 37, 34, 31]


@pytest.mark.covers("A16.76")
def test_by_workflow_and_by_status(ex: Executor) -> None:
    for index, status in enumerate(STATES):
        assert numbers(ex, status=status) == [n for n in range(44, -1, -1) if n % 3 == index]
    assert numbers(ex, workflow="failed-1") == [n for n in range(44, -1, -1) if n % 3 == 1 and n % 5 == 1]
    assert numbers(ex, workflow="failed-1", status="Failed", limit=1) == [31]
    assert numbers(ex, workflow="failed-1", status="Running") == []
    assert numbers(ex, workflow="nothing") == []
    assert numbers(ex, workflow="failed") == []  # the beginning of a name is not the name


def test_statuses_without_executions_are_empty(ex: Executor) -> None:
    for status in set(STATUSES) - set(STATES):
        assert ex.list(status=status) == []


@pytest.mark.parametrize("status", ["", "running", "Done", ["Failed", "Done"]])
def test_an_unknown_status_is_refused(ex: Executor, status: str) -> None:
    with pytest.raises(InvalidInput, match="Succeeded"):
        ex.list(status=status)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_list_without_places_is_refused(ex: Executor, limit: int) -> None:
    with pytest.raises(InvalidInput, match="limit"):
        ex.list(limit=limit)


def test_a_long_list_reads_a_page_a_group_and_no_more_than_it_gives(
    ex: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    scan = ex.storage.scan

    def counting(*key: object, **options: object) -> list[VisibilityContext]:
        rows = scan(*key, **options)  # type: ignore[call-overload]
        read.append(len(rows))
        return rows

    monkeypatch.setattr(ex.storage, "scan", counting)
    monkeypatch.setattr(execution_lists, "PAGE", 2)
    assert len(ex.list(limit=4)) == 4
    assert sum(read) <= 15 + 15 * 2 + 4  # a row a workflow; a page a workflow; what was gone on with
