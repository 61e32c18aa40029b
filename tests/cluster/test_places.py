"""Where snapshots may be kept, beside a cluster's own bucket: a folder, and S3 (against moto's server)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import msgspec
import pytest

from stepwell import Cluster, CorruptionError, InvalidInput, StorageError
from stepwell.engine.cluster.placement import preference
from stepwell.engine.cluster.records import LeaseRecord, NodeRecord
from stepwell.engine.cluster.snapshots import archive, places
from stepwell.engine.cluster.snapshots.catalog import Catalog, Manifest
from stepwell.engine.cluster.snapshots.maker import SnapshotMaker
from stepwell.engine.cluster.snapshots.places import FolderPlace, Place, place_at
from stepwell.engine.cluster.snapshots.restoring import SnapshotSource


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The URL of S3's bucket ``kept``."""
    pytest.importorskip("obstore", reason="the extra s3 is not installed")
    server = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    import boto3

    running = server.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    endpoint = f"http://{host.replace('0.0.0.0', '127.0.0.1')}:{port}"
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys).create_bucket(Bucket="kept")
    yield endpoint
    running.stop()


def name_service(monkeypatch: pytest.MonkeyPatch, endpoint: str, url: str) -> None:
    """Name S3's address, and keys for it, as a user does."""
    keys = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    for name, value in {endpoint: url, **keys}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "folder":
        return place_at(str(tmp_path / "kept"))
    name_service(monkeypatch, "AWS_ENDPOINT", request.getfixturevalue("service"))
    return place_at("s3://kept/of/us")


def test_a_file_is_kept_listed_read_replaced_and_removed(place: Place) -> None:
    assert place.names("orders/") == []
    for name, data in {"orders/p0/a.tar": b"1" * 3_000_000, "orders/p0/a.json": b"{}", "others/p0/b": b"2"}.items():
        place.put(name, io.BytesIO(data))
    assert place.names("orders/") == ["orders/p0/a.json", "orders/p0/a.tar"]
    place.put("orders/p0/a.json", io.BytesIO(b"[]"))
    found = io.BytesIO()
    place.get("orders/p0/a.tar", found)
    assert found.getvalue() == b"1" * 3_000_000
    found = io.BytesIO()
    place.get("orders/p0/a.json", found)
    assert found.getvalue() == b"[]"
    for _ in range(2):
        place.delete("orders/p0/a.tar")
    assert place.names("orders/") == ["orders/p0/a.json"]
    with pytest.raises(StorageError, match=r"orders/p0/a\.tar"):
        place.get("orders/p0/a.tar", found)


def test_what_was_not_finished_is_removed_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = FolderPlace(str(tmp_path))
    place.put("p0/a", io.BytesIO(b"a"))
    (tmp_path / "p0" / ".partial-1").write_bytes(b"half")
    place.sweep()
    monkeypatch.setattr(places, "FORGOTTEN_SECONDS", 0.0)
    assert (tmp_path / "p0" / ".partial-1").exists()
    (tmp_path / "p0" / ".partial-1").write_bytes(b"more")
    monkeypatch.setattr(places, "FORGOTTEN_SECONDS", 600.0)
    place.sweep()
    assert (tmp_path / "p0" / ".partial-1").exists()
    monkeypatch.setattr(places, "FORGOTTEN_SECONDS", 0.0)
    place.sweep()
    assert [each.name for each in (tmp_path / "p0").iterdir()] == ["a"]


def test_an_archive_holds_a_folder_and_nothing_outside_of_it(tmp_path: Path) -> None:
    import tarfile

    (tmp_path / "a" / "log").mkdir(parents=True)
    (tmp_path / "a" / "log" / "1").write_bytes(b"one")
    (tmp_path / "a" / "empty").mkdir()
    file = io.BytesIO()
    archive.pack(tmp_path / "a", file)
    file.seek(0)
    archive.unpack(file, tmp_path / "b")
    assert (tmp_path / "b" / "log" / "1").read_bytes() == b"one"
    assert (tmp_path / "b" / "empty").is_dir()
    for number, name in enumerate(("../outside", "/absolute")):
        evil = io.BytesIO()
        with tarfile.open(fileobj=evil, mode="w") as made:
            made.addfile(tarfile.TarInfo(name))
        evil.seek(0)
        with pytest.raises(CorruptionError, match="belongs to no copy"):
            archive.unpack(evil, tmp_path / f"c{number}")
    with pytest.raises(CorruptionError, match="no archive"):
        archive.unpack(io.BytesIO(b"x" * 1000), tmp_path / "d")


