"""Evaluates a path step by step: each token is a function that calls the next one, depth first.

A step that fails ends the evaluation with Jayway's text; the order of the steps decides which text that is, and which
values a wildcard skips. A *place*, the path from the document to a value, is kept as nested pairs and formatted only
for a text. An item of an array is passed on as a node (``java.Node``), a field's value as a Java value: their texts
differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stepwell.asl.json import is_array, is_object
from stepwell.asl.jsonpath.definite import chosen, find_names, item_at, only_names
from stepwell.asl.jsonpath.errors import Impossible, NoResult
from stepwell.asl.jsonpath.java import as_node, as_value, java_text
from stepwell.asl.jsonpath.run import MISSING, Run
from stepwell.asl.jsonpath.tokens import (
    Filter,
    FromEnd,
    Index,
    Indices,
    Property,
    Root,
    Scan,
    Slice,
    Test,
    Token,
    Wildcard,
    fragments,
    is_definite,
)

Place = tuple["Place", str | int] | None
"""A place and the step from it to the next place; None is the document."""
Step = Callable[[Any, Place, Run], None]
"""Evaluates a token, and those after it, on a value at a place."""

# For isinstance in fast loops: the same types as json.is_object and is_array.
_OBJECT: type[Any] = dict
_CONTAINERS: tuple[type[Any], ...] = (dict, list)

_NO_FILTER = (
    'Cannot invoke "com.jayway.jsonpath.Predicate.apply(com.jayway.jsonpath.Predicate$PredicateContext)" because '
    '"predicate" is null'
)


def compile_steps(tokens: Sequence[Token]) -> Step:
    """The function that evaluates the tokens, whose first one is the root."""
    return compile_rest(tokens, 0)


def compile_rest(tokens: Sequence[Token], start: int) -> Step:
    """The function that evaluates the token at ``start`` and those after it."""
    steps: list[Step] = []  # the last one first
    for position in range(len(tokens) - 1, start - 1, -1):
        steps.append(_compile(tokens, position, steps))
    return steps[-1]


def show(place: Place) -> str:
    """The place in the form of messages."""
    pieces: list[str] = []
    while place is not None:
        place, step = place
        pieces.append(f"[{step}]" if isinstance(step, int) else f"['{step}']")
    return "$" + "".join(reversed(pieces))


class _Next:
    """The continuation after a token that gives many values.

    ``step`` is the next token's function, None after the last token. ``names`` are the following tokens if all are
    names: they are looked up in all values at once; if one value lacks a name, ``step`` decides what that means.
    """

    __slots__ = ("find", "names", "step")

    def __init__(self, step: Step | None, tokens: Sequence[Token]) -> None:
        self.step = step
        self.names = only_names(tokens) or ()
        self.find = find_names(self.names)

    def take_all(self, items: list[Any], run: Run) -> bool:
        """Add the results of all items, if all have one."""
        if self.step is None:
            run.results += items
        elif not self.names:
            return False
        else:
            try:
                for name in self.names:
                    items = [item[name] for item in items]
            except (KeyError, TypeError):
                return False
            run.results += items
        return True

    def take(self, items: list[Any], index: int, place: Place, run: Run) -> None:
        """Continue with the item at an index."""
        if self.step is None:
            run.results.append(item_at(items, index))
        else:
            self.step(as_node(items[index]) if 0 <= index < len(items) else None, (place, index), run)


def _compile(tokens: Sequence[Token], position: int, compiled: Sequence[Step]) -> Step:
    """The function of one token; ``compiled`` are those of the tokens after it, the next one last."""
    token, following = tokens[position], compiled[-1] if compiled else None
    match token:
        case Root():
            return _root(following)
        case Property((name,)):
            return _property(name, following, is_silent=_passes_over_a_miss(tokens, position))
        case Property():
            return _properties(token, following)
        case Wildcard():
            return _wildcard(_Next(following, tokens[position + 1 :]))
        case Filter():
            return _filter(token, tokens[position:], _Next(following, tokens[position + 1 :]))
        case Scan():
            return _scan(tokens[position + 1], compiled) if compiled else _scan_for_nothing
        case _:
            return _array(token, tokens[position:], _Next(following, tokens[position + 1 :]))


def _passes_over_a_miss(tokens: Sequence[Token], position: int) -> bool:
    """Whether a missing name there, if it is not the path's last token, ends only this branch."""
    # Jayway asks for the tokens before this one, but looks from the previous token to the end of the path.
    return not is_definite(tokens[position - 1 :])


