"""A command on the log without its event is processed when the log is opened again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from crash.machines import ENDLESS, LAMBDA
from stepwell import Limits, _core
from stepwell.engine.log import records as r
from stepwell.engine.storage.contexts import PendingCommandContext
from stepwell.testing.replay import differences, rebuilt
from stepwell.testing.simulation import Simulation

ID = _core.execution_id("default", "default", _core.hash7("w"), (1_700_000_000 << 32) + 1)
PASS = b'{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "End": true}}}'
PUT = [r.PutWorkflowCommand("w", 1, PASS, "STANDARD"), r.WorkflowPutEvent()]
START = r.StartExecutionCommand(ID, "w:1", b'{"n":1}', "n1")


def log_of(folder: Path, *batches: list[tuple[str, list[Any]]]) -> _core.Store:
    """A store whose log holds these batches of turns, and whose storage holds nothing."""
    log = _core.LogStream.open(folder / "log")
    position = 0
    for number, turns in enumerate(batches, 1):
        blobs = [
            msgspec.msgpack.encode((scope, (1_700_000_000 << 32) + number, 1, records)) for scope, records in turns
        ]
        count = sum(len(records) for _, records in turns)
        position = log.append([(count, b"".join(blobs))], 0, position)
    log.sync()
    log.close()
    return _core.Store.open(folder)


def never(*_: Any) -> Any:
    raise AssertionError("there is no task")


@pytest.mark.parametrize("restarts", [0, 1])
def test_a_start_without_its_event_is_done_at_the_next_opening(tmp_path: Path, restarts: int) -> None:
    with log_of(tmp_path, [("", PUT)], [(ID, [START])]) as store:
        for _ in range(restarts):  # recovered, and stopped before it did anything
            Simulation(never, store=store)
        simulation = Simulation(never, store=store)
        assert len(simulation.partition.storage.scan(PendingCommandContext)) == 1
        simulation.run()
        result = simulation.result(ID)
        assert result is not None
        assert result["status"] == "Succeeded"
        assert [event["type"] for event in result["events"]] == [
            "ExecutionStarted",
            "PassStateEntered",
            "PassStateExited",
            "PassStateEntered",
            "PassStateExited",
            "ExecutionSucceeded",
        ]
        assert simulation.partition.storage.scan(PendingCommandContext) == []
        with rebuilt(store) as again:
            assert differences(store, again) == []


def test_a_later_command_without_its_event_is_done_where_the_execution_stands(tmp_path: Path) -> None:
    started = [START, r.ExecutionStartedEvent(), r.StartStateCommand("", "B", b'{"n":2}', None, None, 0, 0)]
    with log_of(tmp_path, [("", PUT)], [(ID, started)]) as store:
        simulation = Simulation(never, store=store)
        simulation.run()
        result = simulation.result(ID)
        assert result is not None
        assert (result["status"], result["output"]) == ("Succeeded", '{"n":2}')


def test_a_command_that_cannot_be_done_any_more_is_rejected_by_an_event(tmp_path: Path) -> None:
    late = r.CompleteTaskCommand("/default/default/t0000000/00000001", LAMBDA, b"1", 0, 0)
    with log_of(tmp_path, [("", PUT)], [(ID, [START, r.ExecutionStartedEvent(), late])]) as store:
        simulation = Simulation(never, store=store)
        simulation.settle()
        assert simulation.partition.storage.scan(PendingCommandContext) == []
        _, _, _, payload = store.read_log(1)[-1]
        (turn,) = _core.split_turns(payload)
        assert msgspec.msgpack.decode(turn)[3] == [[127, 5, "the task is not open"]]


def test_what_a_full_turn_leaves_is_on_the_log_and_survives(tmp_path: Path) -> None:
    simulation = Simulation(never, store=_core.Store.open(tmp_path), limits=Limits(turn_records=1))
    simulation.deploy("w", PASS)
    id = simulation.start("w", {"n": 3})
    simulation.step()
    assert simulation.partition.storage.scan(PendingCommandContext) != []
    simulation.close()
    with _core.Store.open(tmp_path) as store:
        again = Simulation(never, store=store, limits=Limits(turn_records=1))
        again.run()
        result = again.result(id)
        assert result is not None
        assert (result["status"], len(result["events"])) == ("Succeeded", 6)


def test_who_waits_for_a_command_that_a_full_turn_left_gets_the_answer() -> None:
    simulation = Simulation(never, limits=Limits(turn_records=1))
    simulation.deploy("loop", ENDLESS)
    id = simulation.start("loop", {})
    for _ in range(10):
        simulation.step()
    replies: list[Any] = []
    simulation.partition.submit(
        r.CancelExecutionCommand(id, "Stopped", None), reply=lambda *reply: replies.append(reply)
    )
    simulation.settle()
    assert replies == [(id, None)]
    result = simulation.result(id)
    assert result is not None
    assert (result["status"], result["error"]) == ("Canceled", "Stopped")
