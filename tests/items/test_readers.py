"""Item readers: files, folders and manifests become items (ASL A12.60)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import astuple

from stepwell.errors import TaskError
from stepwell.tasks.items import ItemFiles
from stepwell.tasks.items.parts import ReadItems
from stepwell.tasks.items.readers import read_items

GET = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"
FIRST_ROW = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
# What AWS was given and what it made of it: test_map_item_reader_* in the recordings.
ROWS = ["Value1,Value2,Value3", "Value4,Value5,Value6", ",,,", "true,1,'HelloWorld'", "Null,None,", "   ,"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    return tmp_path


def read(root: Path, text: str | bytes, config: dict[str, Any], key: str = "k", most: int = 0) -> list[Any]:
    """The items of one file in the bucket ``b``."""
    (root / "b" / key).write_bytes(text if isinstance(text, bytes) else text.encode())
    asked = {"resource": GET, "arguments": {"Bucket": "b", "Key": key}, "config": config, "maxItems": most}
    return values(read_items(ItemFiles(s3=root), asked))


def values(found: Any) -> list[Any]:
    """Items as an array, with or without parts."""
    return json.loads(bytes(found.items)) if isinstance(found, ReadItems) else found


def parts(root: Path, resource: str, config: dict[str, Any], most: int = 0, **arguments: Any) -> list[tuple[Any, ...]]:
    """Where items are from: none, where the reader answers with a plain array."""
    asked = {"resource": resource, "arguments": {"Bucket": "b", **arguments}, "config": config, "maxItems": most}
    found = read_items(ItemFiles(s3=root), asked)
    return [astuple(part) for part in found.parts] if isinstance(found, ReadItems) else []


def listed(root: Path, prefix: str | None = None, **config: Any) -> list[Any]:
    """The items of the bucket ``b`` itself."""
    arguments = {"Bucket": "b"} if prefix is None else {"Bucket": "b", "Prefix": prefix}
    asked = {"resource": LIST, "arguments": arguments, "config": config, "maxItems": 0}
    return values(read_items(ItemFiles(s3=root), asked))


@pytest.mark.covers("A12.60")
def test_csv_with_headers_in_its_first_row(root: Path) -> None:
    rows = read(root, "\n".join(["Col1,Col2,Col3", *ROWS]), FIRST_ROW)
    assert rows[0] == {"Col1": "Value1", "Col2": "Value2", "Col3": "Value3"}
    assert rows[2:] == [
        {"Col1": "", "Col2": "", "Col3": ""},
        {"Col1": "true", "Col2": "1", "Col3": "'HelloWorld'"},
        {"Col1": "Null", "Col2": "None", "Col3": ""},
        {"Col1": "   ", "Col2": "", "Col3": ""},
    ]


@pytest.mark.covers("A12.60")
def test_csv_with_given_headers_drops_what_has_none(root: Path) -> None:
    config = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["H1"]}
    assert [row["H1"] for row in read(root, "\n".join(ROWS), config)] == ["Value1", "Value4", "", "true", "Null", "   "]


@pytest.mark.covers("A12.60")
def test_csv_headers_may_be_empty_but_not_the_same(root: Path) -> None:
    assert read(root, "H1,\nValue4,Value5,Value6", FIRST_ROW) == [{"H1": "Value4", "": "Value5"}]
    with pytest.raises(TaskError) as failed:
        read(root, "H1,,\nValue4,Value5,Value6", FIRST_ROW)
    assert (failed.value.error, failed.value.cause) == (
        "States.ItemReaderFailed",
        "CSV headers cannot contain duplicates.",
    )


@pytest.mark.covers("A12.60")
@pytest.mark.parametrize(
    ("name", "sign"), [("COMMA", ","), ("PIPE", "|"), ("SEMICOLON", ";"), ("SPACE", " "), ("TAB", "\t")]
)
def test_csv_delimiters(root: Path, name: str, sign: str) -> None:
    assert read(root, f"a{sign}b\r\n1{sign}2\r\n", {**FIRST_ROW, "CSVDelimiter": name}) == [{"a": "1", "b": "2"}]


def test_csv_quotes_line_breaks_and_byte_order_mark(root: Path) -> None:
    assert read(root, '\ufeffa,b\n"1\n2","say ""hi"""\n', FIRST_ROW) == [{"a": "1\n2", "b": 'say "hi"'}]


