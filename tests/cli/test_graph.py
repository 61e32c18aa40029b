"""``stepwell graph``: drawings of files, workflows and executions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from cli.support import Machine, Stepwell

STATES = {"Greet": {"Type": "Pass", "Next": "Done"}, "Done": {"Type": "Succeed"}}


def test_a_file_a_workflow_and_an_execution_are_drawn(
    stepwell: Stepwell, machine: Machine, deploy: Callable[..., None], tmp_path: Path
) -> None:
    file = machine(STATES)
    drawn = stepwell("graph", file)
    assert (drawn.code, drawn.out.startswith("<svg")) == (0, True)
    assert stepwell("graph", file, "--format", "mermaid").out.startswith("flowchart TD")
    deploy("greeting", STATES)
    assert stepwell("graph", "greeting", "--data", "data", "--format", "dot").out.startswith("digraph")
    started = stepwell("start", "greeting", "--data", "data", "--wait", "--json")
    id = json.loads(started.out)["id"]
    drawn = stepwell("graph", id, "--data", "data", "--output", "it.svg")
    assert (drawn.code, drawn.out.strip()) == (0, "wrote it.svg")
    assert "✓ Greet" in (tmp_path / "it.svg").read_text()


def test_what_is_not_there_and_what_is_not_valid_are_refused(stepwell: Stepwell, machine: Machine) -> None:
    assert stepwell("graph", "nothing").code == 2
    assert stepwell("graph", machine({"A": {"Type": "Pass", "Next": "B"}})).code == 2
    written = stepwell("graph", machine(STATES), "--output", "no/such/folder.svg")
    assert (written.code, "cannot write" in written.err) == (2, True)
