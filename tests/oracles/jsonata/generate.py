"""Generates JSONata questions: expressions over a small document, with every function, operator, type and picture.

The same seed gives the same questions. ``ask.py`` gets the answers. No expression depends on time or chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from oracles.jsonata import pictures
from oracles.jsonata.expressions import Maker
from oracles.jsonata.vocabulary import BINDINGS, DOCUMENT

Question = dict[str, Any]

KINDS: dict[str, Callable[[Maker], str]] = {
    "call": lambda maker: maker.call(2),
    "value": lambda maker: maker.value(3),
    "path": lambda maker: maker.path_expression(2),
    "picture of a number": pictures.picture_of_number,
    "picture of an integer": pictures.picture_of_integer,
    "date": pictures.date,
    "date read": pictures.date_read,
    "syntax": Maker.syntax,
    "transform": Maker.transform,
    "functional": Maker.functional,
    "partial application": Maker.partial,
    "unchecked argument": Maker.unchecked,
    "binding": Maker.binding,
    "regular expression": Maker.regex,
}


def questions(count: int, seed: int) -> Iterator[Question]:
    """So many questions, of each kind in turn."""
    maker = Maker(seed)
    for number in range(count):
        kind = [*KINDS][number % len(KINDS)]
        yield {"kind": kind, "expr": KINDS[kind](maker)}


def with_values(question: Question) -> Question:
    """The question with the values that it is asked over: a state's, with variables, or a context item."""
    return question | ({"bindings": BINDINGS} if question["kind"] == "binding" else {"data": DOCUMENT})