# AWS's guide, "How Step Functions parses input CSV files": its rules, and its example.
@pytest.mark.covers("A12.60")
@pytest.mark.parametrize(
    ("row", "fields"),
    [
        (r"1\,2,x", ["1,2", "x"]),
        (r"C:\\\\X,1", [r"C:\\X", "1"]),
        (r"C:\\Program Files\\MyApp.exe,6534512", [r"C:\Program Files\MyApp.exe", "6534512"]),
        (r"a\bc,\n", ["abc", "n"]),
        ("x\\", ["x"]),
        (r"say \"hi\",y", ['say "hi"', "y"]),
        (r'"say \"hi\", he",y', ['say "hi", he', "y"]),
        (r'"a\\",y', ["a\\", "y"]),
        ('{""k"":""v""},y', ['{"k":"v"}', "y"]),
        ('5" pipe,y', ['5" pipe', "y"]),
        ('"",y', ["", "y"]),
        ('"""",y', ['"', "y"]),
        ('"a"b,y', ["ab", "y"]),
        ('"1,2\n3",y', ["1,2\n3", "y"]),
        ('y,"1\r\n\r\n2"', ["y", "1\r\n\r\n2"]),
        (
            'abc,123,"This string contains commas, a double quotation marks (""), and a newline (\n)",'
            '{""MyKey"":""MyValue""},"[1,2,3]"',
            [
                "abc",
                "123",
                'This string contains commas, a double quotation marks ("), and a newline (\n)',
                '{"MyKey":"MyValue"}',
                "[1,2,3]",
            ],
        ),
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\nlast,z\r\n"])
def test_csv_quotes_and_backslashes(root: Path, row: str, fields: list[str], end: str) -> None:
    headers = [f"H{index}" for index in range(len(fields))]
    config = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": headers}
    found = read(root, row + end, config)
    assert list(found[0].values()) == fields
    assert len(found) == (2 if "last" in end else 1)


@pytest.mark.covers("A12.60")
def test_a_backslash_keeps_the_delimiter_of_the_file(root: Path) -> None:
    assert read(root, "a|b\n1\\|2|\\,3", {**FIRST_ROW, "CSVDelimiter": "PIPE"}) == [{"a": "1|2", "b": ",3"}]


def test_a_quote_without_an_end_fails_the_reader(root: Path) -> None:
    with pytest.raises(TaskError, match="a quoted field has no end"):
        read(root, 'a,b\n"1,2\n3', FIRST_ROW)


@pytest.mark.covers("A12.60")
@pytest.mark.parametrize(("most", "count"), [(0, 4), (2, 2), (100_000_000, 4)])
def test_max_items(root: Path, most: int, count: int) -> None:
    assert len(read(root, "a\n1\n2\n3\n4", FIRST_ROW, most=most)) == count
    assert len(read(root, "[1,2,3,4]", {"InputType": "JSON"}, most=most)) == count


@pytest.mark.covers("A12.60")
def test_json_arrays_and_objects(root: Path) -> None:
    assert read(root, '[1,{"a":null}]', {"InputType": "JSON"}) == [1, {"a": None}]
    assert read(root, '{"a":1}', {"InputType": "JSON"}) == [{"Key": "a", "Value": 1}]


@pytest.mark.covers("A12.60")
@pytest.mark.parametrize("text", ["1", '"text"', "null", "true"])
def test_json_that_is_neither(root: Path, text: str) -> None:
    with pytest.raises(TaskError) as failed:
        read(root, text, {"InputType": "JSON"})
    assert failed.value.cause == "Attempting to map over non-iterable node."


@pytest.mark.covers("A12.60")
@pytest.mark.parametrize("pointer", ["/a~1b/1/m~0n", "/a~1b/2"])
def test_items_pointer(root: Path, pointer: str) -> None:
    text = json.dumps({"a/b": [0, {"m~n": [7]}, [7]]})
    assert read(root, text, {"InputType": "JSON", "ItemsPointer": pointer}) == [7]


@pytest.mark.parametrize("pointer", ["a", "/b", "/a/9", "/a/-1", "/a/01", "/a/0/x"])
def test_an_items_pointer_that_points_at_nothing(root: Path, pointer: str) -> None:
    with pytest.raises(TaskError, match="ItemsPointer"):
        read(root, '{"a":[1]}', {"InputType": "JSON", "ItemsPointer": pointer})


@pytest.mark.covers("A12.60")
def test_json_lines(root: Path) -> None:
    assert read(root, '{"a":1}\n\n[2]\n3', {"InputType": "JSONL"}) == [{"a": 1}, [2], 3]
    with pytest.raises(TaskError, match="line 2"):
        read(root, "1\n{", {"InputType": "JSONL"})


def test_compressed_files(root: Path) -> None:
    assert read(root, gzip.compress(b"[1]"), {"InputType": "JSON"}, key="k.gz") == [1]


@pytest.mark.covers("A12.60")
def test_parquet(root: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"a": [1, None], "b": ["x", "y"]}), root / "b" / "t")
    items = read(root, (root / "b" / "t").read_bytes(), {"InputType": "PARQUET"})
    assert items == [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]


