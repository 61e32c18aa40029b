"""Three NATS servers with JetStream, each on a host of its own (``network``)."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from pathlib import Path

import nats

from cluster.network import Host, Network

ROOT = Path(__file__).parents[2]
NAMES = ("s1", "s2", "s3")
READY_SECONDS = 60.0


def binary() -> str:
    """The path of nats-server, built if need be."""
    found = subprocess.run([ROOT / "scripts" / "install-nats-server"], stdout=subprocess.PIPE, text=True, check=True)
    return found.stdout.strip()


class Server:
    """One server: its folder stays when it is killed."""

    def __init__(self, host: Host, folder: Path, program: str, ports: tuple[int, ...]) -> None:
        self.host, self.folder, self._program, self.ports = host, folder, program, ports
        folder.mkdir(parents=True)
        self.store = folder / "store"
        self.store.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://{self.host.address}:{self.ports[0]}"

    @property
    def monitor(self) -> str:
        """Its monitoring port."""
        return f"http://{self.host.address}:{self.ports[2]}"

    def configure(self, others: list[Server]) -> None:
        routes = ", ".join(f'"nats-route://{each.host.address}:{each.ports[1]}"' for each in others)
        text = f"""server_name: {self.host.name}
listen: "{self.host.address}:{self.ports[0]}"
http: "{self.host.address}:{self.ports[2]}"
jetstream {{ store_dir: "{self.store}", sync_interval: always, max_memory_store: 64MB, max_file_store: 2GB }}
cluster {{ name: test, listen: "{self.host.address}:{self.ports[1]}", routes: [{routes}] }}
ping_interval: "2s"
"""
        (self.folder / "server.conf").write_text(text)

    def start(self) -> None:
        command = [*self.host.command, self._program, "-c", str(self.folder / "server.conf")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


class Servers:
    """The servers of one test, as a cluster."""

    def __init__(self, network: Network, folder: Path, program: str, names: tuple[str, ...] = NAMES) -> None:
        self.servers = {name: Server(network.host(name), folder / name, program, network.ports(3)) for name in names}
        for each in self.servers.values():
            each.configure([other for other in self.servers.values() if other is not each])
        self.urls = ",".join(each.url for each in self.servers.values())
        self.monitors = ",".join(each.monitor for each in self.servers.values())

    def start(self) -> None:
        for each in self.servers.values():
            if not each.is_running:
                each.start()

    def wait(self) -> None:
        """Wait until JetStream answers."""
        asyncio.run(self._answers())

    async def _answers(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                client = await nats.connect(  # pyright: ignore[reportUnknownMemberType]
                    self.urls.split(","), connect_timeout=1, max_reconnect_attempts=0, error_cb=_ignore
                )
                try:
                    await client.jetstream(timeout=1).account_info()  # pyright: ignore[reportUnknownMemberType]
                    return
                finally:
                    await client.close()
            except Exception:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    def close(self) -> None:
        for each in self.servers.values():
            each.kill()


async def _ignore(_error: Exception) -> None:
    """They are started at the moment: it is tried again."""
