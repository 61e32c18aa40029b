"""Coverage of workflows: what is counted, the reports, pytest's options, workers of pytest-xdist."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from stepwell import Executor, InvalidInput, TaskError
from stepwell.testing import TestExecutor
from stepwell.testing.coverage import Coverage, collecting, html_report, text_report

ODD = 'Ship: <all> & "some" 🦀?'
MACHINE = {
    "StartAt": "Which",
    "States": {
        "Which": {"Type": "Choice", "Default": "Many",
                  "Choices": [{"Variable": "$.n", "NumericGreaterThan": 10, "Next": "Many"},
                              {"Variable": "$.n", "NumericGreaterThan": 5, "Next": ODD}]},
        "Many": {"Type": "Map", "ItemsPath": "$.items", "Next": "Both",
                 "ItemProcessor": {"StartAt": "Each", "States": {"Each": {"Type": "Pass", "End": True}}}},
        "Both": {"Type": "Parallel", "Next": ODD, "Branches": [
            {"StartAt": "Left", "States": {"Left": {"Type": "Pass", "End": True}}},
            {"StartAt": "Right", "States": {"Right": {"Type": "Pass", "End": True}}}]},
        ODD: {"Type": "Task", "Resource": "ship", "End": True,
              "Retry": [{"ErrorEquals": ["Down"]}, {"ErrorEquals": ["Other"]}],
              "Catch": [{"ErrorEquals": ["Gone"], "Next": "Sorry"}, {"ErrorEquals": ["States.ALL"], "Next": "Sorry"}]},
        "Sorry": {"Type": "Fail", "Error": "Sorry"},
    },
}  # fmt: skip
SUITE = """
from stepwell import Executor, TaskError
MACHINE = {machine!r}

def fails(*errors):
    left = list(errors)
    def ship(value):
        if left:
            raise TaskError(left.pop(0))
    return ship

def run(engine, n, items, *errors):
    engine.register("ship", fails(*errors))
    engine.deploy("order", MACHINE)
    return engine.start("order", {{"n": n, "items": items}}).wait(60).status

def test_one(stepwell):
    assert run(stepwell, 1, [1], "Down") == "Succeeded"

def test_two(stepwell):
    assert run(stepwell, 6, [], "Other") == "Succeeded"

def test_three(stepwell):
    assert run(stepwell, 11, [], "Strange") == "Failed"

def test_a_real_engine(stepwell_coverage):
    with Executor() as engine:
        assert run(engine, 6, [], "Gone") == "Failed"
        stepwell_coverage.collect(engine)
