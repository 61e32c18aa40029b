"""Fixtures: labs, which are checked at the end of their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.support import Lab


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
