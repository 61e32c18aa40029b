"""Snapshots of a cluster: streams are purged behind them, copies begin with them, and what is lost comes back.

All tests share three servers. The last ones delete folders of servers, as an operator might find them.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("nats")

from cluster.network import Network
from cluster.orders import (
    ECHO,
    PADDING,
    SECONDS,
    Orders,
    check_outputs,
    converge,
    fill,
    leadership,
    until,
)
from cluster.servers import Servers, binary
from stepwell import Cluster, StorageError, _core
from stepwell.engine.cluster import overview as overview_module
from stepwell.engine.cluster import registry
from stepwell.engine.cluster.snapshots import maker
from stepwell.engine.cluster.snapshots.bucket import BucketPlace
from stepwell.engine.cluster.snapshots.catalog import Catalog
from stepwell.engine.cluster.snapshots.places import FolderPlace
from stepwell.engine.cluster.snapshots.restoring import Restore, SnapshotSource


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    network = Network()
    found = Servers(network, tmp_path_factory.mktemp("nats"), binary())
    try:
        found.start()
        found.wait()
        yield found
    finally:
        found.close()
        network.close()


# nats-py leaves connections unclosed when a server dies; they are collected within these tests.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(maker, "LOOK_SECONDS", 0.2)
    yield
    gc.collect()


def test_a_purged_stream_is_no_loss_for_a_node_that_was_away_or_lost_its_folder(
    servers: Servers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    orders = Orders(servers, tmp_path, "purged", snapshots=str(tmp_path / "snapshots"))
    one, two = orders.node("n1"), orders.node("n2")
    ids = fill(one, lambda: orders.stream()["first_sequence"] > 1)
    two.close()
    left = int(leadership_folder_sequence(tmp_path / "n2"))
    ids += fill(one, lambda: orders.stream()["first_sequence"] > left + 1)
    two, three = orders.node("n2"), orders.node("n3")  # one was away for longer than the purge, one has no folder
    converge(one, two, three)
    assert "it begins with a snapshot" in caplog.text
    check_outputs(two, ids)
    for node in (two, three):
        node.close()

    # A folder of the same name is another one where it is not mounted: nobody takes it for the cluster's.
    kept, aside = tmp_path / "snapshots", tmp_path / "aside"
    overview = orders.overview()
    kept.rename(aside)
    with pytest.raises(StorageError, match="Is it mounted, and the same for all nodes"):
        overview.catalog.list(0)
    ids += fill(one, lambda: bool(leadership(one).unsaved))
    until(lambda: "node n1 makes no snapshot" in orders.run("check").stdout, "a word on snapshots that are not made")
    assert not kept.exists()
    aside.rename(kept)
    overview.close()

    # A snapshot that is damaged is refused by its name, and the one before it is used.
    place = FolderPlace(str(tmp_path / "snapshots"))
    store = orders.stream()["store"]
    overview = orders.overview()
    overview.snapshot(0)  # so that none is due for a while
    overview.close()
    newest, before = until(lambda: Catalog(place, "purged").newest(0, store), "two snapshots")
    damaged = max((tmp_path / "snapshots").glob(f"**/{store}-{newest.position:020}-*.tar"))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    shutil.rmtree(tmp_path / "n3")
    caplog.clear()
    three = orders.node("n3")
    converge(one, three)
    assert f"{damaged.stem} in {place.where} is damaged" in caplog.text
    assert f"begins with the snapshot at position {before.position}" in caplog.text
    found = orders.run("check", "--replay")
    assert found.returncode == 1
    assert damaged.stem in found.stdout

    # Whatever a killed process leaves is removed, and counts for nothing.
    three.close()
    for rest in ("p0.snapshot", "p0.old", "p0.making"):
        (tmp_path / "n3" / rest).mkdir()
    for rest in ("p0.snapshot.tar", "p0.making.tar"):
        (tmp_path / "n3" / rest).touch()
    three = orders.node("n3")
    converge(one, three)
    until(lambda: not list((tmp_path / "n3").glob("p0.*")), "an orderly folder")
    one.close()
    three.close()


def leadership_folder_sequence(node: Path) -> str:
    """The sequence up to which a node's folder has the stream for certain."""
    return (node / "p0" / "CHAIN").read_text().split()[1]


