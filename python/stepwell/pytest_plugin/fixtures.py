"""The fixtures."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from stepwell.testing import TestExecutor

from .options import options_of


def executor(request: pytest.FixtureRequest) -> Generator[TestExecutor]:
    """The engine of a test."""
    options = options_of(request)
    data = _folder(request, options.pop("folder", False))
    try:
        engine = TestExecutor(data, **options)
    except TypeError as error:
        raise pytest.UsageError(f"@pytest.mark.stepwell: {error}") from error
    with engine:
        yield engine


def _folder(request: pytest.FixtureRequest, folder: Any) -> Path | str | None:
    """The folder of the engine: False is memory, True one below tmp_path, anything else the folder itself."""
    if not folder:
        return None
    if folder is True:
        tmp_path: Path = request.getfixturevalue("tmp_path")
        return tmp_path / "stepwell"
    return folder
