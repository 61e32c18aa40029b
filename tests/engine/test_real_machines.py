"""Definitions from practice: each validates, and runs to an end whatever its tasks answer.

Tasks are faked: all succeed, with an answer made of the names and constants that the definition itself reads, or all
fail. What an execution comes to is its own affair, States.Runtime over an answer that does not fit included. What
counts is that it ends, and that nothing but the language's own errors comes up.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepwell import _core
from stepwell.asl.paths import compile_reference_path
from stepwell.asl.resources import Resource
from stepwell.asl.validate import ERROR, validate
from stepwell.asl.yaml import load_yaml
from stepwell.engine.limits import limits_of
from stepwell.engine.partition.partition import Partition
from stepwell.engine.state.map_run import READ_ITEMS
from stepwell.errors import InvalidDefinition
from stepwell.testing.scripted import ScriptedRun, ScriptedTasks
from stepwell.testing.virtual import VirtualClock

OWN = Path(__file__).parent / "machines"
SHARED = Path(os.environ.get("STEPWELL_SHARED") or Path(__file__).parents[3] / "shared") / "real-machines"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
ANSWERS = 300
"""After so many answers all tasks fail: a machine that polls must come to an end."""


def definitions() -> Iterator[Any]:
    for folder in (OWN, SHARED):
        for path in sorted(folder.glob("*.asl.*")) + sorted(folder.glob("*_statemachine.json")):
            yield pytest.param(path, id=f"{folder.name}/{path.name}")


def read(path: Path) -> dict[str, Any]:
    """A definition with its placeholders filled in."""
    text = re.sub(r"\$\{[^}]*\}", ARN, path.read_text())
    try:
        return load_yaml(text) if path.suffix == ".yaml" else json.loads(text)
    except (ValueError, InvalidDefinition) as error:
        pytest.skip(f"it does not parse: {error}")


def strings(value: Any) -> Iterator[tuple[str, str]]:
    """Every text of a definition, with its key."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str):
                yield key, item
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


class Faked(ScriptedTasks):
    """Answers every task at once: with the names that the definition reads, or with a failure."""

    def __init__(self, definition: dict[str, Any], *, fails: bool) -> None:
        super().__init__([])
        self._fails, self._count = fails, 0
        texts = list(strings(definition))
        self._constants = ["1", *(text for key, text in texts if key.endswith("Equals")), True, 3]
        self._paths = [path for _, text in texts for path in re.findall(r"\$\.[\w.\[\]'*-]+", text)]
        self._lists = {path for key, path in texts if key == "ItemsPath"}

    def document(self) -> dict[str, Any]:
        """A document in which most of the definition's paths find something."""
        root: dict[str, Any] = {}
        for number, path in enumerate(self._paths):
            place(root, path, self._constants[(number + self._count) % len(self._constants)])
        for path in self._lists:
            place(root, path, [{**root}, {**root}])
        return json.loads(json.dumps({**root, "items": [1, {"id": 2}]}))

    def _has(self, resource_text: str) -> bool:
        return True

    def _find(self, resource: Resource) -> tuple[str, dict[str, Any]]:
        self._count += 1
        if self._fails or self._count > ANSWERS:
            return "faked", {"outcome": "failed", "error": "Faked", "cause": '{"errorMessage":"faked"}'}
        output = self.document()
        if resource.text == READ_ITEMS:
            return "faked", {"outcome": "succeeded", "output": [output, output]}
        answer = {"outcome": "succeeded", "output": {**output, "Payload": output, "Output": output}}
        return "faked", {**answer, "submitted": {}} if resource.pattern else answer


def place(root: dict[str, Any], path: str, value: Any) -> None:
    """Set a value at a path of names, as far as there is room for it."""
    try:
        steps = compile_reference_path(path.rstrip(".")).steps
    except InvalidDefinition:
        return
    names = [step for step in steps if isinstance(step, str)]
    for name in names[:-1]:
        inner = root.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        root = inner
    if names and not isinstance(root.get(names[-1]), dict):
        root[names[-1]] = value


def run(definition: dict[str, Any], *, fails: bool) -> dict[str, Any]:
    clock, script = VirtualClock(), Faked(definition, fails=fails)
    with _core.Store.open(None) as store:
        partition = Partition(store, clock, script, limits_of("aws", None), seed=0)
        return ScriptedRun(partition, clock, script).run(definition, script.document(), "STANDARD", "default")


def test_there_are_definitions_of_our_own():
    assert len(list(OWN.glob("*.asl.*"))) >= 4


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"definitions from practice are not at {SHARED}: set STEPWELL_SHARED")
def test_there_are_definitions_from_practice():
    assert len(list(SHARED.glob("*.asl.*"))) > 90


@pytest.mark.parametrize("path", list(definitions()))
def test_it_is_valid(path: Path):
    problems = [str(found) for found in validate(read(path), local_resources=False) if found.severity == ERROR]
    assert problems == []


@pytest.mark.parametrize("fails", [False, True], ids=["succeeds", "fails"])
@pytest.mark.parametrize("path", list(definitions()))
def test_it_runs_to_an_end(path: Path, fails: bool):
    ended = run(read(path), fails=fails)
    assert ended["status"] in ("SUCCEEDED", "FAILED", "TIMED_OUT")
    assert ended["events"][-1]["type"].removeprefix("Execution") in ("Succeeded", "Failed", "TimedOut")
    assert "internal error" not in (ended.get("cause") or "")
    assert ("output" in ended) is (ended["status"] == "SUCCEEDED")
