"""Asks the oracle, jsonata-js 2.0.6.

    ask.py ORACLE write COUNT SEED    answers to new questions, as the lines of questions.jsonl
    ask.py ORACLE again               asks the questions of questions.jsonl again, and writes them with the answers
    ask.py ORACLE compare COUNT SEED  compares our answers to new questions with the oracle's; prints what differs

ORACLE is the folder of the oracles (../shared/oracles after ``make js/node_modules`` there: Node and npm).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))

from oracles.asking import Oracle, answers_of
from oracles.jsonata.answers import agree, our_answer
from oracles.jsonata.generate import questions, with_values
from oracles.jsonata.vocabulary import FUNCTIONS

KEPT = ("value", "nothing", "function", "error", "stage", "message")
UNSURE = ("timeout", "U1001")
"""The oracle's message when it gives up."""
OVERFLOW = "Maximum call stack size exceeded"
"""The message of the oracle's stack overflow: for an endlessly nested result, or a number too large for words."""
NO_DIGITS = "Cannot read properties of undefined (reading 'length')"
NO_DIGITS_OF_AWS = {
    "error": "D3086",
    "stage": "evaluate",
    "message": "The sub-picture must not contain a passive character that is preceded by an active character and that "
    "is followed by another active character",
}
"""A picture of $formatNumber without digits: the failure of 2.0.6, and the answer that AWS was measured to give."""


def ask(oracle: str, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions with their answers, without those that the oracle does not answer in time."""
    asked = [each for question in asked for each in (*named(question["expr"]), question)]
    lines = [with_values(each) for each in asked]
    answered = []
    for question, answer in zip(asked, answers_of([f"{oracle}/oracle", "jsonata"], lines), strict=False):
        if "formatNumber" in question["expr"] and answer.get("message") == NO_DIGITS:
            answer = NO_DIGITS_OF_AWS
        if question["kind"] and answer.get("error") not in UNSURE and answer.get("message") != OVERFLOW:
            kept = {name: answer[name] for name in KEPT if name in answer}
            answered.append({"kind": question["kind"], "expr": question["expr"], **kept})
    return answered


def named(expression: str) -> list[dict[str, Any]]:
    """Calls of all functions that an expression names.

    Error texts contain the name by which a function was last called in the oracle's process, so each is called first.
    """
    names = [name for name in FUNCTIONS if re.search(rf"\${name}\b", expression)]
    return [{"kind": "", "expr": f"${name}()"} for name in names]


if __name__ == "__main__":
    jsonata_js = Oracle(
        questions=questions,
        ask=ask,
        our_answer=lambda question: our_answer(with_values(question)),
        agree=agree,
        asks=("expr",),
        texts=("message",),
        written=Path(__file__).with_name("questions.jsonl"),
        longest=1_000,
    )
    raise SystemExit(jsonata_js.main())
