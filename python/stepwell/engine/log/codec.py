"""Encodes records, and decodes the turns of a log."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, Union

import msgspec

from . import records as r
from .document import NONE, Document

_RECORDS = tuple(r.Command.__subclasses__() + r.Event.__subclasses__())
_record_encoder = msgspec.msgpack.Encoder()


class DecodedTurn(NamedTuple):
    """A turn of the log."""

    scope: str
    timestamp: int
    time: int
    records: list[r.Command | r.Event]


def decode_turn(blob: bytes | memoryview) -> DecodedTurn:
    """The turn that ``blob`` holds."""
    return DecodedTurn(*_turn_decoder().decode(blob))


def encode_record(record: r.Command | r.Event) -> bytes:
    """One record, encoded as in a turn."""
    return _record_encoder.encode(record)


def decode_record(blob: bytes) -> r.Command | r.Event:
    """The record that ``blob`` holds."""
    return _record_decoder().decode(blob)


@cache
def _turn_decoder() -> msgspec.msgpack.Decoder[Any]:  # takes 4 ms, and is only needed to read turns
    return msgspec.msgpack.Decoder(tuple[str, int, int, list[Union[_RECORDS]]])  # type: ignore[valid-type]  # noqa: UP007


@cache
def _record_decoder() -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(Union[_RECORDS])  # type: ignore[valid-type]  # noqa: UP007


class DocumentReader:
    """The documents of a turn's commands, in the order of its records."""

    def __init__(self) -> None:
        self._last = NONE

    def read(self, command: r.Command) -> Document:
        """The document of ``command``: its own, the last one before it, or none."""
        field = command.document
        if field is None:
            return NONE
        text = getattr(command, field)
        if text is None:
            return self._last
        if text == b"":
            return NONE
        self._last = Document(text)
        return self._last


class Left(msgspec.Struct, array_like=True):
    """A level that had left a state and not entered the next one, or not ended (``next``: None)."""

    id: str
    next: str | None
    output: bytes


@cache
def _left_decoder() -> msgspec.msgpack.Decoder[list[Left]]:
    return msgspec.msgpack.Decoder(list[Left])


def decode_left(left: bytes) -> list[Left]:
    """The levels between two states in a redrive's command; an older command has none."""
    return _left_decoder().decode(left) if left else []
