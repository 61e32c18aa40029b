"""Item readers: read the items that an ItemReader asks for (ASL A12.60)."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any, BinaryIO, NamedTuple, cast

from msgspec import Raw

from stepwell.asl.json import dumps, is_array, is_object, loads
from stepwell.asl.resources import parse_resource

from .failures import failures_as
from .files import ItemFiles
from .formats import FormatError, read_csv, read_json_lines, read_parquet, rows_of_csv
from .objects import ObjectInfo
from .parts import Part, ReadItems

ITEM_READER_FAILED = "States.ItemReaderFailed"
_UNREAD = "The items could not be read"
_S3_URL = re.compile(r"s3://([^/]+)/(.+)")


class Member(dict[str, Any]):
    """An item that is a member of a JSON object."""


class Source(NamedTuple):
    """The object store, and the reader's configuration."""

    files: ItemFiles
    bucket: Any
    config: dict[str, Any]


def read_items(files: ItemFiles, asked: dict[str, Any]) -> list[Any] | ReadItems:
    """The items that ``asked`` (``resource``, ``arguments``, ``config``, ``maxItems``) describes.

    They have parts if they come from several objects or are members of a JSON object.
    Raises ``TaskError``: States.ItemReaderFailed.
    """
    with failures_as(ITEM_READER_FAILED, _UNREAD):
        return _read(files, asked)


def items_of_text(text: str, config: dict[str, Any], most: int) -> list[Any]:
    """The items of a file whose text is given; of them ``most``, or all where that is 0.

    Raises ``TaskError``: States.ItemReaderFailed.
    """
    with failures_as(ITEM_READER_FAILED, _UNREAD):
        items = _items_of(io.BytesIO(text.encode()), config)
        return list(islice(items, most or None))


def _read(files: ItemFiles, asked: dict[str, Any]) -> list[Any] | ReadItems:
    most: int = asked["maxItems"]
    source = Source(files, asked["arguments"].get("Bucket"), asked["config"])
    items: list[Any] = []
    parts: list[Part] = []
    for place, reading in _places(source, asked):
        before = len(items)
        with closing(reading):
            items.extend(islice(reading, most - before if most else None))
        if len(items) > before:
            parts.append(Part(place, len(items) - before, isinstance(items[before], Member)))
        if most and len(items) >= most:
            break
    if _flattens(asked) or any(part.are_members for part in parts):
        return ReadItems(Raw(dumps(items)), tuple(parts))
    return items


def _flattens(asked: dict[str, Any]) -> bool:
    is_list = parse_resource(asked["resource"]).action == "listObjectsV2"
    return is_list and asked["config"].get("Transformation") == "LOAD_AND_FLATTEN"


def _places(source: Source, asked: dict[str, Any]) -> Iterator[tuple[str, Generator[Any, None, None]]]:
    """What is read, in order: its ``Map.Item.Source``, and its items."""
    arguments, config = asked["arguments"], source.config
    if parse_resource(asked["resource"]).action == "listObjectsV2":
        objects = _listed(source, arguments.get("Prefix", ""))
        if not _flattens(asked):
            yield f"S3://{source.bucket}", (_of_object(each) for each in objects)
            return
        for each in objects:
            yield f"S3://{source.bucket}/{each.key}", _of_file(source, each.key)
        return
    key = _key(arguments)
    if config.get("InputType") != "MANIFEST" and config.get("ManifestType") is None:
        reading = _of_file(source, key)
    elif config.get("ManifestType") == "ATHENA_DATA":
        reading = _of_athena_manifest(source, key)
    else:
        reading = _of_inventory(source, key)
    yield f"S3://{source.bucket}/{key}", reading


def _key(arguments: dict[str, Any]) -> str:
    key = arguments.get("Key")
    if not isinstance(key, str):
        raise FormatError(f"a Key is needed, not {key!r}")
    return key


def _listed(source: Source, prefix: Any) -> Iterator[ObjectInfo]:
    if not isinstance(prefix, str):
        raise FormatError(f"a Prefix is a text, not {prefix!r}")
    return source.files.of(source.bucket).list(source.bucket, prefix)


def _of_object(info: ObjectInfo) -> dict[str, Any]:
    return {
        "Etag": f'"{info.etag}"',
        "Key": info.key,
        "LastModified": info.modified,
        "Size": info.size,
        "StorageClass": "STANDARD",
    }


@contextmanager
def _open(source: Source, key: str) -> Generator[BinaryIO, None, None]:
    with source.files.of(source.bucket).open(source.bucket, key) as file:
        if key.endswith(".gz"):
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield cast("BinaryIO", unpacked)
        else:
            yield file


def _of_file(source: Source, key: str) -> Generator[Any, None, None]:
    """The items of one file, in the configured format."""
    with _open(source, key) as file:
        yield from _items_of(file, source.config)


def _items_of(file: BinaryIO, config: dict[str, Any]) -> Iterable[Any]:
    match config.get("InputType"):
        case "CSV":
            return read_csv(file, config)
        case "JSONL":
            return read_json_lines(file)
        case "PARQUET":
            return read_parquet(file)
        case _:
            return _of_json(loads(file.read()), config.get("ItemsPointer"))


def _of_json(value: Any, pointer: str | None) -> Iterable[Any]:
    value = _pointed_at(value, pointer) if pointer else value
    if is_array(value):
        return value
    if is_object(value):
        return [Member(Key=key, Value=member) for key, member in value.items()]
    raise FormatError("Attempting to map over non-iterable node.")


def _pointed_at(value: Any, pointer: str) -> Any:
    """The value that a JSON Pointer (RFC 6901) points to."""
    if not pointer.startswith("/"):
        raise FormatError(f"ItemsPointer {pointer!r} is no JSON Pointer: it begins with a slash")
    for part in pointer[1:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if is_object(value) and name in value:
            value = value[name]
        elif is_array(value) and re.fullmatch(r"0|[1-9]\d*", name) and int(name) < len(value):
            value = value[int(name)]
        else:
            raise FormatError(f"ItemsPointer {pointer!r} points at nothing: there is no {name!r}")
    return value


def _of_inventory(source: Source, key: str) -> Generator[Any, None, None]:
    """The rows of an S3 Inventory, whose manifest lists its files and their columns."""
    with _open(source, key) as file:
        manifest = loads(file.read())
    if not is_object(manifest) or not is_array(manifest.get("files")):
        raise FormatError("the manifest has no list of files")
    if manifest.get("fileFormat", "CSV") != "CSV":
        raise FormatError(f"an inventory of {manifest['fileFormat']} files cannot be read: only CSV")
    headers = [name.strip() for name in str(manifest.get("fileSchema", "")).split(",")]
    bucket = str(manifest.get("destinationBucket", "")).rpartition(":")[2] or source.bucket
    target = source._replace(bucket=source.bucket if str(source.bucket).startswith("file:") else bucket)
    for each in cast("list[dict[str, Any]]", manifest["files"]):
        with _open(target, _key({"Key": each.get("key")})) as file:
            yield from rows_of_csv(file, headers, ",")


def _of_athena_manifest(source: Source, key: str) -> Generator[Any, None, None]:
    """The items of the files that an Athena UNLOAD wrote; its manifest has a line for each file."""
    with _open(source, key) as file:
        lines = [line.strip() for line in file.read().decode().splitlines()]
    for line in filter(None, lines):
        match = _S3_URL.fullmatch(line)
        if match is None:
            raise FormatError(f"the manifest holds {line!r}, which is no s3:// address")
        yield from _of_file(source._replace(bucket=match[1]), match[2])
