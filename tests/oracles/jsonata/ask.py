"""Asks the oracle, jsonata-js 2.0.6.

    ask.py ORACLE write COUNT SEED    answers to new questions, as the lines of questions.jsonl
    ask.py ORACLE again               asks the questions of questions.jsonl again, and writes them with the answers
    ask.py ORACLE compare COUNT SEED  how far we agree on new questions; prints what differs

ORACLE is the folder of the oracles (../shared/oracles after ``make js/node_modules`` there: Node and npm).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from answers import agree, our_answer
from generate import DOCUMENT, FUNCTIONS, questions

QUESTIONS = Path(__file__).with_name("questions.jsonl")
LONGEST = 1_000
"""Longer lines are not worth their place."""
KEPT = ("value", "nothing", "function", "error", "stage", "message")
UNSURE = ("timeout", "U1001")
"""What the oracle says where it gives up."""
OVERFLOW = "Maximum call stack size exceeded"
"""What the oracle's own stack says, where a result is nested endlessly, and where a number is too large for a word."""
NO_DIGITS = "Cannot read properties of undefined (reading 'length')"
NO_DIGITS_OF_AWS = {
    "error": "D3086",
    "stage": "evaluate",
    "message": "The sub-picture must not contain a passive character that is preceded by an active character and that "
    "is followed by another active character",
}
"""A picture of $formatNumber without digits: what 2.0.6 stumbles over, and what AWS was measured to say."""


def ask(oracle: str, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions with their answers, less those that the oracle does not answer in time."""
    asked = [each for question in asked for each in (*named(question["expr"]), question)]
    lines = "".join(json.dumps({"expr": each["expr"], "data": DOCUMENT}) + "\n" for each in asked)
    done = subprocess.run([f"{oracle}/oracle", "jsonata"], input=lines, capture_output=True, text=True, check=True)
    answered = []
    for question, line in zip(asked, done.stdout.split("\n"), strict=False):
        answer = json.loads(line)
        if "formatNumber" in question["expr"] and answer.get("message") == NO_DIGITS:
            answer = NO_DIGITS_OF_AWS
        if question["kind"] and answer.get("error") not in UNSURE and answer.get("message") != OVERFLOW:
            kept = {name: answer[name] for name in KEPT if name in answer}
            answered.append({"kind": question["kind"], "expr": question["expr"], **kept})
    return answered


def named(expression: str) -> list[dict[str, Any]]:
    """Calls of the functions that are named in an expression.

    Texts of errors have the name by which a function was called last in the oracle's process, so each is called.
    """
    names = [name for name in FUNCTIONS if re.search(rf"\${name}\b", expression)]
    return [{"kind": "", "expr": f"${name}()"} for name in names]


def compare(asked: list[dict[str, Any]]) -> int:
    """Prints what differs, and how much."""
    answers = texts = same_texts = 0
    for question in asked:
        ours = our_answer({**question, "data": DOCUMENT})
        same = agree(question, ours)
        answers += same
        if "error" in question and "error" in ours:
            texts += 1
            same_texts += question["message"] == ours["message"]
        if not same or question.get("message") != ours.get("message"):
            oracle = {name: question[name] for name in question if name not in ("kind", "expr")}
            print(question["kind"], ascii(question["expr"]))
            print("    oracle:", ascii(oracle)[:400])
            print("    ours:  ", ascii(ours)[:400])
    print(f"{answers}/{len(asked)} answers are the same, {same_texts}/{texts} texts where both fail")
    return 0 if answers == len(asked) and texts == same_texts else 1


def main() -> int:
    """See above."""
    oracle, mode, *numbers = sys.argv[1:]
    if mode == "again":
        with QUESTIONS.open() as lines:
            asked = [json.loads(line) for line in lines]
    else:
        asked = list(questions(int(numbers[0]), int(numbers[1])))
    answered = ask(oracle, asked)
    if mode == "compare":
        return compare(answered)
    for question in answered:
        line = json.dumps(question)
        if len(line) <= LONGEST:
            print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
