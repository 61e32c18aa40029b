"""What nodes of a cluster ask of each other comes over a network, so only what is meant to be asked is done."""

from __future__ import annotations

import pytest

from stepwell import StorageError
from stepwell.engine.cluster.led import LedPartition
from stepwell.engine.host.processes import messages as m


@pytest.mark.parametrize("operation", ["commit", "checkpoint", "close", "__class__", "digest"])
def test_a_node_does_nothing_for_another_one_but_read_rows(operation: str) -> None:
    led = LedPartition.__new__(LedPartition)  # it has no store: what is refused does not come so far
    with pytest.raises(StorageError, match=f"reads no '{operation}' for another one"):
        led.read(m.Read(1, operation, (), {}))
