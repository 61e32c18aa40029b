"""What a request is answered with."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from email.utils import formatdate
from math import isinf
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from stepwell.engine.host.reading import Reading
from stepwell.step_functions.errors import Fault

JSON_1_0 = b"application/x-amz-json-1.0"
JSON = b"application/json"
Headers = tuple[tuple[bytes, bytes], ...]
AGE = b"stepwell-age"
"""The header with the age of what copies answer."""
TRUE_NOW: Headers = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""The headers of what nobody keeps, and whose type nobody guesses."""
encode = msgspec.json.Encoder().encode


class Answer(Struct, frozen=True, gc=False):
    """An answer, with the headers that not all have."""

    status: int
    body: bytes
    content_type: bytes = JSON_1_0
    headers: Headers = ()


class Stream(NamedTuple):
    """An answer whose body is made as time goes by."""

    parts: AsyncGenerator[bytes]
    content_type: bytes
    headers: Headers = ()


def json_answer(value: Any, headers: Headers = ()) -> Answer:
    """A JSON document that is true now: nobody keeps it."""
    return Answer(200, encode(value), JSON, TRUE_NOW + headers)


def age_headers(reading: Reading | None) -> Headers:
    """How old an answer is at most that copies of this node gave, in seconds."""
    if reading is None or reading.consistency == "leader":
        return ()
    age = "unknown" if isinf(reading.age) else f"{reading.age:.3f}"
    return ((AGE, age.encode()),)


def answer_of(fault: Fault) -> Answer:
    """The answer that tells an error. One about a signature tells the server's time: SDKs set their clocks by it."""
    headers = ((b"date", formatdate(usegmt=True).encode()),) if fault.status == 403 else ()
    return Answer(fault.status, encode(fault.body()), headers=headers)
