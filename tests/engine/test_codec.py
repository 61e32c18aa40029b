"""Records and rows of every kind pass between Python and Rust unchanged, whatever is in them."""

from __future__ import annotations

import json
import math
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from stepwell import _core
from stepwell.asl.json import dumps
from stepwell.engine.log import records
from stepwell.engine.log.codec import DocumentReader, decode_record, decode_turn, encode_record
from stepwell.engine.log.document import NONE, Document, compact
from stepwell.engine.storage import contexts

COMMANDS = records.Command.__subclasses__()
EVENTS = records.Event.__subclasses__()
ROWS = contexts.Context.__subclasses__()
encode = msgspec.msgpack.encode

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
documents = st.just(b"") | values.map(dumps)


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is Union:
        return st.one_of(*map(of_type, typing.get_args(kind)))
    if typing.get_origin(kind) is tuple:
        return st.lists(of_type(typing.get_args(kind)[0]), max_size=4).map(tuple)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return structs(kind)
    return {
        type(None): st.none(),
        str: st.text(max_size=30),
        bool: st.booleans(),
        int: st.integers(0, 2**63 - 1),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bytes: documents,
    }[kind]


def structs(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Records or rows of a kind, with anything in their fields."""
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: of_type(hints[field.name]) for field in fields(kind)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[_core.Store]:
    with _core.Store.open(folder) as opened:
        yield opened


each = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("kind", COMMANDS + EVENTS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@each
def test_a_record_decodes_to_what_it_was(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(structs(kind))
    assert decode_record(encode_record(record)) == record


@given(turn=st.lists(st.one_of(*map(structs, COMMANDS + EVENTS)), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_turn_on_the_log_reads_the_same_in_python_and_in_rust(
    store: _core.Store, folder: Path, turn: list[Any]
) -> None:
    scope, timestamp, now = "/t/n/e0000001/0000000000000001", store.tail() + 1, 1_700_000_000_000_000
    blob = encode((scope, timestamp, now, turn))
    last = store.commit([(scope, 0, len(turn), blob)], encode([]), timestamp)
    assert store.wait_applied(last, 10)
    first = last - len(turn) + 1
    payload = b"".join(payload for start, _, _, payload in store.read_log(first) if start == first)
    assert _core.split_turns(payload) == [blob]
    assert decode_turn(blob).records == turn
    lines = [json.loads(line) for line in _core.log_dump(folder, first)]
    assert [line["position"] for line in lines] == list(range(first, last + 1))
    reader = DocumentReader()
    for line, record in zip(lines, turn, strict=True):
        assert line["scope"], line["time"] == (scope, now)
        assert line["record"] == type(record).__name__.removesuffix("Command").removesuffix("Event")
        document = reader.read(record) if isinstance(record, records.Command) else NONE
        for field in fields(type(record)):
            value = getattr(record, field.name)
            if isinstance(record, records.Command) and field.name == record.document:
                value = document.text
            if isinstance(value, tuple):
                value = list(value)
            if isinstance(value, bytes):
                value = json.loads(value) if value else None
            shown = line[field.name]
            assert (float(shown) if isinstance(value, float) else shown) == value, (record, field.name)
            assert isinstance(line[field.name], bool) == isinstance(value, bool)


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@each
def test_a_row_is_read_as_it_was_put(store: _core.Store, kind: type[Any], data: st.DataObject) -> None:
    row = data.draw(structs(kind))
    key = key_fields(kind)
    for name in key:
        if name in ("id", "branch_id", "iteration_id", "activity_id") and kind not in (
            contexts.ExecutionContext,
            contexts.TaskContext,
        ):
            within = data.draw(st.text(min_size=1, max_size=12))
            setattr(row, name, f"/t/n/e0000001/0000000000000001/{within}")
    names = [getattr(row, name) for name in key]
    store.commit([], encode([row]), 1)
    tag = kind.__struct_config__.tag
    found = store.get(tag, *names)
    assert found is not None
    assert msgspec.msgpack.decode(found, type=kind) == row
    assert found == encode(row)
    store.commit([], encode([(-tag, *names)]), 1)
    assert store.get(tag, *names) is None


KEYS: dict[str, int] = {
    "TimerContext": 3,
    "WorkflowContext": 2,
    "VisibilityContext": 4,
    "QueueContext": 3,
    "ListingContext": 4,
    "PublishedVersionContext": 2,
    "AliasContext": 2,
}


def key_fields(kind: type[Any]) -> list[str]:
    """The fields that name a row: its first ones."""
    count = KEYS.get(kind.__name__, 1)
    return [field.name for field in fields(kind)][:count]


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_percentages_keep_every_digit(value: float) -> None:
    command = records.ForkStateCommand("a", 1, b"[]", 0, 0, value, 0, 0)
    decoded = decode_record(encode_record(command))
    assert isinstance(decoded, records.ForkStateCommand)
    assert math.copysign(1, decoded.tolerated_percentage) == math.copysign(1, value)
    assert decoded.tolerated_percentage == value


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('{ "a" : [ 1,\n 2 ] }', '{"a":[1,2]}'),
        ("0.0", "0.0"),
        ('{"n": [1.0, 1e3, -2.50, 7], "s": "1.0 \\u00e9\\" 2e3"}', '{"n":[1.0,1e3,-2.50,7],"s":"1.0 é\\" 2e3"}'),
        # AWS parses an input into a tree, in which a key has the value that came last.
        ('{"a":1.0,"b":2,"a":2.0}', '{"a":2.0,"b":2}'),
    ],
)
def test_a_compact_document_has_each_key_once_and_its_numbers_as_they_were_written(written: str, text: str) -> None:
    for document in (Document(written.encode()), Document(written.encode(), json.loads(written))):
        compacted = compact(document)
        assert compacted.text.decode() == text
        assert compacted.value == json.loads(written)
        assert compact(compacted) is compacted


@given(value=values, ensure_ascii=st.booleans(), indent=st.sampled_from([None, 0, 2]))
def test_a_compact_document_is_what_its_value_is_written_as(value: Any, ensure_ascii: bool, indent: int | None) -> None:
    written = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent).encode()
    assert compact(Document(written)).text == dumps(value)
