"""``stepwell validate``: every problem, each with its place."""

from __future__ import annotations

from pathlib import Path

from cli.support import Machine, Stepwell


def test_a_valid_definition_is_said_to_be_valid(stepwell: Stepwell, machine: Machine) -> None:
    machine({"A": {"Type": "Pass", "End": True}})
    assert stepwell("validate", "machine.json").out == "machine.json: valid\n"
    assert stepwell("validate", "machine.json", "--json").out == ""


def test_each_problem_has_a_line_with_its_place(stepwell: Stepwell, machine: Machine) -> None:
    machine({"A": {"Type": "Pass", "Next": "Nowhere"}, "B": {"Type": "Choice", "Choices": []}})
    finished = stepwell("validate", "machine.json")
    assert finished.code == 1
    lines = finished.out.splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("machine.json: ") for line in lines)
    assert any("Nowhere" in line and "/States/A" in line for line in lines)
    documents = stepwell("validate", "machine.json", "--json").documents
    assert {"severity", "code", "message"} <= set(documents[0])


def test_yaml_is_checked_too(stepwell: Stepwell, tmp_path: Path) -> None:
    (tmp_path / "machine.yml").write_text("StartAt: A\nStates:\n  A: {Type: Pass}\n")
    assert stepwell("validate", "machine.yml").code == 1


def test_a_file_that_is_not_there_is_wrong_usage(stepwell: Stepwell) -> None:
    finished = stepwell("validate", "nowhere.json")
    assert finished.code == 2
    assert finished.error_line() == "cannot read nowhere.json: No such file or directory."
