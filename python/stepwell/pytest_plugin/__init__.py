"""The pytest plugin: fixtures with an engine on a virtual clock. Whatever it needs is imported by the fixtures."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stepwell.testing import AsyncTestExecutor, TestExecutor
    from stepwell.testing.coverage import Coverage

    from .endpoint import SfnEndpoint


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options in the ini file and on the command line."""
    from .options import add_options

    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    text = "stepwell(folder, partitions, profile, start, seed, strict): the engine of the stepwell fixtures"
    config.addinivalue_line("markers", text)
    from .options import is_coverage_wanted

    if is_coverage_wanted(config):
        from .coverage import PLUGIN, CoveragePlugin

        config.pluginmanager.register(CoveragePlugin(config), PLUGIN)


@pytest.fixture
def stepwell(request: pytest.FixtureRequest) -> Generator[TestExecutor]:
    """An engine on a virtual clock: in memory, or in a folder below ``tmp_path``. See docs/testing.md."""
    from .fixtures import executor

    yield from executor(request)


@pytest.fixture
def stepwell_coverage(request: pytest.FixtureRequest) -> Coverage:
    """The coverage of the session; without ``--stepwell-cov`` one that nobody reads.

    ``stepwell_coverage.collect(executor)`` adds what the executions of any open executor did.
    """
    from .coverage import coverage_of

    return coverage_of(request.config)


@pytest.fixture
def stepwell_async(request: pytest.FixtureRequest) -> Generator[AsyncTestExecutor]:
    """The same engine for tests that are coroutines, with any plugin that runs them. See docs/testing.md."""
    from .fixtures import async_executor

    yield from async_executor(request)


@pytest.fixture
def sfn_endpoint(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Generator[SfnEndpoint]:
    """A server of the API of Step Functions, which boto3 and other SDKs find by their environment. See docs/testing.md.

    It needs the extra ``server``.
    """
    from .fixtures import sfn_server

    yield from sfn_server(request, monkeypatch)
