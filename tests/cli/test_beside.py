"""Commands beside a process that has the folder open: the same results, errors and exit codes as on a free folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cli.owner import PASS
from cli.owner import machine as machine_of
from cli.support import Machine, Own, Owner, Stepwell
from stepwell import Executor, _core
from stepwell.engine.control.address import address_of, announce, find, open_directory
from stepwell.engine.control.connection import NotServed
from stepwell.engine.control.probe import is_served
from stepwell.errors import StorageError

BESIDE = ("--data", "data")


@pytest.mark.parametrize("partitions", [1, 2])
def test_every_command_works_beside_a_process_that_has_the_folder(
    stepwell: Stepwell, machine: Machine, own: Own, tmp_path: Path, partitions: int
) -> None:
    owner = own(partitions)
    assert (tmp_path / "data" / "socket").stat().st_mode == stat.S_IFREG | 0o600

    def run(*words: object) -> Any:
        finished = stepwell(*words, *BESIDE)
        assert finished.code == 0, finished.err
        return finished

    assert run("deploy", "new", machine(PASS)).out == "deployed new\n"
    assert run("start", "new", "--wait").out == '"hello"\n'
    changed = machine({"Greet": {"Type": "Pass", "Result": "bye", "End": True}}, "changed.json")
    assert run("deploy", "new", changed, "--json").document["version"] == 2
    assert run("start", "new", "--wait").out == '"bye"\n'
    assert run("start", "new:1", "--wait").out == '"hello"\n'
    worked = run("start", "work", "--input", '{"a": 1}', "--wait", "--json").document
    assert worked["output"] == {"done by": owner.pid, "input": {"a": 1}}
    id = run("start", "held", "--name", "a").out.strip()
    assert run("start", "held", "--name", "a").out.strip() == id
    assert {record["name"] for record in run("list", "--json").documents} >= {"a"}
    assert [record["id"] for record in run("list", "--status", "Running", "--json").documents] == [id]
    shown = run("show", id, "--json").document
    assert [event["type"] for event in shown["history"]] == ["ExecutionStarted", "WaitStateEntered"]
    assert run("stop", id, "--error", "E", "--cause", "C").out == f"{id} Canceled\n"
    assert run("redrive", id).out.strip() == id
    run("stop", id)
    assert run("delete", id).out == f"deleted {id}\n"
    run("stop", run("start", "held", "--name", "b").out.strip())
    assert {record["workflow"] for record in run("workflows", "--json").documents} >= {"new", "held"}
    assert run("delete-workflow", "new").out == "deleted new\n"
    assert run("list", "--workflow", "new", "--limit", "1", "--json").document["status"] == "Succeeded"
    assert run("run", machine(PASS)).out == '"hello"\n'
    assert run("log", "verify").code == 0 if partitions == 1 else True
    assert stepwell("backup", "data", "--to", "copy").code == 0


def test_errors_and_exit_codes_are_those_of_a_free_folder(stepwell: Stepwell, own: Own, tmp_path: Path) -> None:
    Owner("lead", tmp_path / "free", 1).kill()
    own()
    (tmp_path / "bad.json").write_text('{"StartAt": "A", "States": {}}')
    for words in (
        ("show", "x"),
        ("start", "nothing"),
        ("delete", "/default/default/e1234567/0123456789abcdef"),
        ("deploy", "bad", "bad.json"),
        ("deploy", "a/b", "bad.json"),
        ("start", "held", "--delay", "-1"),
    ):
        beside, free = (stepwell(*words, "--data", data) for data in ("data", "free"))
        assert beside == free
        assert beside.code != 0
    for data in ("data", "free"):
        stepwell("start", "greeting", "--name", "a", "--data", data, "--wait")
        again = stepwell("start", "greeting", "--name", "a", "--input", "1", "--data", data)
        assert again.code == 2
        assert "a name can be used again only with the same input" in again.error_line()


def test_twenty_commands_at_once_are_all_served(stepwell: Stepwell, own: Own) -> None:
    own()
    with ThreadPoolExecutor(20) as pool:
        finished = list(pool.map(lambda n: stepwell("start", "work", "--name", f"n{n}", "--wait", *BESIDE), range(20)))
    assert {each.code for each in finished} == {0}, [each.err for each in finished]
    assert len(stepwell("list", "--workflow", "work", "--json", *BESIDE).documents) == 20


def test_commands_at_once_on_a_free_folder_wait_for_one_another(stepwell: Stepwell, own: Own) -> None:
    assert own().do("close") == "CLOSED"
    with ThreadPoolExecutor(4) as pool:
        finished = list(pool.map(lambda n: stepwell("start", "held", "--name", f"n{n}", *BESIDE), range(4)))
    assert {each.code for each in finished} == {0}, [each.err for each in finished]


def test_a_client_that_waits_learns_of_the_owners_death(stepwell: Stepwell, own: Own) -> None:
    owner = own()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(stepwell, "start", "stops", "--name", "a", "--wait", *BESIDE)
        while not stepwell("list", "--workflow", "stops", "--json", *BESIDE).out:
            pass
        owner.kill()
        finished = waiting.result(30)
    assert finished.code == 3
    assert f"process {owner.pid}, which had data open, has closed it or has ended" in finished.err
    assert stepwell("list", "--json", *BESIDE).document["status"] == "Running"  # the folder is free: it is opened


def test_the_socket_of_a_killed_owner_is_replaced(stepwell: Stepwell, own: Own, tmp_path: Path) -> None:
    own().kill()
    before = (tmp_path / "data" / "socket").stat().st_ino, (tmp_path / "data" / "socket").stat().st_ctime_ns
    again = own()
    after = (tmp_path / "data" / "socket").stat().st_ino, (tmp_path / "data" / "socket").stat().st_ctime_ns
    assert before != after
    assert stepwell("start", "work", "--wait", "--json", *BESIDE).document["output"]["done by"] == again.pid
    assert again.do("close") == "CLOSED"
    assert not (tmp_path / "data" / "socket").exists()


@pytest.mark.parametrize("left", [b"", b"\0" * 33, b"0" * 7], ids=["nothing", "zeros", "a part"])
def test_what_a_power_cut_left_of_the_file_is_replaced(
    stepwell: Stepwell, own: Own, tmp_path: Path, left: bytes
) -> None:
    own().kill()
    (tmp_path / "data" / "socket").write_bytes(left)
    owner = own()
    assert stepwell("status", *BESIDE[1:], "--json").document["pid"] == owner.pid


def test_a_path_may_be_longer_than_a_sockets_address(stepwell: Stepwell, own: Own, tmp_path: Path) -> None:
    long = tmp_path / ("a" * 120) / ("b" * 120)
    long.mkdir(parents=True)
    own(data=long / "data")
    assert stepwell("start", "greeting", "--wait", "--data", long / "data").out == '"hello"\n'


def test_a_folder_that_was_moved_is_reached_where_it_is(stepwell: Stepwell, own: Own, tmp_path: Path) -> None:
    own()
    (tmp_path / "data").rename(tmp_path / "moved")
    assert stepwell("list", "--data", "moved").code == 0


def test_a_forked_child_does_not_keep_the_socket(stepwell: Stepwell, own: Own) -> None:
    owner = own()
    child = int(owner.do("fork").split()[1])
    try:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(stepwell, "start", "stops", "--wait", *BESIDE)
            while not stepwell("list", "--workflow", "stops", "--json", *BESIDE).out:
                pass
            second = int(owner.do("fork").split()[1])  # while a client is connected
            try:
                owner.kill()
                assert waiting.result(30).code == 3
                assert stepwell("list", *BESIDE).code == 0
            finally:
                os.kill(second, signal.SIGKILL)
    finally:
        os.kill(child, signal.SIGKILL)


FORKED_CLIENT = """
import os, sys
from stepwell import Closed, Executor

