"""The Rust–Python boundary: the cost of a record in each form that was considered (docs/adr/0002).

    make bench BENCH=benches/test_boundary.py

Every form makes the 22 commands of ten Pass states and encodes them for the log.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stepwell import _core
from stepwell.engine.log.records import CompleteStateCommand, StartStateCommand, StateCompletedEvent, StateStartedEvent

EXECUTION = "/default/default/e1234567/0123456789abcdef"
ACTIVITY = f"{EXECUTION}/00000001"
DOCUMENT = b'{"order": 7, "items": [1, 2, 3]}'
STATES = 10
encode = msgspec.msgpack.Encoder().encode


def structs() -> bytes:
    """As the engine does it: array-like structs, one encoding a turn, events made once."""
    started, completed = StateStartedEvent(), StateCompletedEvent()
    records: list[Any] = []
    for _ in range(STATES):
        records.append(StartStateCommand(ACTIVITY, "Pass", None, None, None, 5, 4))
        records.append(started)
        records.append(CompleteStateCommand(ACTIVITY, "Pass", "Succeeded", None, "Next", None, None, None, 6, 5))
        records.append(completed)
    return encode((EXECUTION, 1, 2, records))


def tuples() -> bytes:
    """Plain tuples: no names, no defaults, no types."""
    records: list[Any] = []
    for _ in range(STATES):
        records.append((3, ACTIVITY, "Pass", None, None, None, 5, 4))
        records.append((67, 0))
        records.append((4, ACTIVITY, "Pass", "Succeeded", None, "Next", None, None, None, 6, 5, False))
        records.append((68, 0))
    return encode((EXECUTION, 1, 2, records))


def dictionaries() -> bytes:
    """Dictionaries: every record contains every name."""
    records: list[Any] = []
    for _ in range(STATES):
        records.append({"kind": "StartState", "activity_id": ACTIVITY, "state_name": "Pass", "event": 5, "previous": 4})
        records.append({"kind": "StateStarted"})
        records.append(
            {"kind": "CompleteState", "activity_id": ACTIVITY, "state_name": "Pass", "status": "Succeeded",
             "next": "Next", "event": 6, "previous": 5}
        )  # fmt: skip
        records.append({"kind": "StateCompleted"})
    return encode((EXECUTION, 1, 2, records))


def encoded_one_by_one() -> list[bytes]:
    """Structs, each encoded separately, as one call per record would need."""
    return [
        encode(record)
        for _ in range(STATES)
        for record in (
            StartStateCommand(ACTIVITY, "Pass", None, None, None, 5, 4),
            StateStartedEvent(),
            CompleteStateCommand(ACTIVITY, "Pass", "Succeeded", None, "Next", None, None, None, 6, 5),
            StateCompletedEvent(),
        )
    ]


def native_classes() -> list[_core.Timestamp]:
    """A native object per record, of a class with two numbers: PyO3's cost without any text field."""
    return [_core.Timestamp(5, index) for index in range(4 * STATES)]


SHAPES = [structs, tuples, dictionaries, encoded_one_by_one, native_classes]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_forty_records(benchmark: Any, shape: Any) -> None:
    benchmark.group = "40 records of ten Pass states"
    assert benchmark(shape)


def test_decode_forty_records(benchmark: Any) -> None:
    from stepwell.engine.log.codec import decode_turn

    benchmark.group = "40 records of ten Pass states"
    assert len(benchmark(decode_turn, structs()).records) == 4 * STATES


@pytest.mark.parametrize("turns", [1, 64])
def test_commit(benchmark: Any, turns: int) -> None:
    """One call for a batch, however many turns it has; another thread does the work behind it."""
    benchmark.group = "crossing with a batch"
    blob = structs()
    rows = encode([])
    with _core.Store.open(None) as store:
        benchmark(lambda: store.commit([(EXECUTION, 1, 4 * STATES, blob)] * turns, rows, 1))


def test_an_empty_call(benchmark: Any) -> None:
    benchmark.group = "crossing"
    with _core.Store.open(None) as store:
        benchmark(store.applied)
