"""What nodes of a cluster ask of each other comes over a network, so only what is meant to be asked is done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stepwell import StorageError
from stepwell.engine.cluster.led import LedPartition
from stepwell.engine.host.processes import messages as m


class Led(LedPartition):
    """It has a store, and nothing else."""

    def __init__(self, store: Any) -> None:
        self._store, self.partition = store, None


@pytest.mark.parametrize("operation", ["commit", "checkpoint", "close", "__class__", "digest"])
def test_a_node_does_nothing_for_another_one_but_read_rows(operation: str) -> None:
    led = Led(None)
    with pytest.raises(StorageError, match=f"reads no '{operation}' for another one"):
        led.read(m.Read(1, operation, (), {}))


@pytest.mark.parametrize("operation", ["get", "scan", "load", "history", "sync_stats"])
def test_a_node_reads_for_another_one_what_hosts_ask_for(operation: str) -> None:
    led = Led(SimpleNamespace(**{operation: lambda *given, **more: (given, more)}))
    assert led.read(m.Read(1, operation, (7,), {"prefix": ["a", 1]})) == ((7,), {"prefix": ("a", 1)})
