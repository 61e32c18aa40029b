"""Restate: ``restate_client.py SERVER FOLDER``; starts and ends the server and the service.

``SERVER`` is the path of the program ``restate-server``; ``PORTS`` gives its ports.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from work import AT_ONCE, ONE_COUNT, START_COUNT, STEPS, TEN_COUNT, cpu_seconds, report

PORTS = {"ingress": 28080, "admin": 29070, "node": 25122, "service": 29080}
START_SECONDS = 60
HERE = Path(__file__).parent


@contextmanager
def running(server: str, folder: Path) -> Iterator[list[int]]:
    """The server and the service; yields their process ids."""
    settings = {
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{PORTS['ingress']}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{PORTS['admin']}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{PORTS['node']}",
        "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{PORTS['node']}",
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RUST_LOG": "error",
    }
    service = [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{PORTS['service']}", "restate_service:app"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    engine = subprocess.Popen([server, "--base-dir", str(folder)], env={**os.environ, **settings}, **quiet)
    handlers = subprocess.Popen(service, cwd=HERE, **quiet)
    try:
        yield [engine.pid, handlers.pid, *children(handlers.pid)]
    finally:
        for process in (handlers, engine):
            process.kill()  # nothing must be kept, and a service with open connections ends slowly
            process.wait()


def children(process: int) -> list[int]:
    """The workers of hypercorn."""
    time.sleep(3)
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in text.split()]


async def register(client: httpx.AsyncClient) -> None:
    """Register the service with the server, as soon as both are up."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            url = f"http://127.0.0.1:{PORTS['admin']}/deployments"
            answer = await client.post(url, json={"uri": f"http://127.0.0.1:{PORTS['service']}"})
            if answer.status_code in (200, 201):
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(1)
    raise TimeoutError(f"no server after {START_SECONDS} seconds")


async def side_by_side(work: Callable[[int], Awaitable[None]], count: int) -> float:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            await work(number)

    began = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(count)))
    return time.perf_counter() - began


async def measure(client: httpx.AsyncClient, processes: list[int]) -> None:
    base = f"http://127.0.0.1:{PORTS['ingress']}/peers"

    async def call(handler: str, number: int) -> int:
        answer = await client.post(f"{base}/{handler}", json=number)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    async def ten(number: int) -> None:
        assert await call("ten", number) == number + STEPS

    async def start_waiting(number: int) -> None:
        await call("waiting/send", number)

    for number in range(10):
        assert await call("one", number) == number + 1
    times: list[float] = []
    for number in range(ONE_COUNT):
        began = time.perf_counter()
        await call("one", number)
        times.append(time.perf_counter() - began)
    everyone = [*processes, os.getpid()]
    before = cpu_seconds(everyone)
    seconds = await side_by_side(ten, TEN_COUNT)
    cpu = cpu_seconds(everyone) - before
    starting = await side_by_side(start_waiting, START_COUNT)
    report("Restate", processes, times, seconds, cpu, starting)


async def main() -> None:
    with running(sys.argv[1], Path(sys.argv[2])) as processes:
        limits = httpx.Limits(max_connections=2 * AT_ONCE)
        async with httpx.AsyncClient(limits=limits, timeout=300) as client:
            await register(client)
            await measure(client, processes)


if __name__ == "__main__":
    asyncio.run(main())
