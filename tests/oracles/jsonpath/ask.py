"""Asks the oracle, Jayway json-path 2.0.0 without options over Jackson's tree.

    ask.py ORACLE write COUNT SEED    answers to new questions, as the lines of questions.jsonl
    ask.py ORACLE again               asks the questions of questions.jsonl again, and writes them with the answers
    ask.py ORACLE compare COUNT SEED  compares our answers to new questions with the oracle's; prints what differs

ORACLE is the folder of the oracles (../shared/oracles after ``make`` there: Java 17 and Maven).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))

from oracles.asking import Oracle, answers_of
from oracles.jsonpath.answers import agree, our_answer, without_wrapping
from oracles.jsonpath.generate import questions

UNANSWERED = ("Timeout", "OutOfMemoryError", "StackOverflowError")


def ask(oracle: str, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions with their answers, without those that the oracle does not answer in time."""
    lines = [{"path": each["path"], "doc": each["doc"]} for each in asked]
    answered = []
    for question, answer in zip(asked, answers_of([f"{oracle}/oracle", "jayway", "2.0.0"], lines), strict=False):
        if answer.get("error") not in UNANSWERED:
            kept = {name: answer[name] for name in ("value", "error", "stage", "message") if name in answer}
            if "message" in kept:
                kept["message"] = without_wrapping(kept["message"])
            answered.append({"kind": question["kind"], "path": question["path"], "doc": question["doc"], **kept})
    return answered


if __name__ == "__main__":
    jayway = Oracle(
        questions=questions,
        ask=ask,
        our_answer=our_answer,
        agree=agree,
        asks=("path", "doc"),
        texts=("message", "stage"),
        written=Path(__file__).with_name("questions.jsonl"),
    )
    raise SystemExit(jayway.main())