parent = Executor("data", connect=sys.argv[1] == "client")
if sys.argv[1] == "owner":
    parent.deploy("greeting", {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": "hello", "End": True}}})
child = os.fork()
if child == 0:
    code = 1
    try:
        parent.check()
    except Closed:
        parent.close()
        with Executor("data", connect=True) as engine:
            code = 0 if engine.start("greeting", None, "child's").wait(60).output == "hello" else 2
    os._exit(code)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), parent.get(workflow="greeting", name="child's").status)
parent.close()
"""


@pytest.mark.parametrize("parent", ["client", "owner"])
def test_a_forked_process_may_connect_also_to_its_parent(own: Own, tmp_path: Path, parent: str) -> None:
    if parent == "client":
        own()
    command = [sys.executable, "-c", FORKED_CLIENT, parent]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert finished.stdout == "0 Succeeded\n", finished.stderr


def test_a_folder_whose_process_does_not_serve_it_is_refused_with_that_processs_number(
    stepwell: Stepwell, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "socket").write_text("somebody's")
    held = _core.Folder.open(tmp_path / "data")
    held.lock()
    try:
        finished = stepwell("list", *BESIDE)
    finally:
        held.unlock()
    assert finished.code == 3
    assert f"by process {os.getpid()}" in finished.error_line()
    assert (tmp_path / "data" / "socket").read_text() == "somebody's"


def test_a_file_of_somebody_elses_is_kept_and_the_executor_works_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "socket").write_text("somebody's")
    with Executor(tmp_path / "data") as executor:
        assert executor.run(machine_of(PASS)).status == "Succeeded"
    assert (tmp_path / "data" / "socket").read_text() == "somebody's"
    assert "is not Stepwell's: move it away" in caplog.text


def test_a_followers_folder_can_be_read_and_takes_no_commands(stepwell: Stepwell, own: Own, tmp_path: Path) -> None:
    own()
    id = stepwell("start", "held", *BESIDE).out.strip()
    follower = Owner("follow", tmp_path / "data", tmp_path / "copy")
    try:
        assert stepwell("show", id, "--json", "--data", "copy").document["status"] == "Running"
        refused = stepwell("stop", id, "--data", "copy")
        assert refused.code == 3
        assert f"this folder follows {tmp_path / 'data'}" in refused.error_line()
    finally:
        follower.kill()


def test_handlers_that_are_given_beside_an_owner_are_named_as_not_used(
    stepwell: Stepwell, own: Own, tmp_path: Path
) -> None:
    owner = own()
    (tmp_path / "mine.py").write_text("def work(input):\n    return 'mine'\n")
    finished = stepwell("start", "work", "--handlers", "mine.py", "--wait", "--json", *BESIDE)
    assert finished.document["output"]["done by"] == owner.pid
    assert "its handlers do the tasks, not those of --handlers" in finished.err


def test_plain_names_of_handlers_are_what_the_owner_takes(stepwell: Stepwell, tmp_path: Path) -> None:
    machine = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "work", "End": True}}}
    (tmp_path / "machine.json").write_text(json.dumps(machine))
    with Executor(tmp_path / "data", profile="aws", handlers={"work": str}) as ex:
        refused = stepwell("deploy", "w", "machine.json", "--data", "data").error_line()
        assert "not a valid resource ARN" in refused
        ex.client.deployments.accept_handlers()  # as `stepwell serve` does
        assert stepwell("deploy", "w", "machine.json", "--data", "data").code == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_refused(own: Own, tmp_path: Path) -> None:
    own()
    directory = open_directory(str(tmp_path / "data"))
    served = find(directory)
    os.close(directory)
    assert served is not None
    program = f"""
