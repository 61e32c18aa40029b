"""The numbers in the ids of tasks: 32 bits that go round, past tasks that still wait for their answer."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.support import CALLBACK, machine, task
from stepwell import _core
from stepwell.engine.ids import NUMBERS, later_task
from stepwell.engine.partition.partition import Partition
from stepwell.engine.storage.contexts import SequenceContext, TaskContext
from stepwell.testing.simulation import HANGS, Simulation
from stepwell.testing.virtual import VirtualClock

WAITS = machine({"A": task(resource=CALLBACK, Parameters={"QueueUrl": "q", "MessageBody": {"t.$": "$$.Task.Token"}})})


def opened(store: _core.Store) -> Simulation:
    simulation = Simulation(lambda task, state, input: HANGS, store=store)
    simulation.deploy("w", WAITS)
    return simulation


def numbers(store: _core.Store) -> list[int]:
    """The numbers of the open tasks."""
    return [int(row.id[-8:], 16) for row in Partition(store, VirtualClock(), _NoHandlers()).storage.scan(TaskContext)]


def give_out(store: _core.Store, count: int, first: int) -> list[int]:
    """Open an engine, start executions whose task nobody answers; the numbers of their tasks in order."""
    simulation = opened(store)
    before = set(numbers(store))
    given = []
    for index in range(count):
        simulation.start("w", {}, first + index)
        simulation.settle()
        (new,) = set(numbers(store)) - before
        before.add(new)
        given.append(new)
    return given


def set_last(store: _core.Store, value: int) -> None:
    simulation = opened(store)
    simulation.partition.storage.set(SequenceContext("task", value))


def test_numbers_go_round_and_pass_over_open_tasks_across_restarts() -> None:
    store = _core.Store.open(None)
    assert give_out(store, 3, 1) == [1, 2, 3]
    set_last(store, 0xFFFF_FFFD)
    assert give_out(store, 2, 10) == [0xFFFF_FFFE, 0xFFFF_FFFF]
    assert give_out(store, 2, 20) == [0, 4]
    assert give_out(store, 1, 30) == [5]
    # And once more round, past all of them.
    set_last(store, (1 << 32) + 0xFFFF_FFFC)
    assert give_out(store, 3, 40) == [0xFFFF_FFFD, 6, 7]
    store.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=6))
def test_open_tasks_have_numbers_of_their_own(rounds: list[tuple[int, int]]) -> None:
    store = _core.Store.open(None)
    started = 0
    for index, (count, before_the_end) in enumerate(rounds):
        set_last(store, (index << 32) + NUMBERS - before_the_end)
        give_out(store, count, started + 1)
        started += count
    assert len(set(numbers(store))) == started
    store.close()


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 20))
def test_the_count_goes_on_with_the_number_of_an_id(last: int, step: int) -> None:
    assert later_task(last, (last + step) & NUMBERS) == last + step
    assert later_task(last, (last - step) & NUMBERS) == last


def test_shares_keep_apart_when_they_go_round() -> None:
    given_out: set[str] = set()
    for share in range(3):
        store = _core.Store.open(None)
        partition = Partition(store, VirtualClock(), _NoHandlers(), share=(share, 3))
        partition.numbering.last_task = 0xFFFF_FFF0 - 0xFFFF_FFF0 % 3 + share
        ids = [partition.numbering.task_id("/t/n/e0000000/0", "work") for _ in range(20)]
        assert len(set(ids)) == 20
        assert not given_out & set(ids)
        given_out.update(ids)
        store.close()


class _NoHandlers:
    dispatch: Callable[..., None] = staticmethod(lambda tasks: None)
    queued: Callable[..., None] = staticmethod(lambda queue: None)
