"""A definition that was accepted runs on, whatever a later version would say of it."""

from __future__ import annotations

from typing import Any

import pytest

from stepwell import Executor
from stepwell.asl import definition as language
from stepwell.errors import InvalidDefinition

WAIT_A_WHILE = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}


def test_a_stricter_version_does_not_strand_what_runs(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with Executor(tmp_path / "data") as ex:
        ex.deploy("wait", WAIT_A_WHILE)
        id = ex.start("wait", {"a": 1}).id

    def refuse(*_: object, **__: object) -> None:
        raise InvalidDefinition("no definition is good enough")

    monkeypatch.setattr(language, "check_definition", refuse)
    with Executor(tmp_path / "data") as ex:
        execution = ex.get(id).wait(timeout=30)
        assert (execution.status, execution.output) == ("Succeeded", {"a": 1})
        with pytest.raises(InvalidDefinition):
            ex.deploy("another", WAIT_A_WHILE)
