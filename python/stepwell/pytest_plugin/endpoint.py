"""The fixture sfn_endpoint: a server on a free port, and an environment in which the AWS SDKs find it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Generator
from datetime import datetime
from typing import Any, TypeVar

import pytest

from stepwell.errors import StepwellError
from stepwell.server.serving import answer
from stepwell.server.settings import Settings
from stepwell.testing import AsyncTestExecutor, Mock
from stepwell.testing.virtual_time.durations import Duration, Time

Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., Any])
HOST = "127.0.0.1"
REGION = "us-east-1"
SECONDS = 60
"""No test waits longer for the server to start or to stop."""


class SfnEndpoint:
    """A server of the API of Step Functions over an engine on a virtual clock.

    It calls handlers and mocks as soon as a request lets it. Time passes only in ``advance`` and ``advance_to``.
    """

    def __init__(self, make: Callable[[], AsyncTestExecutor]) -> None:
        self._make = make
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._executor: AsyncTestExecutor | None = None
        self.url = ""
        """Where it listens: ``http://127.0.0.1:40001``."""
        self._thread = threading.Thread(target=self._run, name="stepwell-endpoint", daemon=True)
        self._thread.start()
        if not self._ready.wait(SECONDS) or self._failure is not None:
            raise StepwellError(f"the server of sfn_endpoint does not start: {self._failure}")

    @property
    def executor(self) -> AsyncTestExecutor:
        """The engine, for what the API cannot ask. Its coroutines belong to the server's event loop (``call``)."""
        assert self._executor is not None
        return self._executor

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which SDKs and the AWS CLI find the server, with keys that open nothing else."""
        return {
            "AWS_ENDPOINT_URL_SFN": self.url,
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    # what answers tasks

    @property
    def mock(self) -> Mock:
        """What answers tasks in place of handlers, and records their calls."""
        return self.executor.mock

    def register(self, resource: str, function: Callable[..., Any]) -> None:
        """Register a handler: by the name of a Lambda function, or by a resource."""
        self.executor.register(resource, function)

    def task(self, resource: str) -> Callable[[Function], Function]:
        """The decorator that registers a handler."""
        return self.executor.task(resource)

    # time

    @property
    def now(self) -> datetime:
        """The virtual time, in UTC."""
        return self.executor.now

    def run_until_idle(self) -> None:
        """Wait until no handler runs and nothing is due now. Raises ``UnscriptedTask``."""
        self.call(self.executor.run_until_idle())

    def advance(self, duration: Duration) -> None:
        """Move the clock on: ``advance("30d")``. Raises ``InvalidInput``, ``UnscriptedTask``."""
        self.call(self.executor.advance(duration))

    def advance_to(self, time: Time) -> None:
        """Move the clock to a time. Raises ``InvalidInput``, ``UnscriptedTask``."""
        self.call(self.executor.advance_to(time))

    def call(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """The result of a coroutine of ``executor``, on the server's event loop."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    # the server

    def close(self) -> None:
        """Stop the server, and close the engine. Raises what is wrong with the test and was not raised before."""
        assert self._loop is not None
        assert self._stopping is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(SECONDS)
        self.executor.close_now()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - the fixture raises it
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._executor = self._make()
        driving = self._executor.drive_always()
        try:
            await answer(self._executor, Settings(HOST, 0), self._is_ready, self._stopping)
        finally:
            driving.cancel()

    def _is_ready(self, url: str) -> None:
        self.url = url
        self._ready.set()


def endpoint(make: Callable[[], AsyncTestExecutor], monkeypatch: pytest.MonkeyPatch) -> Generator[SfnEndpoint]:
    """A server, and its environment while the test runs."""
    served = SfnEndpoint(make)
    try:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        yield served
    finally:
        served.close()
