"""The examples in docstrings, which the reference shows, do what they say."""

from __future__ import annotations

import asyncio
import doctest
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from stepwell import Executor
from stepwell.testing import TestExecution, TestExecutor

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "python"
MODULES = sorted(
    ".".join(file.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__")
    for file in (SOURCES / "stepwell").rglob("*.py")
    if ">>> " in file.read_text(encoding="utf-8")
)
NEEDS = {
    "stepwell.otel": "opentelemetry.sdk",
    "stepwell.prometheus": "prometheus_client",
    "stepwell.tasks.items.s3": "obstore",
}


def passing(next: str | None) -> dict[str, Any]:
    return {"Type": "Pass", **({"Next": next} if next else {"End": True})}


ORDER = {
    "StartAt": "Reserve",
    "States": {
        "Reserve": passing("Fulfil"),
        "Fulfil": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Pack", "States": {"Pack": passing("Ship"), "Ship": passing(None)}},
                {"StartAt": "Bill", "States": {"Bill": passing(None)}},
            ],
            "Next": "Charge",
        },
        "Charge": {
            "Type": "Task",
            "Resource": "charge",
            "Retry": [{"ErrorEquals": ["Card.Down"]}],
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
}


@pytest.fixture
def execution() -> Iterator[TestExecution]:
    """An order whose card was down once."""
    with TestExecutor() as executor:
        executor.mock.state("Charge").fails("Card.Down").returns({})
        executor.deploy("order", ORDER)
        yield executor.start("order").wait()


@pytest.fixture
def executor() -> Iterator[Executor]:
    with Executor() as executor:
        yield executor


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(
    name: str, executor: Executor, execution: TestExecution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    if name == "stepwell.prometheus":
        monkeypatch.setattr("prometheus_client.start_http_server", lambda port: (port, None))
    monkeypatch.chdir(tmp_path)
    Path("order.asl.json").write_text(json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}))
    module = import_module(name)
    names: dict[str, Any] = {"executor": executor, "execution": execution}
    assert run_examples(module, names) > 0


def run_examples(module: ModuleType, names: dict[str, Any]) -> int:
    """Run a module's examples, and return how many there were; a coroutine ``main`` is run too."""
    attempted = 0
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs=names):
        said: list[str] = []
        result = doctest.DocTestRunner().run(test, out=said.append, clear_globs=False)
        assert result.failed == 0, "".join(said)
        attempted += result.attempted
        if asyncio.iscoroutinefunction(main := test.globs.get("main")):
            asyncio.run(main())
    return attempted
