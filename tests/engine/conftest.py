"""Fixtures: labs, which are checked at the end of their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from engine.support import Lab
from stepwell import Executor


@pytest.fixture
def lab() -> Iterator[Callable[..., Lab]]:
    """``lab(answers)`` makes a Lab for an execution; its history and its replay are checked at the end."""
    labs: list[Lab] = []

    def make(answers: dict[str, Any] | None = None, **options: Any) -> Lab:
        labs.append(Lab(answers, **options))
        return labs[-1]

    yield make
    for each in labs:
        each.check()


@pytest.fixture(params=["in memory", "on disk", "two partitions"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Executor]]:
    """``anywhere(handlers=…)`` opens an Executor: in memory, on disk, and with two partitions."""
    data = None if request.param == "in memory" else tmp_path / "data"
    partitions = 2 if request.param == "two partitions" else 1
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Executor(data, partitions=partitions, **options))
