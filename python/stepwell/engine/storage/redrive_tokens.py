"""The client tokens of an execution's redrives: one that is asked for again is the same redrive (RedriveExecution)."""

from __future__ import annotations

from typing import Final

from msgspec.msgpack import Decoder, Encoder

KEPT: Final = 10
"""So many tokens are kept."""
LIFE_SECONDS: Final = 15 * 60
_Tokens = list[tuple[str, int]]
_encode = Encoder().encode
_decode = Decoder(_Tokens).decode


def with_token(tokens: bytes, token: str, now: int) -> bytes:
    """The tokens and one more, of a redrive at ``now`` (microseconds)."""
    return _encode([*_of(tokens), (token, now)][-KEPT:])


def redriven_with(tokens: bytes, token: str, now: int) -> int | None:
    """When the execution was redriven with this token; None: it was not, or too long ago."""
    times = [time for each, time in _of(tokens) if each == token and now - time <= LIFE_SECONDS * 1_000_000]
    return times[-1] if times else None


def _of(tokens: bytes) -> _Tokens:
    return _decode(tokens) if tokens else []
