"""Executions by their names, short ids and ARNs; what a start does whose name is taken."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.support import machine, passing
from stepwell import (
    AsyncExecutor,
    ExecutionAlreadyExists,
    ExecutionNotFound,
    Executor,
    InvalidInput,
    StepwellError,
    WorkflowNotFound,
)
from stepwell.engine.ids import id_of_name

DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
PASSES = machine({"P": passing()})
WAITS = machine({"W": {"Type": "Wait", "Seconds": 3600, "End": True}})


def test_by_workflow_and_name(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("passes", PASSES)
    ex.deploy("other", PASSES)
    named, unnamed = ex.start("passes", 1, "order-1"), ex.start("passes", 2)
    assert ex.get(workflow="passes", name="order-1") == named
    assert ex.get(workflow="passes:1", name="order-1") == named
    assert ex.get(workflow="passes", name=unnamed.name) == unnamed
    for workflow, name in [("other", "order-1"), ("passes:2", "order-1"), ("passes", "x"), ("other", unnamed.name)]:
        with pytest.raises(ExecutionNotFound, match="no execution"):
            ex.get(workflow=workflow, name=name)
    with pytest.raises(WorkflowNotFound):
        ex.get(workflow="passes:x", name="order-1")
    ex.delete(named.wait(60).id)
    with pytest.raises(ExecutionNotFound):
        ex.get(workflow="passes", name="order-1")


def test_an_execution_without_a_name_is_called_by_a_uuid() -> None:
    spread = {"Type": "Map", "End": True, "ItemProcessor": {**PASSES, "ProcessorConfig": DISTRIBUTED}}
    with Executor(tenant="acme") as ex:
        ex.deploy("spreads", machine({"M": spread}))
        executions = [ex.start("spreads", [1, 2]).wait(60), ex.start("spreads", [3]).wait(10)]
        executions += [child for each in executions for child in ex.list(parent=each.id)]
        names = [each.name for each in executions]
        assert len(set(names)) == len(names) == 5
        for each in executions:
            assert (uuid.UUID(each.name).version, str(uuid.UUID(each.name))) == (4, each.name)
            assert ex.get(each.arn) == each
            # A name that only looks like one of ours, as users' own UUIDs do, is looked for among the names given.
            digit = "1" if each.name[0] == "0" else "0"
            assert id_of_name("acme", "default", each.name) == each.id
            assert id_of_name("acme", "default", digit + each.name[1:]) is None
        given = str(uuid.uuid4())
        named = ex.start("spreads", [], given)
        assert ex.get(workflow="spreads", name=given) == ex.get(named.arn) == named


@pytest.mark.parametrize("given", [{}, {"id": "x", "workflow": "w", "name": "n"}, {"workflow": "w"}, {"name": "n"}])
def test_a_get_that_says_too_little_or_too_much_is_refused(given: dict[str, str]) -> None:
    with Executor() as ex, pytest.raises(InvalidInput, match="by its id, or by its workflow and its name"):
        ex.get(**given)


@pytest.mark.parametrize(
    ("tenant", "namespace"),
    [("default", "default"), ("acme", "default"), ("Ärzte.de", "a-b_c"), ("e1234567", "0" * 16)],
)
def test_an_id_has_a_form_for_urls(tenant: str, namespace: str) -> None:
    with Executor(tenant=tenant, namespace=namespace) as ex:
        ex.deploy("passes", PASSES)
        execution = ex.start("passes", 7).wait(60)
        short = execution.short_id
        assert re.fullmatch(r"[A-Za-z0-9_-]+", short)
        assert ex.get(short) == ex.get(execution.arn) == execution
        assert ex.context(short).id == execution.id
        assert ex.history(short) == ex.history(execution.arn) == execution.history()
        assert ex.list_map_runs(short) == []
        assert ex.stop(short).id == execution.id
        assert ex.open_tasks(short) == []
        ex.delete(short)
        with pytest.raises(ExecutionNotFound):
            ex.get(execution.id)


@pytest.mark.parametrize(
    "id",
    [
        "",
        "x",
        "e1234567-0123456789abcdef",
        "a-b-e1234567-0123456789abcdef",
        "_ff-b-e1234567-0123456789abcdef",
        "arn:aws:states:us-east-1:000000000000:execution:passes:nobody",
        "arn:aws:states:us-east-1:000000000000:express:passes:nobody:0",
        "arn:aws:states:us-east-1:000000000000:stateMachine:passes",
        "/default/default/e1234567/0123456789abcdef",
        7,
        b"x",
    ],
)
def test_an_id_of_nothing_is_not_found(id: object) -> None:
    with Executor() as ex:
        ex.deploy("passes", PASSES)
        for call in (ex.get, ex.context, ex.history, ex.stop, ex.delete, ex.redrive, ex.list_map_runs, ex.open_tasks):
            with pytest.raises(ExecutionNotFound):
                call(id)  # type: ignore[operator]


def test_express_executions_by_arn_and_name() -> None:
    with Executor() as ex:
        ex.deploy("quick", PASSES, type="EXPRESS")
        older, newer = (ex.start("quick", n, "same").wait(60) for n in (1, 2))
        assert older != newer
        assert (ex.get(older.arn), ex.get(newer.arn)) == (older, newer)
        assert ex.get(workflow="quick", name="same") == newer
        with pytest.raises(ExecutionNotFound):
            ex.get(older.arn[:-1] + "x")


def test_a_start_whose_name_is_taken(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("waits", WAITS)
    first = ex.start("waits", {"a": 1}, "one", if_exists="raise")
    assert ex.start("waits", {"a": 1}, "one") == first  # AWS's rule: the same input, while it runs
    assert ex.start("waits", {"b": 2}, "one", if_exists="return") == first
    for input in ({"a": 1}, {"b": 2}):
        with pytest.raises(ExecutionAlreadyExists, match="belongs to execution") as refusal:
            ex.start("waits", input, "one", if_exists="raise")
        assert refusal.value.execution_id == first.id
    first.stop().wait(60)
    assert ex.start("waits", {"b": 2}, "one", if_exists="return") == first
    with pytest.raises(ExecutionAlreadyExists):
        ex.start("waits", {"a": 1}, "one", if_exists="raise")
    assert ex.start("waits", 1, "two", if_exists="return") != first


def test_an_async_start_whose_name_is_taken() -> None:
    async def main() -> None:
        async with AsyncExecutor() as ex:
            await ex.deploy("waits", WAITS)
            first = await ex.start("waits", 1, "one", if_exists="raise")
            assert await ex.start("waits", 2, "one", if_exists="return") == first
            with pytest.raises(ExecutionAlreadyExists):
                await ex.start("waits", 1, "one", if_exists="raise")
            assert await ex.get(workflow="waits", name="one") == await ex.get(first.short_id) == first
            with pytest.raises(ExecutionNotFound):
                await ex.get(workflow="waits", name="two")

    asyncio.run(main())


def test_names_of_express_executions_are_unique_for_those_who_ask(tmp_path: Path) -> None:
    with Executor(tmp_path) as ex:
        ex.deploy("quick", PASSES, type="EXPRESS")
        first = ex.start("quick", 1, "one", if_exists="raise").wait(60)
        assert ex.start("quick", 2, "one", if_exists="return") == first
    with Executor(tmp_path) as ex:
        assert ex.start("quick", 3, "one", if_exists="return").id == first.id


@pytest.mark.parametrize(("name", "if_exists"), [(None, "return"), ("n", "Return"), ("n", True), ("n", "")])
def test_an_unknown_if_exists_is_refused(name: str | None, if_exists: object) -> None:
    with Executor() as ex:
        ex.deploy("passes", PASSES)
        with pytest.raises(StepwellError, match="if_exists"):
            ex.start("passes", execution_name=name, if_exists=if_exists)  # type: ignore[arg-type]
        assert ex.list() == []
