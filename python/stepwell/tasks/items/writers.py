"""Result writers: the results of a map run's children, as files or as the state's output (ASL A12.62)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from stepwell.asl.json import dumps, is_array, loads

from .failures import failures_as
from .files import ItemFiles

RESULT_WRITER_FAILED = "States.ResultWriterFailed"
FILE_BYTES = 64 << 20
"""When a result file reaches this size, the next one begins."""
_KINDS = ("SUCCEEDED", "FAILED", "PENDING")


class ChildResult(Struct, frozen=True):
    """The result of a child execution. ``kind`` is SUCCEEDED, FAILED or PENDING; ``record`` is AWS's record of it."""

    kind: str
    output: bytes
    record: dict[str, Any]


class Written(Struct, frozen=True):
    """Where and how results are written: an evaluated ResultWriter, and the ARN of the map run."""

    arguments: dict[str, Any]
    config: dict[str, Any]
    arn: str


def write_results(files: ItemFiles, asked: Written, children: Iterable[ChildResult]) -> dict[str, Any]:
    """Write result files and their manifest; return the state's result. ``TaskError``: States.ResultWriterFailed."""
    with failures_as(RESULT_WRITER_FAILED, "The results could not be written"):
        return _write(files, asked, children)


def _write(files: ItemFiles, asked: Written, children: Iterable[ChildResult]) -> dict[str, Any]:
    bucket, prefix = asked.arguments.get("Bucket"), asked.arguments.get("Prefix", "")
    if not isinstance(prefix, str):
        raise ValueError(f"a Prefix is a text, not {prefix!r}")
    target = files.of(bucket)
    folder = "/".join(part for part in (prefix.strip("/"), asked.arn.rpartition(":")[2]) if part)
    extension = "jsonl" if asked.config.get("OutputType") == "JSONL" else "json"
    listed: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _KINDS}
    for kind, data in _files(children, asked.config):
        key = f"{folder}/{kind}_{len(listed[kind])}.{extension}"
        target.write(str(bucket), key, data)
        listed[kind].append({"Key": key, "Size": len(data)})
    manifest = {"DestinationBucket": bucket, "MapRunArn": asked.arn, "ResultFiles": listed}
    key = f"{folder}/manifest.json"
    target.write(str(bucket), key, dumps(manifest))  # last, so that a manifest names only files that exist
    return {"MapRunArn": asked.arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}


def _files(children: Iterable[ChildResult], config: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The files, each as soon as it is full."""
    lines = config.get("OutputType") == "JSONL"
    parts: dict[str, list[bytes]] = {kind: [] for kind in _KINDS}
    sizes: dict[str, int] = dict.fromkeys(_KINDS, 0)
    for child in children:
        kind = child.kind
        for entry in entries_of(child, config.get("Transformation", "NONE")):
            parts[kind].append(entry)
            sizes[kind] += len(entry) + 1
        if sizes[kind] >= FILE_BYTES:
            yield kind, _joined(parts[kind], lines=lines)
            parts[kind], sizes[kind] = [], 0
    for kind in _KINDS:
        if parts[kind]:
            yield kind, _joined(parts[kind], lines=lines)


def _joined(entries: list[bytes], *, lines: bool) -> bytes:
    return b"\n".join([*entries, b""]) if lines else b"[" + b",".join(entries) + b"]"


def entries_of(child: ChildResult, transformation: str) -> list[bytes]:
    """The entries that a child adds to its file: AWS's record of it, its output, or the members of its output."""
    if transformation == "NONE" or child.kind != "SUCCEEDED":
        return [dumps(child.record)]
    if transformation == "FLATTEN":
        value = loads(child.output)
        if is_array(value):
            return [dumps(member) for member in value]
    return [child.output]