def _root(following: Step | None) -> Step:
    if following is None:
        return lambda model, _, run: run.results.append(as_value(model))
    return lambda model, _, run: following(model, None, run)


def _property(name: str, following: Step | None, *, is_silent: bool) -> Step:
    def evaluate(model: Any, place: Place, run: Run) -> None:
        if not is_object(model):
            raise NoResult(f"Property ['{name}'] not found in path {show(place)}")
        if name not in model:
            if following is None:
                raise NoResult(f"No results for path: {show((place, name))}")
            if is_silent:
                return
            raise NoResult(f"Missing property in path {show((place, name))}")
        if following is None:
            run.results.append(model[name])
        else:
            following(model[name], (place, name), run)

    return evaluate


def _properties(token: Property, following: Step | None) -> Step:
    names, fragment = token.names, token.fragment

    def evaluate(model: Any, place: Place, run: Run) -> None:
        if not is_object(model):
            raise NoResult(f"Property {fragment} not found in path {show(place)}")
        if following is not None:
            raise Impossible(f"Multi properties can only be used as path leafs: {show(place)}{fragment}")
        run.results.append(chosen(model, names))

    return evaluate


def _array(token: Index | FromEnd | Indices | Slice, tokens: Sequence[Token], after: _Next) -> Step:
    indices = _indices(token)

    def evaluate(model: Any, place: Place, run: Run) -> None:
        if model is None:
            raise NoResult(f"The path {show(place)} is null")
        if not is_array(model):
            text = java_text(model)
            raise Impossible(f"Filter: {fragments(tokens)} can only be applied to arrays. Current context is: {text}")
        chosen_indices = indices(len(model))
        run.spend(len(chosen_indices))
        is_part = isinstance(chosen_indices, range) and chosen_indices.start >= 0
        if not (is_part and after.take_all([model[index] for index in chosen_indices], run)):
            for index in chosen_indices:
                after.take(model, index, place, run)

    return evaluate


def _indices(token: Index | FromEnd | Indices | Slice) -> Callable[[int], Sequence[int]]:
    match token:
        case Index(index):
            return lambda _: (index,)
        case FromEnd(offset):
            return lambda length: (length + offset,)
        case Indices(indices):
            return lambda _: indices
        case Slice():
            return token.indices


def _wildcard(after: _Next) -> Step:
    def evaluate(model: Any, place: Place, run: Run) -> None:
        if is_object(model):
            run.spend(len(model))
            if after.step is None:
                run.results += model.values()
                return
            for name, value in model.items():
                after.step(value, (place, name), run)
        elif is_array(model):
            run.spend(len(model))
            if not after.take_all(model, run):
                for index in range(len(model)):
                    _take_if_any(after, model, index, place, run)

    return evaluate


def _take_if_any(after: _Next, items: list[Any], index: int, place: Place, run: Run) -> None:
    """Continue with an item; skip it if it has no result. A wildcard does so in arrays, not in objects."""
    try:
        after.take(items, index, place, run)
    except Impossible:
        raise
    except NoResult:
        return