import os, socket
os.setgid(12345); os.setuid(12345)
end = socket.socket(socket.AF_UNIX)
end.connect({served.address!r})
print(end.recv(4096))
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert "serves user 0 and root, not user 12345" in finished.stdout, finished.stderr


def test_the_socket_is_not_in_memory_and_not_in_partitions(tmp_path: Path) -> None:
    with Executor(partitions=2), Executor(tmp_path / "data", partitions=2):
        found = {path.relative_to(tmp_path) for path in tmp_path.rglob("socket")}
    assert found == {Path("data/socket")}


def test_nobody_connects_where_nobody_serves(own: Own, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(NotServed):
        Executor(tmp_path / "data", connect=True)
    own(data=tmp_path / "killed").kill()
    with pytest.raises(NotServed):
        Executor(tmp_path / "killed", connect=True)


WAYS_TO_COPY = {
    "copytree": shutil.copytree,
    "cp": lambda source, to: subprocess.run(["cp", "-a", source, to], check=True),
    "links": lambda source, to: subprocess.run(["cp", "-al", source, to], check=True),
    "tar": lambda source, to: subprocess.run(
        f'mkdir "{to}" && tar -C "{source}" -cf - . | tar -C "{to}" -xf -', shell=True, check=True
    ),
}


@pytest.mark.parametrize("way", WAYS_TO_COPY)
@pytest.mark.parametrize("owned", ["alive", "killed"])
def test_a_copy_is_a_folder_of_its_own_that_never_leads_to_the_originals_process(
    stepwell: Stepwell, own: Own, tmp_path: Path, owned: str, way: str
) -> None:
    owner = own()
    id = stepwell("start", "held", *BESIDE).out.strip()
    if owned == "killed":
        owner.kill()
    WAYS_TO_COPY[way](tmp_path / "data", tmp_path / "copy")
    with pytest.raises(StorageError):
        Executor(tmp_path / "copy", connect=True)
    if way != "links":  # two folders that share the files of a log are no copy
        assert stepwell("stop", id, "--data", "copy").out == f"{id} Canceled\n"
        second = own(data=tmp_path / "copy")
        assert (
            stepwell("start", "work", "--wait", "--json", "--data", "copy").document["output"]["done by"] == second.pid
        )
        assert stepwell("show", id, "--json", *BESIDE).document["status"] == "Running"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_process_of_another_user_that_took_a_dead_owners_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    directory = open_directory(str(tmp_path / "data"))
    file = announce(directory, str(tmp_path / "data"), b"0" * 32)  # what another process holds, as far as clients see
    program = f"""
import os, socket, sys
os.setgid(12345); os.setuid(12345)
end = socket.socket(socket.AF_UNIX)
end.bind({address_of(directory, b"0" * 32)!r})
end.listen()
print("READY", flush=True)
sys.stdin.read()
"""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "READY\n"
        with pytest.raises(StorageError, match=r"user 12345 serves .*data, not user 0"):
            Executor(tmp_path / "data", connect=True)
    os.close(file)
    os.close(directory)


def test_an_owner_that_cannot_be_reached_from_here_is_told_from_one_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    directory = open_directory(str(tmp_path / "data"))
    file = announce(directory, str(tmp_path / "data"), b"0" * 32)  # as a process in another container does
    assert is_served(str(tmp_path / "data"))
    with pytest.raises(StorageError, match="is in another container"):
        Executor(tmp_path / "data", connect=True)
    os.close(file)
    os.close(directory)
    assert not is_served(str(tmp_path / "data"))
    with pytest.raises(NotServed):
        Executor(tmp_path / "data", connect=True)
