"""Tokens of pages: where a list continues, signed, for one operation and its filters, for a day."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import Any

import msgspec

from .errors import invalid_token

LIFE_SECONDS = 86_400
_MAC_BYTES = 16
_VERSION = b"\x01"
_encoder = msgspec.msgpack.Encoder(order="deterministic")


class PageTokens:
    """Makes and reads the tokens that one key signs."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, operation: str, filters: Any, position: Any) -> str:
        """A token for what comes after ``position``, which must not be an offset: rows come and go."""
        payload = _VERSION + _encoder.encode((int(time.time()), position))
        return base64.urlsafe_b64encode(self._mac(operation, filters, payload) + payload).decode()

    def read(self, operation: str, filters: Any, token: str | None) -> Any:
        """The position of a token; None without one. Raises ``Fault`` unless it was made for just this, today."""
        if token is None:
            return None
        try:
            data = base64.b64decode(token, b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise invalid_token() from error
        mac, payload = data[:_MAC_BYTES], data[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(operation, filters, payload)):
            raise invalid_token()
        made, position = msgspec.msgpack.decode(payload.removeprefix(_VERSION))
        if abs(time.time() - made) > LIFE_SECONDS:  # the clock may have gone back
            raise invalid_token()
        return position

    def _mac(self, operation: str, filters: Any, payload: bytes) -> bytes:
        about = _encoder.encode((operation, filters))
        return hashlib.blake2b(about + payload, key=self._key, digest_size=_MAC_BYTES).digest()
