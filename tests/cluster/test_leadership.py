"""A node's copy of a partition: opened, and opened anew after it has stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from stepwell.engine.cluster import leadership
from stepwell.engine.cluster.leadership import Leadership


def test_a_copy_that_has_stopped_is_opened_anew_and_ready_once_it_has_caught_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states: list[dict[str, Any]] = [{"failure": "the disk is full", "age": 0.0}, {"failure": None, "age": None}]
    common = {"purged": False, "store": "s", "position": 0}
    opened: list[Any] = []

    def opens(*_: object) -> Any:
        state, copy = states[len(opened)], Mock()
        copy.status.side_effect = lambda: {**state, **common}
        opened.append(copy)
        return copy

    monkeypatch.setattr(leadership, "open_copy", opens)
    monkeypatch.setattr(leadership, "OPEN_SECONDS", 0.01)
    monkeypatch.setattr(leadership, "REOPEN_SECONDS", 0.05)
    partition: Any = Mock(index=0, is_led=False)
    found = Leadership(partition, 1, Mock(), Mock())
    found.begin()

    def until(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60.0  # guards against a hang
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    until(lambda: len(opened) == 2 and found.copy is opened[1] and opened[1].status.call_count > 3)
    assert found.problem == "the disk is full"
    assert not found.is_ready
    states[1]["age"] = 0.1
    until(lambda: found.is_ready)
    found.close()
    found.join()
    assert len(opened) == 2
