"""The three ways to one engine: in this process, through the socket of its folder, through a server's HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from server.support import serving
from stepwell import Executor, RemoteExecutor

from . import handlers

HANDLERS = {"echo": handlers.echo, "fail": handlers.fail, "describe": handlers.describe}


@pytest.fixture(scope="session", params=["embedded", "connected", "remote"])
def ex(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    """An executor, whose engine has the handlers of ``handlers.py``."""
    data = tmp_path_factory.mktemp(request.param) / "data"
    if request.param == "remote":
        arguments = ("--data", str(data), "--profile", "default", "--handlers", str(Path(handlers.__file__)))
        with serving(*arguments) as served, RemoteExecutor(served.url) as executor:
            yield executor
        return
    with Executor(data, handlers=HANDLERS) as owner:
        if request.param == "embedded":
            yield owner
            return
        with Executor(data, connect=True) as executor:
            yield executor


_numbers = count(1)


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"w{next(_numbers)}"
