"""Page tokens: signed, bound to what was asked, and refused after a day."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.step_functions import tokens
from stepwell.step_functions.errors import Fault
from stepwell.step_functions.tokens import PageTokens

KEY = b"k" * 32


@given(st.one_of(st.integers(0, 1 << 60), st.tuples(st.integers(0, 1 << 60), st.text(max_size=200))))
def test_a_position_comes_back(position: object) -> None:
    pages = PageTokens(KEY)
    token = pages.make("List", ("a", None, True), position)
    assert len(token) <= 1024 or len(str(position)) > 600
    found = pages.read("List", ("a", None, True), token)
    assert (tuple(found) if isinstance(found, list) else found) == position


def test_without_a_token_there_is_no_position() -> None:
    assert PageTokens(KEY).read("List", None, None) is None


@given(st.integers(0, 39), st.integers(1, 255))
def test_a_changed_token_is_refused(place: int, change: int) -> None:
    pages = PageTokens(KEY)
    data = bytearray(base64.urlsafe_b64decode(pages.make("List", "a", 1 << 50)))
    data[place % len(data)] ^= change
    with pytest.raises(Fault, match="InvalidToken"):
        pages.read("List", "a", base64.urlsafe_b64encode(data).decode())


def test_a_token_of_another_key_operation_or_filter_is_refused() -> None:
    token = PageTokens(KEY).make("List", "a", 1)
    for pages, operation, filters in (
        (PageTokens(b"x" * 32), "List", "a"),
        (PageTokens(KEY), "Other", "a"),
        (PageTokens(KEY), "List", "b"),
    ):
        with pytest.raises(Fault, match="InvalidToken"):
            pages.read(operation, filters, token)


def test_a_token_lives_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = PageTokens(KEY)
    monkeypatch.setattr(tokens.time, "time", lambda: 1_000_000.0)
    token = pages.make("List", "a", 7)
    monkeypatch.setattr(tokens.time, "time", lambda: 1_000_000.0 + tokens.LIFE_SECONDS)
    assert pages.read("List", "a", token) == 7
    for other_day in (1, -1):  # also for a clock that was wrong when it was made
        monkeypatch.setattr(tokens.time, "time", lambda: 1_000_000.0 + other_day * (tokens.LIFE_SECONDS + 1))  # noqa: B023
        with pytest.raises(Fault, match="InvalidToken"):
            pages.read("List", "a", token)
