"""Waiting for progress and for notices, from several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from stepwell import _core
from stepwell.errors import Closed

from .support import execution, put, turn


def test_a_wait_ends_when_something_was_applied(store: _core.Store) -> None:
    position = store.commit([turn(1)], b"\x90", 1)
    assert store.wait(0, 10) == position
    assert store.wait_applied(position, 0)
    assert not store.wait_applied(position + 1, 0.01)


def test_a_wait_ends_with_its_timeout(store: _core.Store) -> None:
    start = time.monotonic()
    assert store.wait(0, 0.05) == 0
    assert store.wait(0, -1) == 0
    assert time.monotonic() - start > 0.04
    with pytest.raises(ValueError, match="NaN"):
        store.wait(0, float("nan"))


def test_a_notice_before_the_wait_counts_once(store: _core.Store) -> None:
    store.notify()
    store.notify()
    assert store.wait(0, 3600) == 0
    start = time.monotonic()
    assert store.wait(0, 0.05) == 0
    assert time.monotonic() - start > 0.04


def test_a_notice_wakes_a_thread_that_waits_and_leaves_the_gil_free(store: _core.Store) -> None:
    woken = threading.Event()

    def wait() -> None:
        store.wait(0)
        woken.set()

    threading.Thread(target=wait).start()
    time.sleep(0.02)
    assert not woken.is_set()
    store.notify()
    assert woken.wait(60)


def test_no_notice_is_lost_between_threads(open_store: Callable[..., _core.Store]) -> None:
    there, back = open_store(memory=True), open_store(memory=True)

    def answer() -> None:
        for _ in range(2000):
            there.wait(0)
            back.notify()

    thread = threading.Thread(target=answer)
    thread.start()
    for _ in range(2000):
        there.notify()
        back.wait(0)
    thread.join(10)
    assert not thread.is_alive()


def test_closing_wakes_whoever_waits(open_store: Callable[..., _core.Store]) -> None:
    store = open_store(memory=True)
    put(store, execution(1))
    errors: list[Exception] = []

    def wait(wait: Callable[[], object]) -> None:
        try:
            wait()
        except Exception as error:
            errors.append(error)

    waits: list[Callable[[], object]] = [lambda: store.wait(1), lambda: store.wait_applied(9)]
    threads = [threading.Thread(target=wait, args=(each,)) for each in waits]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    store.close()
    for thread in threads:
        thread.join(10)
    assert [type(error) for error in errors] == [Closed, Closed]
