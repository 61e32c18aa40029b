"""2,511 questions with the answers of jsonata-js 2.0.6: values, codes and texts.

``ask.py ORACLE again`` asks the oracle anew.
"""

import json
from pathlib import Path

from oracles.jsonata.answers import agree, our_answer
from oracles.jsonata.generate import KINDS, with_values
from oracles.jsonata.vocabulary import FUNCTIONS

QUESTIONS = [json.loads(line) for line in Path(__file__).with_name("questions.jsonl").read_text().splitlines()]


def _differs(question):
    ours = our_answer(with_values(question))
    same = agree(question, ours) and question.get("message") == ours.get("message")
    return None if same else (question["expr"], question, ours)


def test_the_questions_are_of_every_kind():
    assert len(QUESTIONS) >= 1_000
    assert sum("value" in question for question in QUESTIONS) > 500
    assert {question.get("stage") for question in QUESTIONS} == {None, "parse", "evaluate"}
    assert {question["kind"] for question in QUESTIONS} == set(KINDS)
    assert [name for name in FUNCTIONS if not any(f"${name}" in question["expr"] for question in QUESTIONS)] == []


def test_we_answer_as_the_oracle_does():
    assert [found for found in map(_differs, QUESTIONS) if found] == []
