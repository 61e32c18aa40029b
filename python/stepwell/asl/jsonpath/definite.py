"""Evaluates a definite path: a loop over names and indices that only tells whether it finds something.

If nothing was found, ``steps`` evaluates the path again and explains why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stepwell.asl.json import is_array, is_object
from stepwell.asl.jsonpath.run import MISSING
from stepwell.asl.jsonpath.tokens import FromEnd, Index, Property, Root, Token

Find = Callable[[Any], Any]
"""What a definite path finds in a value, or MISSING."""


def plain_names(tokens: Sequence[Token]) -> tuple[str, ...] | None:
    """The names of a path that has only names after its ``$``, else None."""
    return only_names(tokens[1:])


def only_names(tokens: Sequence[Token]) -> tuple[str, ...] | None:
    """The names of tokens that are all single names, else None."""
    names: list[str] = []
    for token in tokens:
        if not isinstance(token, Property) or len(token.names) != 1:
            return None
        names.append(token.names[0])
    return tuple(names)


def compile_definite(tokens: Sequence[Token]) -> Find:
    """The function that evaluates a definite path; the first token is its root."""
    names = plain_names(tokens)
    if names is not None:
        return find_names(names)
    steps = [_step(token, is_last=token is tokens[-1]) for token in tokens if not isinstance(token, Root)]

    def find(model: Any) -> Any:
        for step in steps:
            if type(step) is str:
                try:
                    model = model[step]
                except (KeyError, TypeError):
                    return MISSING
            else:
                model = step(model)
                if model is MISSING:
                    return MISSING
        return model

    return find


def find_names(names: Sequence[str]) -> Find:
    """The function that looks up plain names, as most paths need it."""
    # Subscripting a list, a string, a number or null with a name is a TypeError: the path finds nothing.
    match names:
        case []:
            return lambda model: model
        case [name]:
            return _find_name(name)
        case _:
            pass

    def find(model: Any) -> Any:
        try:
            for name in names:
                model = model[name]
        except (KeyError, TypeError):
            return MISSING
        return model

    return find


def _find_name(name: str) -> Find:
    def find(model: Any) -> Any:
        try:
            return model[name]
        except (KeyError, TypeError):
            return MISSING

    return find


def _step(token: Token, *, is_last: bool) -> Any:
    """A name itself, or the function of another step."""
    match token:
        case Property((name,)):
            return name
        case Property(names):
            return _several(names) if is_last else _nothing
        case Index(index):
            return _item(index)
        case FromEnd(offset):
            return _item_from_end(offset)
        case _:
            raise AssertionError("a path with this token is not definite")


def _item(index: int) -> Find:
    return lambda model: item_at(model, index) if is_array(model) else MISSING


def _item_from_end(offset: int) -> Find:
    return lambda model: item_at(model, len(model) + offset) if is_array(model) else MISSING


def _nothing(_: Any) -> Any:
    return MISSING


def _several(names: tuple[str, ...]) -> Find:
    return lambda model: chosen(model, names) if is_object(model) else MISSING


def chosen(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The object of several names: those of its fields that exist."""
    return {name: fields[name] for name in names if name in fields}


def item_at(items: list[Any], index: int) -> Any:
    """The item at an index; null outside of the array, where a negative index always is."""
    return items[index] if 0 <= index < len(items) else None