"""


def covered(*runs: tuple[int, list[int], str | None]) -> Coverage:
    errors: list[str] = []

    def ship(value: Any) -> Any:
        if errors:
            raise TaskError(errors.pop())
        return value

    coverage = Coverage()
    with collecting(coverage), TestExecutor(handlers={"ship": ship}) as executor:
        executor.deploy("order", MACHINE)
        for n, items, error in runs:
            errors[:] = [error] if error else []
            executor.start("order", {"n": n, "items": items}).wait()
    return coverage


def test_what_is_covered_and_what_was_never_reached() -> None:
    (order,) = covered((6, [], "Down")).workflows
    assert {kind: order.count(kind) for kind in ("state", "rule", "catcher", "retrier", "branch")} == {
        "state": (2, 8),
        "rule": (1, 3),
        "catcher": (0, 2),
        "retrier": (1, 2),
        "branch": (0, 3),
    }
    assert [order.described(element) for element in order.missed] == [
        "rule 0 of Which ($.n > 10)",
        "Default of Which",
        "state Many",
        "state Each",
        "state Both",
        "state Left",
        "state Right",
        f"retrier 1 of {ODD} (Other)",
        f"catcher 0 of {ODD} (Gone)",
        f"catcher 1 of {ODD} (States.ALL)",
        "state Sorry",
    ]
    (rest,) = covered((1, [], None)).workflows
    assert "the iterations of Many" in [rest.described(element) for element in rest.missed]


def test_all_of_it_can_be_covered_and_a_deployed_workflow_that_never_ran_has_none() -> None:
    runs = [(1, [1], "Down"), (6, [], "Other"), (11, [], "Gone"), (11, [], "Strange")]
    everything = covered(*runs)
    assert everything.percent == 100.0
    assert everything.workflows[0].missed == []
    assert covered().percent == 0.0


def test_a_real_engine_with_children_of_distributed_maps_and_executions_that_run_still() -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "In",
                 "States": {"In": {"Type": "Pass", "End": True}}}  # fmt: skip
    machine = {"StartAt": "Far", "States": {"Far": {"Type": "Map", "ItemProcessor": processor, "Next": "Wait"},
                                            "Wait": {"Type": "Wait", "Seconds": 999, "End": True}}}  # fmt: skip
    coverage = Coverage()
    with Executor() as executor:
        executor.deploy("m", machine)
        executor.start("m", [1, 2]).wait_for("Wait", 30)
        coverage.collect(executor)
    assert coverage.percent == 100.0


def test_the_coverages_of_processes_are_combined_and_json_keeps_all_of_it(tmp_path: Path) -> None:
    one, other = covered((1, [1], "Down"), (6, [], "Other")), covered((11, [], "Gone"), (11, [], "Strange"))
    assert one.percent < 100.0 > other.percent
    (tmp_path / "cov.json").write_text(other.to_json())
    one.combine(Coverage.load(tmp_path / "cov.json"))
    assert one.percent == 100.0
    assert Coverage.of_json(one.to_json()).workflows[0].hits == one.workflows[0].hits
    for text in ("[]", '{"workflows": [{}]}', '{"workflows": [{"workflow": "a", "definition": {}, "hits": {"x": 1}}]}'):
        with pytest.raises(InvalidInput, match="not the JSON of a coverage"):
            Coverage.of_json(text)
    with pytest.raises(InvalidInput, match="cannot read"):
        Coverage.load(tmp_path / "none.json")


def test_the_reports_show_what_was_never_reached() -> None:
    coverage = covered((6, [], "Down"))
    lines = text_report(coverage)
    assert lines[0].split() == ["workflow", "states", "rules", "catchers", "retriers", "branches", "cover"]
    assert lines[1].split() == ["order", "2/8", "1/3", "0/2", "1/2", "0/3", "22%"]
    assert "    never reached: rule 0 of Which ($.n > 10)" in lines
    page = html_report(coverage)
    assert "<script" not in page
    assert "<all>" not in page
    drawing = ElementTree.fromstring(coverage.workflows[0].svg())
    texts = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"✕ Sorry", "◐ Which", "order · 22 % covered", "never reached"} <= set(texts)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    (folder / "test_order.py").write_text(SUITE.format(machine=MACHINE))
    return folder


def pytest_run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "stepwell.pytest_plugin", "-p", "no:cacheprovider", *options]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_pytest_prints_a_summary_and_fails_below_the_limit(suite: Path) -> None:
    done = pytest_run(suite, "--stepwell-cov-json=out/c.json", "--stepwell-cov-html=out/c.html")
    assert done.returncode == 0, done.stdout
    assert "stepwell coverage" in done.stdout
    assert "TOTAL" in done.stdout
    document = json.loads((suite / "out" / "c.json").read_text())
    assert (document["percent"], document["workflows"][0]["workflow"]) == (100.0, "order")
    assert (suite / "out" / "c.html").read_text().count("<svg") == 1
    done = pytest_run(suite, "-k", "test_one", "--stepwell-cov-fail-under", "90")
    assert done.returncode == 1
    assert "less than 90 %" in done.stdout
    assert "stepwell coverage" not in pytest_run(suite, "-k", "test_one").stdout


@pytest.mark.skipif(importlib.util.find_spec("xdist") is None, reason="needs pytest-xdist")
def test_the_workers_of_pytest_xdist_are_combined(suite: Path) -> None:
    done = pytest_run(suite, "-n2", "--stepwell-cov-json=x/c.json", "--stepwell-cov-fail-under=100")
    assert done.returncode == 0, done.stdout
    assert json.loads((suite / "x" / "c.json").read_text())["percent"] == 100.0
