"""A damaged log is refused, and a repaired one costs no more than it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell import _core
from stepwell.errors import CorruptionError, LockedError

from .support import execution, put


def write(folder: Path, count: int) -> None:
    with _core.Store.open(folder, segment_bytes=1000) as store:
        for number in range(count):
            put(store, execution(number), hlc=number + 1)


def damage(segment: Path) -> None:
    content = bytearray(segment.read_bytes())
    content[60] ^= 1
    segment.write_bytes(content)


def test_damage_that_storage_is_past_costs_nothing(tmp_path: Path) -> None:
    write(tmp_path, 29)
    segments = sorted((tmp_path / "log").glob("*.log"))
    damage(segments[-1])
    with pytest.raises(CorruptionError, match=segments[-1].name):
        _core.Store.open(tmp_path)
    report = _core.log_repair(tmp_path)
    assert len(report["damage"]) == 1
    assert report["lost_from"] is None
    assert report["last"] == 29
    assert all(Path(file).exists() for file in report["set_aside"])
    with _core.Store.open(tmp_path) as store:
        assert store.applied() == 29
        assert put(store, execution(30)) == 30
        assert store.get(1, execution(28).id) is not None


def test_a_log_that_is_open_is_left_alone(tmp_path: Path) -> None:
    with _core.Store.open(tmp_path), pytest.raises(LockedError):
        _core.log_repair(tmp_path)
