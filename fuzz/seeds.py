"""Writes the seed corpora, from the golden logs: ``.venv/bin/python fuzz/seeds.py``.

A seed is a small example of each kind. What a fuzzer finds stays on its machine; a case that found a defect is
added to the corpus by hand, and ``make test`` runs all of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from stepwell import _core

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "rust/core/tests/golden/log-1/0000000000000001.log"
HEADER, END = 64, 1
SCOPE = "/acme/prod/e0123abc/6553f1000000001f"
IDS = [SCOPE, f"{SCOPE}/0000000a", f"{SCOPE}/0000000a/b0", f"{SCOPE}/0000000a/i4294967295", "/a/b/t0000000/00000000"]
TEXTS = [*IDS, "6553f1000000001f", "1700000000.31", "7306363630134263839", "/./../e0123abc/6553f1000000001f"]
ROWS = [
    (0, [b"/t/n/e0000001/0000000000000001"] * 2),
    (1, [SCOPE.encode() + b"/00000001", SCOPE.encode() + b"/00000001/b0"]),
    (5, [b"target", b"\x01", b"\x00\x05\xf3", b"target\x00", b"\x02", b"\x00\x05\xf3"]),
    (6, [b"name", b"\x01", b"name\x00x", b"\x02"]),
    (8, [b"w", b"Running", b"\x07", b"id", b"w", b"Failed", b"\x08", b"id"]),
    (10, [b"queue", b"task", b"que\x00", b"uetask"]),
]
"""Two rows of a kind, by its tag minus one; FF separates the fields."""


def frames(log: bytes) -> Iterator[bytes]:
    """The frames of a segment: header, payload, end."""
    at = 0
    while at < len(log):
        (length,) = struct.unpack_from("<I", log, at + 36)
        yield log[at : at + HEADER + length + END]
        at += HEADER + length + END


def write(target: str, seeds: list[bytes]) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number:02}").write_bytes(seed)
    print(f"{target}: {len(seeds)} seeds")


def main() -> None:
    log = GOLDEN.read_bytes()
    whole = list(frames(log))
    turns = [turn for frame in whole for turn in _core.split_turns(frame[HEADER:-END])]
    records = {record[0]: record for turn in turns for record in msgspec.msgpack.decode(turn)[3]}
    encoded = [msgspec.msgpack.encode(record) for record in records.values()]
    first = b"".join(whole[:3])
    write("log", [b"\0" + log, b"\1" + first, b"\1" + first[:-7], b"\0" + first[:-7], b"\1" + first + bytes(40), b"\0"])
    write("record", [*sorted(turns, key=len)[:3], b"".join(turns[:2]), *encoded])
    write("id", [text.encode() for text in TEXTS])
    write("key", [bytes([kind]) + b"\xff".join(fields) for kind, fields in ROWS])


if __name__ == "__main__":
    main()
