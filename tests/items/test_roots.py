"""Readers and writers touch nothing outside what the executor was given (RELIABILITY.md, threats)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from stepwell.tasks.items import ItemFiles

SECRET = "secret"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "bucket" / "sub").mkdir(parents=True)
    (tmp_path / "root" / "bucket" / "file").write_text("open")
    (tmp_path / SECRET).write_text("no")
    (tmp_path / "root-beside").mkdir()
    (tmp_path / "root-beside" / "file").write_text("no")
    (tmp_path / "root" / "bucket" / "link").symlink_to(tmp_path / SECRET)
    (tmp_path / "root" / "bucket" / "way").symlink_to(tmp_path)
    return tmp_path / "root"


def contents(files: ItemFiles, bucket: Any, key: str) -> bytes:
    with files.of(bucket).open(bucket, key) as file:
        return file.read()


@pytest.mark.parametrize(
    "key",
    ["../../secret", "/etc/passwd", "sub/../../../secret", "link", "way/secret", "", ".", "sub/..", "a\0b", "sub"],
)
def test_no_key_leads_out_of_its_bucket(root: Path, key: str) -> None:
    for files, bucket in ((ItemFiles(s3=root), "bucket"), (ItemFiles([root]), f"file://{root}/bucket")):
        with pytest.raises(OSError, match=r"."):
            contents(files, bucket, key)
        if key != "sub":
            with pytest.raises(OSError, match=r"."):
                files.of(bucket).write(bucket, key, b"x")
    assert (root.parent / SECRET).read_text() == "no"


@pytest.mark.parametrize("bucket", ["..", ".", "", "bucket/..", "../root", "a\0b", ".hidden", 7, None, {"a": 1}])
def test_no_bucket_leads_out_of_the_root(root: Path, bucket: Any) -> None:
    with pytest.raises(OSError, match=r"."):
        contents(ItemFiles(s3=root), bucket, "file")


@pytest.mark.parametrize(
    "url",
    [
        "file://{root}/..",
        "file://{root}-beside",
        "file://{root}/bucket/way",
        "file://{root}/bucket/%2e%2e/%2e%2e",
        "file://elsewhere/bucket",
        "file:///",
        "file:",
        "file://{root}/bucket?x",
    ],
)
def test_a_folder_is_in_one_of_the_roots(root: Path, url: str) -> None:
    with pytest.raises(OSError, match=r"."):
        contents(ItemFiles([root]), url.format(root=root), "file")


def test_without_roots_there_is_nothing(root: Path) -> None:
    for bucket in ("bucket", f"file://{root}/bucket", "file:///"):
        with pytest.raises(PermissionError):
            ItemFiles().of(bucket)


def test_what_is_inside_is_read(root: Path) -> None:
    assert contents(ItemFiles(s3=root), "bucket", "file") == b"open"
    assert contents(ItemFiles([root]), f"file://{root}/bucket", "file") == b"open"
    assert contents(ItemFiles([root]), f"file://localhost{root}", "bucket/file") == b"open"


def test_a_list_follows_no_links_and_a_pipe_is_no_object(root: Path) -> None:
    os.mkfifo(root / "bucket" / "pipe")
    files = ItemFiles(s3=root)
    assert [info.key for info in files.of("bucket").list("bucket", "")] == ["file"]
    with pytest.raises(FileNotFoundError):
        contents(files, "bucket", "pipe")


def test_a_file_is_written_whole_or_not_at_all(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = ItemFiles(s3=root).of("bucket")

    def fail(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="full"):
        files.write("bucket", "file", b"new")
    assert (root / "bucket" / "file").read_bytes() == b"open"
    assert sorted(os.listdir(root / "bucket")) == ["file", "link", "sub", "way"]


def test_no_bucket_is_made_by_writing(root: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ItemFiles(s3=root).of("new").write("new", "k", b"")