@pytest.mark.parametrize("given", ["", 7])
def test_a_place_that_is_none_is_refused(given: object) -> None:
    with pytest.raises(InvalidInput, match="snapshots is a URL"):
        Cluster("nats://a:4222", snapshots=given)  # pyright: ignore[reportArgumentType]


def test_what_a_store_says_is_told_without_its_insides(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("obstore", reason="the extra s3 is not installed")
    name_service(monkeypatch, "AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match="cannot write s3://kept/of/us/a") as refused:
        place_at("s3://kept/of/us").put("a", io.BytesIO(b"1"))
    assert "Debug source" not in str(refused.value)


@pytest.mark.parametrize("given", ["s4://bucket", "s3://"])
def test_a_place_that_nobody_could_use_is_refused(given: str) -> None:
    pytest.importorskip("obstore", reason="the extra s3 is not installed")
    with pytest.raises(StorageError, match="cannot open s"):
        place_at(given)


@pytest.mark.parametrize("given", [0, -1, True, 1.5])
def test_snapshot_bytes_is_a_whole_number(given: object) -> None:
    with pytest.raises(InvalidInput, match="snapshot_bytes"):
        Cluster("nats://a:4222", snapshot_bytes=given)  # pyright: ignore[reportArgumentType]


def test_a_backup_is_made_of_the_newest_manifest_that_can_be_read(tmp_path: Path) -> None:
    place = FolderPlace(str(tmp_path))
    for position, store, former in ((9, "b", ["a"]), (8, "b", ["a"]), (20, "a", [])):
        snapshot = Manifest(1, "orders", "x", 0, 1, store, position, 7, 1, "", 0, "", "n1", "1", 0.0, former)
        place.put(f"orders/p0/{store}-{position:020}-n1-0.json", io.BytesIO(msgspec.json.encode(snapshot)))
    assert Catalog(place, "orders").current(0).position == 9
    place.put(f"orders/p0/b-{9:020}-n1-0.json", io.BytesIO(b"{"))
    assert Catalog(place, "orders").current(0).position == 8
    assert SnapshotSource(place, "orders").partitions == 1
    for each in place.names("orders/"):
        place.put(each, io.BytesIO(b""))
    with pytest.raises(StorageError, match="no snapshot that can be read of partition 0"):
        SnapshotSource(place, "orders")


def test_a_folder_is_the_same_one_whoever_asks_from_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Cluster("nats://x", snapshots="kept").snapshots == str(tmp_path / "kept")
    assert Cluster("nats://x", snapshots="s3://kept").snapshots == "s3://kept"


@pytest.mark.parametrize(
    ("leader", "failed", "maker"),
    [
        ("n1", [], "n3"),
        ("n1", ["n3"], "n2"),
        ("n1", ["n2", "n3"], "n1"),
        ("n1", ["n1", "n2", "n3"], "n3"),
        ("n3", [], "n2"),
    ],
)
def test_snapshots_are_made_by_a_node_that_can(leader: str, failed: list[str], maker: str) -> None:
    names = {each: f"n{number}" for number, each in enumerate(preference(0, ["n1", "n2", "n3"]), 1)}

    def record(name: str) -> NodeRecord:
        unsaved = {"0": "its disk is full"} if names[name] in failed else {}
        return NodeRecord(name, "", "", "", 1, [], [0], {}, {}, unsaved=unsaved)

    nodes = {name: record(name) for name in names}
    lease = LeaseRecord(next(name for name in names if names[name] == leader))
    makers: list[str] = []
    for name in names:
        coordinator, registry = Mock(alive=lambda: nodes), Mock(get=lambda *_: lease)
        found = SnapshotMaker(Mock(), registry, Cluster("nats://x", node=name), Mock(), Mock(), coordinator, [], Path())
        if found.is_ours(Mock(index=0)):
            makers.append(names[name])
    assert makers == [maker]