def _filter(token: Filter, tokens: Sequence[Token], after: _Next) -> Step:
    accepts = _acceptance(token)

    def evaluate(model: Any, place: Place, run: Run) -> None:
        if is_object(model):
            if accepts(model, run):
                if after.step is None:
                    run.results.append(model)
                else:
                    after.step(model, place, run)
        elif is_array(model):
            run.spend(len(model))
            if after.step is None:  # a failing filter ends the whole evaluation, so no results must be kept
                run.results += [item for item in model if accepts(item, run)]
                return
            find = after.find if after.names else _nothing
            for index, item in enumerate(model):
                if accepts(item, run):
                    value = find(item)
                    if value is MISSING:
                        after.take(model, index, place, run)
                    else:
                        run.results.append(value)
        else:
            text = java_text(model)
            raise Impossible(
                f"Filter: {fragments(tokens)} can not be applied to primitives. Current context is: {text}"
            )

    return evaluate


def _nothing(_: Any) -> Any:
    return MISSING


def _acceptance(token: Filter) -> Test:
    return _no_filter if token.test is None else token.test


def _no_filter(_: Any, run: Run) -> bool:
    raise Impossible(_NO_FILTER)


# -- scans -------------------------------------------------------------------------------------------------------------


def _scan(token: Token, compiled: Sequence[Step]) -> Step:
    """``..``: the following token, at every object and array to which it can be applied.

    In an array, a token that is not the path's last one is skipped: the tokens after it get every item.
    """
    target, after = compiled[-1], compiled[-2] if len(compiled) > 1 else None
    if isinstance(token, Property) and len(token.names) == 1:
        return _scan_for_name(token.names[0], after)
    fits = _fitting(token)

    def visit(value: Any, place: Place, run: Run) -> None:
        if not fits(value, run):
            return
        if after is None or is_object(value):
            target(value, place, run)
            return
        run.spend(len(value))
        for index, item in enumerate(value):
            after(item, (place, index), run)

    return _every(visit)


def _scan_for_name(name: str, after: Step | None) -> Step:
    def visit(value: Any, place: Place, run: Run) -> None:
        if name in value and is_object(value):
            if after is None:
                run.results.append(value[name])
            else:
                after(value[name], (place, name), run)

    return _every(visit)


def _every(visit: Step) -> Step:
    """Visits every object and array of a value, itself first."""

    def evaluate(model: Any, place: Place, run: Run) -> None:
        if run.explains:
            _visit_with_places(visit, model, place, run)
            return
        pending = [model] if isinstance(model, _CONTAINERS) else []
        while pending:
            value = pending.pop()
            run.spend(1)
            visit(value, None, run)
            children: Iterable[Any] = value.values() if isinstance(value, _OBJECT) else value
            containers = [child for child in children if isinstance(child, _CONTAINERS)]
            if containers:
                containers.reverse()
                pending += containers

    return evaluate


def _visit_with_places(visit: Step, model: Any, place: Place, run: Run) -> None:
    pending: list[tuple[Any, Place]] = [(model, place)] if isinstance(model, _CONTAINERS) else []
    while pending:
        value, at = pending.pop()
        run.spend(1)
        visit(value, at, run)
        steps: Iterable[str | int] = value if isinstance(value, _OBJECT) else range(len(value))
        containers: list[tuple[Any, Place]] = [
            (value[step], (at, step)) for step in steps if isinstance(value[step], _CONTAINERS)
        ]
        containers.reverse()
        pending += containers


def _scan_for_nothing(_: Any, __: Place, run: Run) -> None:
    # The reader refuses a path that ends with "..", but not the path ".", to which it adds "$.".
    raise Impossible("Current path token is a leaf")


def _fitting(token: Token) -> Test:
    match token:
        case Property(names):
            return lambda model, _: is_object(model) and all(name in model for name in names)
        case Index() | FromEnd() | Indices() | Slice():
            return lambda model, _: is_array(model)
        case Wildcard():
            return lambda _, run: True
        case Filter():
            return _acceptance(token)
        case Root() | Scan():
            return lambda _, run: False