def test_snapshots_are_made_by_hand_by_two_at_once_and_are_the_backup(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = Orders(servers, tmp_path / "a", "backed", partitions=2, snapshot_bytes=1 << 30)
    monkeypatch.setattr(maker.SnapshotMaker, "is_ours", lambda self, leadership: leadership.copy is not None)
    with orders.node("n1") as one, orders.node("n2") as two:
        ids = [one.start("echo", {"padding": PADDING}).id for _ in range(8)]
        check_outputs(two, ids)
        overview = orders.overview()
        for _ in range(2):
            orders.append(one, 2)
            assert [overview.snapshot(index).partition for index in range(2)] == [0, 1]
        orders.append(one, 2)
        made = orders.read("snapshot")
        assert [each["partition"] for each in made] == [0, 1]
        (status,) = orders.read("status")
        first = status["partitions"][0]
        until(lambda: orders.stream()["first_sequence"] > 1, "a purge")
        assert first["snapshots"][0]["position"] == made[0]["position"]
        assert made[1]["place"] == "the bucket stepwell_backed_snapshots"
        for partition in range(2):
            listed = until(lambda p=partition: overview.catalog.list(p), "snapshots")
            assert all(overview.catalog.check(each).position == each.position for each in listed)
        proved = orders.run("check", "--replay")
        assert proved.returncode == 0, proved.stdout + proved.stderr

        # What lies in the bucket is copied elsewhere, and becomes another cluster.
        backup = FolderPlace(str(tmp_path / "backup"))
        copied = tmp_path / "copied"
        for name in overview.catalog.place.names("backed/"):
            with copied.open("w+b") as file:
                overview.catalog.place.get(name, file)
                file.seek(0)
                backup.put(name, file)
        overview.close()
    restored = Orders(servers, tmp_path / "b", "restored", partitions=2)
    lines = restored.read("restore", "--from", tmp_path / "backup", "--from-name", "backed")
    assert [line["partition"] for line in lines] == [0, 1]
    again = restored.run("restore", "--from", tmp_path / "backup", "--from-name", "backed")
    assert "each partition has its stream" in again.stderr
    check_that_an_interrupted_restore_leaves_no_snapshot(restored, backup)
    with restored.node("n1") as one:
        check_outputs(one, ids)
        assert one.run(ECHO, {"n": 1}).output == b'{"n":1}'
        with pytest.raises(StorageError, match="the snapshots of a cluster are its backup"):
            one.backup(tmp_path / "no")
        refused = restored.run("restore", "0", "--from", tmp_path / "backup", "--from-name", "backed")
        assert "node n1 lives and leads" in refused.stderr


def check_that_an_interrupted_restore_leaves_no_snapshot(orders: Orders, backup: FolderPlace) -> None:
    """It would be taken for the newest of the partition, whatever came later."""
    overview = orders.overview()
    before = overview.catalog.list(0)
    restore = Restore(Cluster(orders.servers.urls, name=orders.name), SnapshotSource(backup, "backed"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(restore, "_write", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            list(restore.restore([0], Path(backup.where)))
    restore.close()
    assert overview.catalog.list(0) == before
    overview.close()


def test_a_copy_whose_bits_have_changed_answers_nothing_and_makes_no_snapshot(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview_module, "MOVE_SECONDS", 2.0)
    orders = Orders(servers, tmp_path, "rotten", snapshot_bytes=1 << 30)
    with orders.node("n1") as one, orders.node("n2") as two:
        ids = [two.start("echo", {"padding": os.urandom(1000).hex()}).id for _ in range(60)]
        outputs = [one.get(id).wait(SECONDS).output for id in ids]
        converge(one, two)
        two.close()
        for file in (tmp_path / "n2" / "p0" / "storage").glob("*.sst"):
            content = bytearray(file.read_bytes())
            for place in range(100, len(content) // 2, 3000):  # rows: its end says what it is
                content[place] ^= 1
            file.write_bytes(content)
        two = orders.node("n2")
        overview = orders.overview()
        with contextlib.suppress(StorageError):  # it may be found out before it leads
            overview.move(0, "n2")
        assert [one.get(id).wait(SECONDS).output for id in ids] == outputs  # the other node leads instead
        until(lambda: leadership(one).is_led, "a leader whose copy is sound")
        found = orders.run("check")
        assert found.returncode == 1
        assert "node n2: the storage in" in found.stdout
        assert "checksum" in found.stdout
        with two.reading("local"), pytest.raises(StorageError, match="is damaged"):
            two.list("echo")
        assert overview.snapshot(0).node == "n1"
        overview.close()
        two.close()
    (line,) = [
        json.loads(line) for line in orders.run("copies", "--data", tmp_path / "n2", "--json").stdout.splitlines()
    ]
    assert "is damaged" in line["problem"]  # so it is not taken for the true one, and nothing is restored of it


def test_what_an_interrupted_upload_left_is_swept(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stepwell.engine.cluster.snapshots import places

    orders = Orders(servers, tmp_path, "swept")
    with orders.node("n1") as one:
        one.run(ECHO, {})
        overview = orders.overview()
        catalog = overview.catalog
        overview.snapshot(0)
        kept = catalog.place.names("swept/")
        with (tmp_path / "data").open("w+b") as file:
            file.write(b"1" * 700_000)
            file.seek(0)
            catalog.place.put("swept/p0/begun-7-n1-x.tar", file)  # its manifest was never written
            file.seek(0)
            monkeypatch.setattr(BucketPlace, "_meta", lambda *_: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                catalog.place.put("swept/p0/half.tar", file)  # killed before the end
        monkeypatch.undo()
        names = catalog.place.names("swept/")
        assert len(catalog.list(0)) == 1
        assert sorted({*names} - {*kept}) == ["swept/p0/begun-7-n1-x.tar"]
        catalog.sweep(1)
        assert catalog.place.names("swept/") == names  # somebody may be at it
        monkeypatch.setattr(places, "FORGOTTEN_SECONDS", 0.0)
        catalog.sweep(1, {"n1"})
        assert "swept/p0/begun-7-n1-x.tar" in catalog.place.names("swept/")  # n1 may read it back still
        catalog.sweep(1)
        assert catalog.place.names("swept/") == kept
        catalog.check(catalog.list(0)[0])
        overview.close()


def test_a_server_that_was_lost_for_good_is_filled_by_the_others(servers: Servers, tmp_path: Path) -> None:
    orders = Orders(servers, tmp_path, "minority")
    with orders.node("n1") as one:
        ids = [one.start("echo", {"padding": PADDING}).id for _ in range(5)]
        lose(servers, "s3")
        servers.start()
        check_outputs(one, [*ids, one.start("echo", {"padding": PADDING}).id])
        until(lambda: orders.run("check").returncode == 0, "three replicas that have everything")


def test_a_cluster_whose_servers_lost_their_data_is_made_again_of_the_longest_copy(
    servers: Servers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    orders = Orders(servers, tmp_path, "majority")
    one, two = orders.node("n1"), orders.node("n2")
    ids = [one.start("echo", {"padding": PADDING}).id for _ in range(5)]
    check_outputs(two, ids)
    converge(one, two)
    two.close()
    ids += [one.start("echo", {"padding": PADDING}).id for _ in range(5)]  # the other node has no copy of them
    check_outputs(one, ids)
    one.close()
    lose(servers, "s1", "s2", "s3")
    servers.start()
    servers.wait()

    with pytest.MonkeyPatch.context() as impatient:
        impatient.setattr(registry, "PATIENCE_SECONDS", 1.0)
        with pytest.raises(StorageError, match="the servers lost it"):
            orders.node("n2")
    copies = [orders.read("copies", "--data", tmp_path / name)[0] for name in ("n1", "n2")]
    assert copies[0]["position"] > copies[1]["position"] > 0
    (line,) = orders.read("restore", "--data", tmp_path / "n1")
    assert line["position"] == copies[0]["position"]
    assert line["of"] == copies[0]["store"] != line["store"]

    one, two = orders.node("n1"), orders.node("n2")
    converge(one, two)
    check_outputs(two, ids)
    assert two.run(ECHO, {"n": 1}).output == b'{"n":1}'
    assert "the copy of before is put aside" in caplog.text
    assert (tmp_path / "n2" / f"p0.of-{line['of']}").is_dir()
    until(lambda: orders.run("check", "--replay").returncode == 0, "a sound cluster")

    # The same while nodes run: the stream alone is gone, and is not made anew behind their backs.
    with_stream, before = leadership(one), orders.stream()
    nats = one.client.host.nats  # pyright: ignore[reportAttributeAccessIssue]
    nats.delete_stream("stepwell-majority-p0")
    two.close()
    two_later = orders.node("n2")
    until(lambda: leadership(two_later).problem, "a copy without its stream")
    assert "stepwell cluster restore" in (leadership(two_later).problem or "")
    assert not orders.stream()
    two_later.close()
    one.close()
    assert with_stream.copy is None

    # The servers have a stream of that store again, and what was in it is lost: which one is true says who restores.
    connection = _core.Nats.connect(servers.urls, name="test")
    connection.create_stream("stepwell-majority-p0", before["subject"], store=before["store"])
    connection.close()
    refused = orders.run("restore", "--data", tmp_path / "n1")
    assert "each partition has its stream" in refused.stderr
    (line,) = orders.read("restore", "0", "--data", tmp_path / "n1")
    with orders.node("n1") as one, orders.node("n2") as two:
        converge(one, two)
        check_outputs(two, ids)


def lose(servers: Servers, *names: str) -> None:
    """Kill servers, and give them empty folders."""
    for name in names:
        server = servers.servers[name]
        server.kill()
        shutil.rmtree(server.store)
        server.store.mkdir()
