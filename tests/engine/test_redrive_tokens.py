"""The client tokens of redrives: the last ten, for a quarter of an hour."""

from __future__ import annotations

from stepwell.engine.storage.redrive_tokens import KEPT, LIFE_SECONDS, redriven_with, with_token

SECOND = 1_000_000


def test_a_token_is_known_for_a_while() -> None:
    tokens = with_token(b"", "one", 5 * SECOND)
    assert redriven_with(tokens, "one", (5 + LIFE_SECONDS) * SECOND) == 5 * SECOND
    assert redriven_with(tokens, "one", (6 + LIFE_SECONDS) * SECOND) is None
    assert redriven_with(tokens, "two", 5 * SECOND) is None
    assert redriven_with(b"", "one", 5 * SECOND) is None


def test_the_last_ten_are_kept() -> None:
    tokens = b""
    for number in range(KEPT + 1):
        tokens = with_token(tokens, f"t{number}", number)
    known = [number for number in range(KEPT + 1) if redriven_with(tokens, f"t{number}", KEPT) is not None]
    assert known == list(range(1, KEPT + 1))


def test_a_token_that_is_used_again_after_its_life_is_the_later_one() -> None:
    later = LIFE_SECONDS * SECOND * 2
    tokens = with_token(with_token(b"", "one", 1), "one", later)
    assert redriven_with(tokens, "one", later) == later
