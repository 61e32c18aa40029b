"""The fixtures."""

from __future__ import annotations

import inspect
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from stepwell.testing import AsyncTestExecutor, TestExecutor

from .options import options_of

if TYPE_CHECKING:
    from .endpoint import SfnEndpoint

Engine = TypeVar("Engine", TestExecutor, AsyncTestExecutor)


def executor(request: pytest.FixtureRequest) -> Generator[TestExecutor]:
    """The engine of a test."""
    with _opened(request, TestExecutor) as engine:
        yield engine


def async_executor(request: pytest.FixtureRequest) -> Generator[AsyncTestExecutor]:
    """The engine of a test that is a coroutine."""
    engine = _opened(request, AsyncTestExecutor)
    try:
        yield engine
    finally:
        engine.close_now()


def sfn_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Generator[SfnEndpoint]:
    """A server over such an engine."""
    try:
        from .endpoint import endpoint
    except ImportError as error:
        text = f"sfn_endpoint needs the extra 'server' (pip install 'stepwell[server]'): {error}"
        raise pytest.UsageError(text) from error

    yield from endpoint(partial(_opened, request, AsyncTestExecutor), monkeypatch)


def _opened(request: pytest.FixtureRequest, kind: type[Engine]) -> Engine:
    options = options_of(request)
    known = {"folder", *inspect.signature(kind).parameters} - {"data"}
    if unknown := sorted(set(options) - known):
        raise pytest.UsageError(f"@pytest.mark.stepwell: there is no option {unknown[0]!r}; there are {sorted(known)}")
    data = _folder(request, options.pop("folder", False))
    return kind(data, **options)


def _folder(request: pytest.FixtureRequest, folder: Any) -> Path | str | None:
    """The folder of the engine: False is memory, True one below tmp_path, anything else the folder itself."""
    if not folder:
        return None
    if folder is True:
        tmp_path: Path = request.getfixturevalue("tmp_path")
        return tmp_path / "stepwell"
    return folder
