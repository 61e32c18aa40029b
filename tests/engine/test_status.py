"""The status of an execution: no path leads around the table, whatever is asked and in whatever order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.support import CALLBACK, Lab, catch, machine, parallel, passing, retry, task
from stepwell.engine.appliers import visibility
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.status import ENDED, FOLLOWS, STATUSES, IllegalTransition, transition
from stepwell.engine.storage.contexts import ExecutionContext, TaskContext, TimerContext, VisibilityContext
from stepwell.testing.replay import differences, rebuilt
from stepwell.testing.simulation import HANGS

SECOND = 1_000_000
CALL = task(resource=CALLBACK, Parameters={"QueueUrl": "https://sqs/q", "MessageBody": {"t.$": "$$.Task.Token"}})

DEFINITIONS: list[dict[str, Any]] = [
    machine({"P": passing()}),
    machine({"W": {"Type": "Wait", "Seconds": 5, "End": True}}),
    machine({"A": task("B", TimeoutSeconds=4), "B": task()}, TimeoutSeconds=9),
    machine({"A": task(Retry=[retry("States.ALL", MaxAttempts=2)], Catch=[catch("States.ALL")]), "Caught": passing()}),
    machine({"All": parallel(machine({"X": task()}), machine({"F": {"Type": "Wait", "Seconds": 2, "End": True}}))}),
    machine({"F": {"Type": "Fail", "Error": "No"}}),
    machine({"C": CALL}),
]


def reachable(start: str) -> set[str]:
    """Every status that some path leads to."""
    found, new = {start}, {start}
    while new:
        new = {following for status in new for following in FOLLOWS[status]} - found
        found |= new
    return found


@given(current=st.sampled_from(STATUSES), following=st.sampled_from(STATUSES))
def test_only_what_the_table_says_may_follow(current: str, following: str) -> None:
    if following in FOLLOWS[current]:
        assert transition(current, following) == following
    else:
        with pytest.raises(IllegalTransition, match=f"{current} → {following}"):
            transition(current, following)


def test_the_table_is_the_seed_s() -> None:
    assert set(STATUSES) == set(FOLLOWS) == reachable("Pending")
    assert reachable("Completing") == {"Completing", "Succeeded", "Deleting"}
    assert FOLLOWS["Deleting"] == frozenset()
    for status in ENDED:
        assert "Deleting" in FOLLOWS[status]
    for status in STATUSES:
        assert "Pending" not in FOLLOWS[status]
        assert status not in FOLLOWS[status]


moves = st.one_of(
    st.tuples(st.just("answer"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("stop"), st.integers(0, 2)),
    st.tuples(st.just("delete"), st.integers(0, 2)),
    st.tuples(st.just("redrive"), st.integers(0, 2)),
    st.tuples(st.just("cancel twice"), st.integers(0, 2)),
    st.tuples(st.just("time"), st.integers(1, 6)),
    st.tuples(st.just("start"), st.integers(0, len(DEFINITIONS) - 1), st.integers(0, 3)),
)


class World(Lab):
    """Up to a few executions, and the moves that anybody may make."""

    def __init__(self, turn_records: int) -> None:
        super().__init__(limits=Limits(turn_records=turn_records))
        self._worker = lambda *_: HANGS
        self.ids: list[str] = []

    def make(self, move: tuple[Any, ...]) -> None:
        """Make one move, and go on until everything rests."""
        getattr(self, "_" + move[0].replace(" ", "_"))(*move[1:])
        self.settle()

    def _start(self, definition: int, delay: int) -> None:
        self.deploy(f"w{definition}", DEFINITIONS[definition])
        at = self.clock.now() + delay * SECOND if delay else 0
        self.ids.append(self.start(f"w{definition}", {}, number=len(self.ids) + 1, start_at=at))

    def _answer(self, which: int, well: bool) -> None:
        tasks = self.partition.storage.scan(TaskContext)
        if tasks:
            chosen = tasks[which % len(tasks)]
            command: Any = (
                r.CompleteTaskCommand(chosen.id, chosen.resource, b"1", 0, 0)
                if well
                else r.FailTaskCommand(chosen.id, chosen.resource, "Boom", None, False, 0, 0)
            )
            self.partition.submit(command)

    def _ask(self, which: int, *commands: Any) -> None:
        if self.ids:
            id = self.ids[which % len(self.ids)]
            for make in commands:
                self.partition.submit(make(id), reply=lambda *_: None)

    def _stop(self, which: int) -> None:
        self._ask(which, lambda id: r.CancelExecutionCommand(id, "Stopped", None))

    def _cancel_twice(self, which: int) -> None:
        self._ask(which, *[lambda id: r.CancelExecutionCommand(id, None, None)] * 2)

    def _delete(self, which: int) -> None:
        self._ask(which, r.DeleteExecutionCommand)

    def _redrive(self, which: int) -> None:
        if self.ids:
            self.id = self.ids[which % len(self.ids)]
            if self.partition.storage.get(ExecutionContext, self.id) is not None:
                self.redrive()

    def _time(self, seconds: int) -> None:
        self.wait(seconds)

    def check_rows(self) -> None:
        """Rows that lists and timers are made of stand in step with the executions."""
        storage = self.partition.storage
        rows = {row.id: row for row in storage.scan(ExecutionContext)}
        listed = {row.execution_id: row.status for row in storage.scan(VisibilityContext)}
        assert listed == {id: row.status for id, row in rows.items()}
        for timer in storage.scan(TimerContext):
            assert rows[timer.execution_id].status not in ENDED
        for open_task in storage.scan(TaskContext):
            assert rows[open_task.activity_id.rpartition("/")[0]].status not in ENDED


@given(
    first=moves.filter(lambda move: move[0] == "start"),
    rest=st.lists(moves, max_size=25),
    turn_records=st.sampled_from([3, 7, 4096]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_illegal_transition_whatever_is_asked(
    monkeypatch: pytest.MonkeyPatch, first: tuple[Any, ...], rest: list[tuple[Any, ...]], turn_records: int
) -> None:
    seen: list[tuple[str, str]] = []

    def watched(current: str, following: str) -> str:
        seen.append((current, following))
        return transition(current, following)

    with monkeypatch.context() as patch:
        patch.setattr(visibility, "transition", watched)
        world = World(turn_records)
        for move in [first, *rest]:
            world.make(move)
            world.check_rows()
        world.wait(100)
        world.check_rows()
    assert all(following in FOLLOWS[current] for current, following in seen)
    for row in world.partition.storage.scan(ExecutionContext):
        assert "internal error" not in (row.cause or "")
    again = rebuilt(world.store)
    assert differences(world.store, again) == []
    again.close()
    world.close()
