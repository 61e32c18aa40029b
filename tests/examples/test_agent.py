"""The agent, killed while the model thinks, tools are called or a person decides: a refund is made once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.support import EXAMPLES, Program, new_random, programs, rows

EXAMPLE = EXAMPLES / "agent"
REPLIES = 4
WAITS = "waits for a person: "


class Desk:
    """The agent over one folder, and the person who signs off."""

    def __init__(self, start: Any, cwd: Path) -> None:
        self._start, self._cwd, self.folder = start, cwd, cwd / "shop"

    def agent(self) -> Program:
        words = (EXAMPLE / "agent.py", self.folder, "ticket-1", "My desk arrived broken: order 7.")
        program: Program = self._start(*words, cwd=self._cwd, AGENT_MODEL_SECONDS=0.1)
        return program

    def sign_off(self, *words: str) -> str:
        done = self._start(EXAMPLE / "signoff.py", self.folder, *words, cwd=self._cwd).ended()
        assert done.process.returncode == 0, done.output
        return str(done.output)

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        return rows(self.folder / "shop.sqlite", f"SELECT * FROM {table}")

    def asked(self) -> Counter[str]:
        """How often the model was asked for each reply."""
        return Counter((self.folder / "bill").read_text().split())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with programs() as start:
        yield Desk(start, tmp_path)


def test_a_conversation_goes_on_after_kills_and_a_refund_is_made_once(desk: Desk) -> None:
    random = new_random()
    kills = 1
    first = desk.agent()
    first.said("ticket-1 is Running")
    time.sleep(random.uniform(0, 0.4))
    first.kill()  # while the model thinks, or tools are called

    second = desk.agent()
    second.said(WAITS)
    second.kill()  # while a person decides
    kills += 1
    third = desk.agent()
    third.said(WAITS)
    assert "refund" in desk.sign_off("--approve", "--by", "Ada")
    time.sleep(random.uniform(0, 0.2))
    third.kill()  # while what was signed off is done
    kills += 1

    last = desk.agent().ended()
    assert last.process.returncode == 0, last.output
    assert "tool: 90000 cents are paid back" in last.output
    assert "assistant: I am sorry about the desk." in last.output
    assert [row[1:] for row in desk.rows("refunds")] == [("7", 90_000)]
    assert [row[1:] for row in desk.rows("notes")] == [("7", "arrived broken")]
    asked = desk.asked()
    assert set(asked) == {str(number) for number in range(REPLIES)}
    assert asked.total() <= REPLIES + kills, "a reply that was recorded was asked for again"
    again = desk.agent().ended()  # the same ticket is the same conversation, also after its end
    assert (again.process.returncode, desk.asked()) == (0, asked)


def test_what_a_person_refuses_is_not_done_and_the_model_is_told(desk: Desk) -> None:
    agent = desk.agent()
    agent.said(WAITS)
    desk.sign_off("--refuse", "--by", "Ada")
    assert agent.ended().process.returncode == 0, agent.output
    assert "tool: Refused: Ada has refused this" in agent.output
    assert desk.rows("refunds") == []
    assert len(desk.rows("notes")) == 1
