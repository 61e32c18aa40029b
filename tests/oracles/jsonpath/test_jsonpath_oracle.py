"""1,700 questions with the answers of Jayway json-path 2.0.0: values and texts.

``ask.py ORACLE again`` asks the oracle anew.
"""

import json
from pathlib import Path

from oracles.jsonpath.answers import agree, our_answer

QUESTIONS = [json.loads(line) for line in Path(__file__).with_name("questions.jsonl").read_text().splitlines()]


def _differs(question):
    ours = our_answer(question)
    same = agree(question, ours) and (question.get("stage"), question.get("message")) == (
        ours.get("stage"),
        ours.get("message"),
    )
    return None if same else (question["path"], question["doc"], question, ours)


def test_the_questions_are_of_every_kind():
    assert len(QUESTIONS) >= 1_000
    assert sum("value" in question for question in QUESTIONS) > 500
    assert {question.get("stage") for question in QUESTIONS} == {None, "compile", "evaluate"}
    assert len({question["kind"] for question in QUESTIONS}) > 8


def test_we_answer_as_the_oracle_does():
    assert [found for found in map(_differs, QUESTIONS) if found] == []
