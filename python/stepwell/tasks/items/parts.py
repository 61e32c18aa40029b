"""The sources of a map run's items, part by part, and which items are members of an object (ASL A12.57)."""

from __future__ import annotations

import msgspec
from msgspec import Struct


class Part(Struct, frozen=True, array_like=True):
    """``count`` consecutive items from ``source`` (``S3://bucket/key``, STATE_DATA), members of an object or not."""

    source: str
    count: int
    are_members: bool = False


class ReadItems(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer of an ItemReader whose items have parts; otherwise it is a plain array."""

    items: msgspec.Raw
    parts: tuple[Part, ...]


_decode_parts = msgspec.json.Decoder(tuple[Part, ...]).decode
decode_read_items = msgspec.json.Decoder(ReadItems).decode


def encode_parts(parts: tuple[Part, ...]) -> bytes:
    """Parts as the log and storage hold them; empty if there are none."""
    return msgspec.json.encode(parts) if parts else b""


def decode_parts(parts: bytes) -> tuple[Part, ...]:
    """Parts that the log or storage hold."""
    return _decode_parts(parts) if parts else ()
