"""The golden log of each format, which Rust wrote, reads and writes back in Python to the same bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from stepwell import _core
from stepwell.engine.log import records
from stepwell.engine.log.codec import decode_turn

GOLDEN = Path(__file__).parents[2] / "rust" / "core" / "tests" / "golden"
HEADER = 64


def frames(segment: bytes) -> Iterator[tuple[int, bytes]]:
    """Every frame's count of records, and its payload (layout: ``rust/core/src/log/frame.rs``)."""
    while segment:
        count, length = struct.unpack_from("<II", segment, 32)
        yield count, segment[HEADER : HEADER + length]
        segment = segment[HEADER + length + 1 :]


@pytest.mark.parametrize("segment", sorted(GOLDEN.glob("*/*.log")), ids=lambda path: path.parent.name)
def test_a_golden_log_reads_and_writes_back_to_the_same_bytes(segment: Path) -> None:
    seen: set[type] = set()
    for count, payload in frames(segment.read_bytes()):
        turns = [(blob, decode_turn(blob)) for blob in _core.split_turns(payload)]
        assert sum(len(turn.records) for _, turn in turns) == count
        for blob, turn in turns:
            assert msgspec.msgpack.encode(turn) == blob
            seen.update(map(type, turn.records))
    assert seen == {*records.Command.__subclasses__(), *records.Event.__subclasses__()}
