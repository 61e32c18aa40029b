"""``stepwell status`` and ``stepwell follow``: what is said of a folder, and a follower that takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.support import Own, Stepwell
from stepwell import Executor
from stepwell.asl.json import loads
from stepwell.engine.control import server


class Command:
    """``stepwell follow`` as a process that stays."""

    def __init__(self, folder: Path, *words: object) -> None:
        command = [sys.executable, "-m", "stepwell", "follow", *map(str, words), "--json"]
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)

    def event(self) -> Any:
        """The next event that it prints."""
        assert self.process.stdout is not None
        return loads(self.process.stdout.readline())["event"]

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        assert self.process.stdout is not None
        self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait()


Follow = Callable[..., Command]


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Follow]:
    commands: list[Command] = []

    def begin(*words: object) -> Command:
        commands.append(Command(tmp_path, *words))
        return commands[-1]

    yield begin
    for command in commands:
        if command.process.poll() is None:
            command.end(signal.SIGKILL)


@pytest.mark.parametrize("partitions", [1, 2])
def test_status_says_who_has_a_folder_and_what_it_is_at(stepwell: Stepwell, own: Own, partitions: int) -> None:
    owner = own(partitions)
    stepwell("start", "held", "--data", "data")
    found = stepwell("status", "data", "--json", "--ready")
    assert found.code == 0
    record = found.document
    assert (record["role"], record["pid"], record["health"]) == ("executor", owner.pid, "ok")
    assert (record["profile"], record["partition_count"]) == ("default", partitions)
    assert len(record["partitions"]) == partitions
    assert all(each["last"] >= each["applied"] > 0 for each in record["partitions"])
    assert record["executions"] == {"by_status": {"Running": 1}, "complete": True}
    assert record["log_bytes"] > 0
    assert record["storage_bytes"] > 0
    text = stepwell("status", "data").out
    assert f"owner:       executor, process {owner.pid}, since " in text
    assert "executions:  Running 1" in text


def test_status_of_a_free_folder_opens_nothing(stepwell: Stepwell, own: Own, tmp_path: Path) -> None:
    own().kill()
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")}
    found = stepwell("status", "data", "--json")
    assert found.code == 0
    assert found.document["role"] == "free"
    assert "executions" not in found.document
    assert "owner:       none" in stepwell("status", "data").out
    assert stepwell("status", "data", "--ready").code == 1
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")} == files
    assert stepwell("status", "nowhere").code == 2


def test_a_follower_takes_over_from_a_dead_leader_and_ends_at_sigterm(
    stepwell: Stepwell, own: Own, follow: Follow, tmp_path: Path
) -> None:
    owner = own()
    (tmp_path / "mine.py").write_text("def work(input):\n    return 'mine'\n")
    id = stepwell("start", "held", "--data", "data").out.strip()
    follower = follow("data", "copy", "--promote-when-dead", "--grace", "0", "--handlers", "mine.py")
    assert follower.event() == "following"
    record = stepwell("status", "copy", "--json").document
    assert record["role"] == "follower"
    assert record["follows"]["leader_alive"]
    assert record["follows"]["last_heard"] is not None
    (mark,) = stepwell("status", "data", "--json").document["followers"]
    assert mark["partition"] == "data"
    owner.kill()
    assert [follower.event() for _ in range(3)] == ["leader_dead", "promoting", "leading"]
    assert stepwell("show", id, "--data", "copy", "--json").document["status"] == "Running"
    assert stepwell("start", "work", "--data", "copy", "--wait").out == '"mine"\n'
    over = stepwell("status", "data", "--json").document
    assert over["role"] == "free"
    assert over["health"] == f"its log is over: {tmp_path / 'copy'} took over at epoch 1; continue there"
    refused = stepwell("list", "--data", "data")
    assert refused.code == 3
    assert "took over" in refused.error_line()
    assert follower.end(signal.SIGTERM) == 0
    assert stepwell("status", "copy", "--json").document["role"] == "free"


def test_a_follower_that_took_over_leads_when_its_command_is_run_again(
    stepwell: Stepwell, own: Own, follow: Follow
) -> None:
    owner = own()
    words = ("data", "copy", "--promote-when-dead", "--grace", "0")
    first = follow(*words)
    assert first.event() == "following"
    owner.kill()
    assert [first.event() for _ in range(3)] == ["leader_dead", "promoting", "leading"]
    first.end(signal.SIGKILL)
    assert follow(*words[:2]).ended() == 3  # without --promote-when-dead it does not lead
    again = follow(*words)
    assert again.event() == "leading"
    assert stepwell("start", "greeting", "--data", "copy", "--wait").out == '"hello"\n'
    assert again.end(signal.SIGTERM) == 0


def test_status_of_a_follower_says_how_far_it_is_while_nothing_happens(
    stepwell: Stepwell, own: Own, follow: Follow
) -> None:
    own()
    stepwell("start", "held", "--data", "data")
    follower = follow("data", "copy")
    assert follower.event() == "following"
    while stepwell("status", "copy", "--json").document["follows"]["records"]:
        pass
    for _ in range(2):
        found = stepwell("status", "copy", "--json", "--ready")
        follows = found.document["follows"]
        assert (found.code, follows["leader_alive"], follows["records"], follows["seconds"]) == (0, True, 0, 0)
    assert follower.end(signal.SIGTERM) == 0


def test_a_leader_that_comes_back_within_the_grace_time_goes_on_leading(own: Own, follow: Follow) -> None:
    owner = own()
    follower = follow("data", "copy", "--promote-when-dead", "--grace", "3600")
    assert follower.event() == "following"
    owner.kill()
    assert follower.event() == "leader_dead"
    own()
    assert follower.event() == "leader_alive"
    assert follower.end(signal.SIGTERM) == 0


def test_a_follower_that_is_not_to_be_promoted_says_that_its_leader_is_dead_and_goes_on(
    stepwell: Stepwell, own: Own, follow: Follow
) -> None:
    owner = own()
    follower = follow("data", "copy")
    assert follower.event() == "following"
    owner.kill()
    assert follower.event() == "leader_dead"
    follows = stepwell("status", "copy", "--json").document["follows"]
    assert (follows["leader_alive"], follows["records"]) == (False, 0)
    assert stepwell("list", "--data", "data").code == 0
    assert follower.end(signal.SIGINT) == 0


def test_a_stopped_owner_does_not_answer(stepwell: Stepwell, own: Own) -> None:
    owner = own()
    os.kill(owner.pid, signal.SIGSTOP)
    found = stepwell("status", "data")
    assert found.code == 3
    assert "does not answer: is it stopped?" in found.error_line()


def test_an_engine_that_has_failed_says_why_and_is_not_ready(stepwell: Stepwell, own: Own) -> None:
    owner = own()
    owner.do("fill")
    assert stepwell("start", "greeting", "--data", "data").code == 3
    found = stepwell("status", "data", "--json", "--ready")
    assert found.code == 1
    assert "File too large" in found.document["health"]
    assert found.document["pid"] == owner.pid


def test_an_engine_with_as_many_clients_as_there_may_be_is_ready(
    stepwell: Stepwell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_CLIENTS", 1)
    with Executor(tmp_path / "data"), Executor(tmp_path / "data", connect=True):
        found = stepwell("status", "data", "--json", "--ready")
        text = stepwell("status", "data").out
        listed = stepwell("list", "--data", "data")
    assert (found.code, found.document["role"], found.document["health"]) == (0, "busy", "ok")
    assert f"owner:       process {os.getpid()} has 1 clients already" in text
    assert listed.code == 3
    assert "try again later" in listed.error_line()
