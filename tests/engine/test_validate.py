"""``stepwell.validate``: a definition's problems as a list, as deploying it under a profile has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.support import machine, passing, task
from stepwell import Diagnostic, Executor, InvalidDefinition, InvalidInput, validate

BROKEN = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "C": {"Type": "Succeed", "End": True}}}


def test_every_problem_with_its_place() -> None:
    found = validate(BROKEN)
    assert all(isinstance(each, Diagnostic) for each in found)
    assert {(each.severity, each.code, each.location) for each in found} >= {
        ("ERROR", "MISSING_TRANSITION_TARGET", "/States/A/Next")
    }
    assert validate(machine({"P": passing()})) == []


def test_text_and_files_as_deploy_takes_them(tmp_path: Path) -> None:
    text = json.dumps(BROKEN)
    (tmp_path / "broken.json").write_text(text)
    (tmp_path / "broken.yaml").write_text("StartAt: A\nStates: {}\n")
    assert validate(text) == validate(text.encode()) == validate(tmp_path / "broken.json") == validate(BROKEN)
    assert [each.severity for each in validate(str(tmp_path / "broken.yaml"))] == ["ERROR"]
    assert [each.code for each in validate("{")] == ["INVALID_JSON_DESCRIPTION"]
    with pytest.raises(InvalidDefinition):
        validate(tmp_path / "missing.json")
    with pytest.raises(InvalidDefinition):
        validate(7)  # type: ignore[arg-type]


def test_warnings_do_not_refuse() -> None:
    never = task(resource="h", Retry=[{"ErrorEquals": ["A"]}, {"ErrorEquals": ["A"]}])
    assert {each.severity for each in validate(machine({"T": never}))} == {"WARNING"}


@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
@pytest.mark.parametrize("profile", ["default", "aws"])
@pytest.mark.parametrize(
    "definition",
    [
        machine({"T": task(resource="handler")}),
        machine({"T": task(resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken")}),
        machine({"T": task()}),
        machine({"P": passing()}, Comment="x" * (1 << 20)),
        BROKEN,
    ],
    ids=["a handler's name", "a token", "a function", "large", "broken"],
)
def test_it_finds_an_error_where_deploy_refuses(definition: dict[str, Any], profile: str, type: str) -> None:
    found = [each for each in validate(definition, type=type, profile=profile) if each.severity == "ERROR"]
    with Executor(profile=profile) as ex:
        if not found:
            assert ex.deploy("w", definition, type=type).version == 1
            return
        with pytest.raises(InvalidDefinition) as refusal:
            ex.deploy("w", definition, type=type)
        assert [each for each in refusal.value.diagnostics if each in found] == found


def test_an_unknown_profile_or_type_is_refused() -> None:
    with pytest.raises(InvalidInput, match="profile"):
        validate(machine({"P": passing()}), profile="gcp")
    with pytest.raises(InvalidInput, match="type"):
        validate(machine({"P": passing()}), type="FAST")
