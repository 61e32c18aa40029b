"""Asks the oracle, Jayway json-path 2.0.0 without options over Jackson's tree.

    ask.py ORACLE write COUNT SEED    answers to new questions, as the lines of questions.jsonl
    ask.py ORACLE again               asks the questions of questions.jsonl again, and writes them with the answers
    ask.py ORACLE compare COUNT SEED  how far we agree on new questions; prints what differs

ORACLE is the folder of the oracles (../shared/oracles after ``make`` there: Java 17 and Maven).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from answers import agree, our_answer, without_wrapping
from generate import questions

QUESTIONS = Path(__file__).with_name("questions.jsonl")


def ask(oracle: str, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions with their answers, less those that the oracle does not answer in time."""
    lines = "".join(json.dumps({"path": each["path"], "doc": each["doc"]}) + "\n" for each in asked)
    done = subprocess.run(
        [f"{oracle}/oracle", "jayway", "2.0.0"], input=lines, capture_output=True, text=True, check=True
    )
    answered = []
    for question, line in zip(asked, done.stdout.split("\n"), strict=False):
        answer = json.loads(line)
        if answer.get("error") not in ("Timeout", "OutOfMemoryError", "StackOverflowError"):
            kept = {name: answer[name] for name in ("value", "error", "stage", "message") if name in answer}
            if "message" in kept:
                kept["message"] = without_wrapping(kept["message"])
            answered.append({"kind": question["kind"], "path": question["path"], "doc": question["doc"], **kept})
    return answered


def compare(asked: list[dict[str, Any]]) -> int:
    """Prints what differs, and how much."""
    answers = texts = same_texts = 0
    for question in asked:
        ours = our_answer(question)
        same = agree(question, ours)
        answers += same
        if "error" in question and "error" in ours:
            texts += 1
            same_texts += question["message"] == ours["message"] and question["stage"] == ours["stage"]
        if not same or (question.get("message"), question.get("stage")) != (ours.get("message"), ours.get("stage")):
            print(ascii(question["path"]), "on", json.dumps(question["doc"])[:300])
            print(
                "    oracle:",
                ascii({name: question[name] for name in question if name not in ("kind", "path", "doc")})[:400],
            )
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
        print(json.dumps(question))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
