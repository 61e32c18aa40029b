"""Shared by the commands ``ask.py``: asks an oracle, compares its answers with ours, and runs the command's modes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Question = dict[str, Any]
"""``kind``, the fields of the question, and those of the oracle's answer."""


def answers_of(command: Sequence[str], asked: Iterable[Question]) -> list[dict[str, Any]]:
    """The oracle's answer to each question; both are lines of JSON."""
    lines = "".join(json.dumps(question) + "\n" for question in asked)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.split("\n") if line]


@dataclass
class Oracle:
    """A query language's oracle, and how its answers compare with ours.

    ``ask``: adds the oracle's answers to questions, and drops questions that it does not answer. ``asks``: the fields
    of a question. ``texts``: the fields that must be equal if both fail. ``longest``: an answered question whose line
    is longer is not stored.
    """

    questions: Callable[[int, int], Iterable[Question]]
    ask: Callable[[str, list[Question]], list[Question]]
    our_answer: Callable[[Question], dict[str, Any]]
    agree: Callable[[Question, dict[str, Any]], bool]
    asks: tuple[str, ...]
    texts: tuple[str, ...]
    written: Path
    longest: int | None = None

    def compare(self, asked: list[Question]) -> int:
        """Print what differs, and how much; returns the exit status."""
        answers = texts = same_texts = 0
        for question in asked:
            ours = self.our_answer(question)
            same = self.agree(question, ours)
            has_same_text = all(question.get(name) == ours.get(name) for name in self.texts)
            answers += same
            if "error" in question and "error" in ours:
                texts += 1
                same_texts += has_same_text
            if not same or not has_same_text:
                self._print_difference(question, ours)
        print(f"{answers}/{len(asked)} answers are the same, {same_texts}/{texts} texts where both fail")
        return 0 if answers == len(asked) and texts == same_texts else 1

    def _print_difference(self, question: Question, ours: dict[str, Any]) -> None:
        oracle = {name: question[name] for name in question if name not in ("kind", *self.asks)}
        print(question["kind"], *(json.dumps(question[name])[:300] for name in self.asks))
        print("    oracle:", ascii(oracle)[:400])
        print("    ours:  ", ascii(ours)[:400])

    def main(self) -> int:
        """The command: see the docstrings of ``ask.py``."""
        oracle, mode, *numbers = sys.argv[1:]
        if mode == "again":
            with self.written.open() as lines:
                asked = [json.loads(line) for line in lines]
        else:
            asked = list(self.questions(int(numbers[0]), int(numbers[1])))
        answered = self.ask(oracle, asked)
        if mode == "compare":
            return self.compare(answered)
        for question in answered:
            line = json.dumps(question)
            if self.longest is None or len(line) <= self.longest:
                print(line)
        return 0
