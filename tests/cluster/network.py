"""Hosts of a test: network namespaces on a bridge, or where these are not allowed, ports of the loopback device.

A direction between two hosts is cut by a wrong Ethernet address of the other one: what is sent is dropped without a
word, as by a cable that was pulled out. Nobody gets an error, and what was under way is lost.
"""

from __future__ import annotations

import functools
import os
import socket
import subprocess
from collections.abc import Iterable

_NOWHERE = "02:00:00:00:00:01"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@functools.cache
def has_namespaces() -> bool:
    """Whether network namespaces may be made here."""
    name = f"sw{os.getpid()}"
    try:
        ip("netns", "add", name)
        ip("netns", "del", name)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@functools.cache
def has_netem() -> bool:
    """Whether the kernel can delay packets."""
    command = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "0ms"]
    with_namespace = ["unshare", "--net", *command]
    return subprocess.run(with_namespace, capture_output=True, check=False).returncode == 0


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of the loopback device that nobody uses now."""
    ends = [socket.socket() for _ in range(count)]
    for end in ends:
        end.bind(("127.0.0.1", 0))
    ports = tuple(end.getsockname()[1] for end in ends)
    for end in ends:
        end.close()
    return ports


class Host:
    """Where a process runs."""

    def __init__(self, name: str, address: str, namespace: str | None) -> None:
        self.name, self.address, self.namespace = name, address, namespace
        self.command = [] if namespace is None else ["ip", "netns", "exec", namespace]
        """What comes before a command that runs there."""

    def drop_to(self, others: Iterable[Host]) -> None:
        """What it sends to others is lost from now on; what they send arrives."""
        for other in others:
            self.ip("neigh", "replace", other.address, "lladdr", _NOWHERE, "dev", "eth0", "nud", "permanent")

    def cut_from(self, others: Iterable[Host]) -> None:
        """Nothing goes between it and others, in either direction."""
        others = list(others)
        self.drop_to(others)
        for other in others:
            other.drop_to([self])

    def heal(self, others: Iterable[Host]) -> None:
        """All directions between it and others work again."""
        for other in others:
            for one, two in ((self, other), (other, self)):
                one.ip("neigh", "flush", "to", two.address, "dev", "eth0", "nud", "permanent")

    def slow_down(self) -> None:
        """What it sends takes long: 200 ms later, or where the kernel cannot do that, at 256 kbit/s."""
        netem = ["netem", "delay", "200ms", "50ms"]
        rate = ["tbf", "rate", "256kbit", "burst", "4kb", "latency", "2s"]
        self._tc("replace", *(netem if has_netem() else rate))

    def speed_up(self) -> None:
        """What it sends takes as long as before."""
        self._tc("del")

    def _tc(self, verb: str, *arguments: str) -> None:
        if self.namespace is not None:
            command = ["tc", "-n", self.namespace, "qdisc", verb, "dev", "eth0", "root", *arguments]
            subprocess.run(command, check=verb != "del", capture_output=True)

    def ip(self, *arguments: str) -> None:
        if self.namespace is not None:
            ip("-n", self.namespace, *arguments)


class Network:
    """The hosts of one test. On the loopback device nothing can be cut or slowed down."""

    def __init__(self) -> None:
        self.can_cut = has_namespaces()
        self._number = os.getpid() % 25_000
        self._bridge = f"sw{os.getpid()}"
        self._base = f"10.{100 + self._number // 250}.{self._number % 250}"
        self.hosts: dict[str, Host] = {}
        if self.can_cut:
            ip("link", "add", self._bridge, "type", "bridge")
            ip("addr", "add", f"{self._base}.1/24", "dev", self._bridge)
            ip("link", "set", self._bridge, "up")

    def host(self, name: str) -> Host:
        """A host of its own for ``name``."""
        if not self.can_cut:
            self.hosts[name] = Host(name, "127.0.0.1", None)
            return self.hosts[name]
        number = len(self.hosts) + 10
        namespace, end = f"{self._bridge}-{name}", f"sw{self._number}.{number}"
        ip("netns", "add", namespace)
        ip("link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        ip("link", "set", end, "master", self._bridge, "up")
        ip("-n", namespace, "addr", "add", f"{self._base}.{number}/24", "dev", "eth0")
        ip("-n", namespace, "link", "set", "eth0", "up")
        ip("-n", namespace, "link", "set", "lo", "up")
        self.hosts[name] = Host(name, f"{self._base}.{number}", namespace)
        return self.hosts[name]

    def ports(self, count: int) -> tuple[int, ...]:
        """Ports for a host that has none of them in use."""
        return tuple(range(4222, 4222 + count)) if self.can_cut else free_ports(count)

    def close(self) -> None:
        """Remove everything."""
        for host in self.hosts.values():
            if host.namespace is not None:
                ip("netns", "del", host.namespace)
        if self.can_cut:
            ip("link", "del", self._bridge)