@pytest.mark.covers("A12.60")
def test_a_list_of_objects(root: Path) -> None:
    for key in ("in/2", "in/1", "in/deep/3", "other"):
        (root / "b" / key).parent.mkdir(parents=True, exist_ok=True)
        (root / "b" / key).write_text("[1]")
    assert [item["Key"] for item in listed(root)] == ["in/1", "in/2", "in/deep/3", "other"]
    first, *_ = listed(root, "in/")
    assert set(first) == {"Etag", "Key", "LastModified", "Size", "StorageClass"}
    assert first["Size"] == 3
    assert len(listed(root, "in/")) == 3
    assert listed(root, "in/", Transformation="LOAD_AND_FLATTEN", InputType="JSON") == [1, 1, 1]


@pytest.mark.covers("A12.57", "A12.60")
def test_flattened_items_are_from_their_objects(root: Path) -> None:
    for key, text in {"1": "[1, 2]", "2": "[]", "3": '{"a": 1}', "4": "[4]"}.items():
        (root / "b" / key).write_text(text)
    flatten = {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSON"}
    assert listed(root, **flatten) == [1, 2, {"Key": "a", "Value": 1}, 4]
    every = [("S3://b/1", 2, False), ("S3://b/3", 1, True), ("S3://b/4", 1, False)]
    assert parts(root, LIST, flatten) == every
    assert parts(root, LIST, flatten, most=3) == every[:2]
    assert parts(root, LIST, flatten, most=1) == [("S3://b/1", 1, False)]
    assert parts(root, LIST, flatten, Prefix="9") == []
    assert parts(root, LIST, {}) == []


@pytest.mark.covers("A12.57", "A12.60")
def test_members_of_an_object_in_a_file_are_told_apart_from_elements(root: Path) -> None:
    (root / "b" / "o").write_text('{"x": {"a": 1, "b": 2}, "y": [1], "z": {}}')
    assert parts(root, GET, {"InputType": "JSON", "ItemsPointer": "/x"}, Key="o") == [("S3://b/o", 2, True)]
    assert parts(root, GET, {"InputType": "JSON", "ItemsPointer": "/y"}, Key="o") == []
    assert parts(root, GET, {"InputType": "JSON", "ItemsPointer": "/z"}, Key="o") == []
    assert parts(root, GET, {"InputType": "JSON"}, most=1, Key="o") == [("S3://b/o", 1, True)]


@pytest.mark.covers("A12.60")
def test_an_inventory(root: Path) -> None:
    (root / "b" / "data").mkdir()
    (root / "b" / "data" / "1.csv.gz").write_bytes(gzip.compress(b'"src","a.txt","5"\n"src","b.txt","6"\n'))
    manifest = {
        "destinationBucket": "arn:aws:s3:::b",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "data/1.csv.gz"}],
    }
    assert read(root, json.dumps(manifest), {"ManifestType": "S3_INVENTORY"}) == [
        {"Bucket": "src", "Key": "a.txt", "Size": "5"},
        {"Bucket": "src", "Key": "b.txt", "Size": "6"},
    ]


@pytest.mark.covers("A12.60")
def test_a_manifest_of_athena(root: Path) -> None:
    (root / "b" / "1").write_text('{"a":1}\n')
    (root / "b" / "2").write_text('{"a":2}\n')
    config = {"InputType": "JSONL", "ManifestType": "ATHENA_DATA"}
    assert read(root, "s3://b/1\ns3://b/2\n", config, key="m.csv") == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("arguments", [{}, {"Bucket": "b"}, {"Bucket": 1, "Key": "k"}, {"Bucket": "b", "Key": "gone"}])
def test_what_cannot_be_read_fails_the_reader(root: Path, arguments: dict[str, Any]) -> None:
    asked = {"resource": GET, "arguments": arguments, "config": {"InputType": "JSON"}, "maxItems": 0}
    with pytest.raises(TaskError) as failed:
        read_items(ItemFiles(s3=root), asked)
    assert failed.value.error == "States.ItemReaderFailed"
