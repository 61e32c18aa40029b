"""Logs of every format replay to what their engines had in storage, and their executions go on to their end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from stepwell import _core
from stepwell.engine.log import records
from stepwell.engine.log.codec import decode_turn
from stepwell.testing.replay import replay_folder
from stepwell.testing.simulation import Simulation
from upgrade.contents import NAMES, lines
from upgrade.story import Answers, run_story

GOLDEN = Path(__file__).parents[1] / "golden"
FORMATS = sorted(GOLDEN.glob("format-*"))


@pytest.fixture(params=FORMATS, ids=lambda folder: folder.name)
def golden(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_a_golden_log_replays_to_what_its_engine_had(golden: Path, tmp_path: Path) -> None:
    assert_holds(replay_folder(golden, tmp_path / "data"), golden)
    assert_holds(_core.Store.open(tmp_path / "data"), golden)


def assert_holds(store: _core.Store, golden: Path) -> None:
    """The store has what the engine of that format had; a later version may have added fields at the end of rows."""
    found = [json.loads(line) for line in lines(store)]
    expected = [json.loads(line) for line in (golden / "contents.jsonl").read_text(encoding="utf-8").splitlines()]
    for index, (kind, value) in enumerate(expected):
        if kind in NAMES:
            found[index][1] = found[index][1][: len(value)]
    assert found == expected
    store.close()


def test_the_executions_of_a_golden_log_go_on_with_the_definitions_that_they_began_with(
    golden: Path, tmp_path: Path
) -> None:
    shutil.copytree(golden / "log", tmp_path / "data" / "log")
    answers = Answers(hangs=False)
    store = _core.Store.open(tmp_path / "data")
    assert store.applied() == 0
    run = Simulation(answers, store=store)
    under_way = json.loads((golden / "under_way.json").read_text(encoding="utf-8"))
    run.run()
    results: list[Any] = [run.result(id) for id in under_way]
    assert [result["status"] for result in results] == ["Succeeded"] * len(under_way)
    assert results[0]["output"] == '"by version 1"'
    run.close()


def test_the_golden_log_of_this_format_holds_every_kind_of_record(tmp_path: Path) -> None:
    shutil.copytree(FORMATS[-1] / "log", tmp_path / "log")
    every = {*records.Command.__subclasses__(), *records.Event.__subclasses__()}
    assert names_of(every - kinds_on_log(tmp_path)) == set()


def test_the_run_of_the_golden_log_can_be_repeated(tmp_path: Path) -> None:
    shutil.copytree(FORMATS[-1] / "log", tmp_path / "golden" / "log")
    assert len(run_story(tmp_path / "again")) == len(json.loads((FORMATS[-1] / "under_way.json").read_text()))
    assert names_of(kinds_on_log(tmp_path / "again")) == names_of(kinds_on_log(tmp_path / "golden"))


def kinds_on_log(folder: Path) -> set[type]:
    """The kinds of records that are on a log."""
    store = _core.Store.open(folder)
    turns = [decode_turn(blob) for *_, payload in store.read_log(1) for blob in _core.split_turns(payload)]
    store.close()
    return {type(record) for turn in turns for record in turn.records}


def names_of(kinds: set[type]) -> set[str]:
    return {kind.__name__ for kind in kinds}
