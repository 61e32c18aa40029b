"""Evaluates a path step by step: each token is a function that goes on to the next one, depth first.

What a step cannot do ends the evaluation with Jayway's text, and the order of things decides which text that is, and
what a wildcard passes over. A *place*, the way from the document to a value, is kept as pairs that are only written
out for a text. What an array holds goes on as a node (``java.Node``), what a field holds as a Java value: texts differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stepwell.asl.json import is_array, is_object
from stepwell.asl.jsonpath.definite import chosen, item_at
from stepwell.asl.jsonpath.errors import Impossible, NoResult
from stepwell.asl.jsonpath.java import as_node, as_value, java_text
from stepwell.asl.jsonpath.run import Run
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
"""The place that a step leads to from another; None is the document."""
Step = Callable[[Any, Place, Run], None]
"""Evaluates a token and those after it on a value at a place."""

_NO_FILTER = (
    'Cannot invoke "com.jayway.jsonpath.Predicate.apply(com.jayway.jsonpath.Predicate$PredicateContext)" because '
    '"predicate" is null'
)


def compile_steps(tokens: Sequence[Token]) -> Step:
    """The function that evaluates the tokens, whose first one is the root."""
    return compile_each(tokens)[0]


def compile_each(tokens: Sequence[Token]) -> list[Step]:
    """For each token the function that evaluates it and those after it."""
    steps: list[Step] = []  # the last one first
    for position in reversed(range(len(tokens))):
        steps.append(_compile(tokens, position, steps))
    steps.reverse()
    return steps


def show(place: Place) -> str:
    """The place as messages show it."""
    pieces: list[str] = []
    while place is not None:
        place, step = place
        pieces.append(f"[{step}]" if isinstance(step, int) else f"['{step}']")
    return "$" + "".join(reversed(pieces))


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
            return _wildcard(following)
        case Filter():
            return _filter(token, fragments(tokens[position:]), following)
        case Scan():
            return _scan(tokens[position + 1], compiled) if compiled else _scan_for_nothing
        case _:
            return _array(token, fragments(tokens[position:]), following)


def _passes_over_a_miss(tokens: Sequence[Token], position: int) -> bool:
    """Whether a name that is missing there, and is not the path's last token, ends only this branch."""
    # Jayway asks what comes before the token, but looks from the token before it on to the end of the path.
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


def _take(items: list[Any], index: int, place: Place, run: Run, following: Step | None) -> None:
    """Go on with the item at an index."""
    if following is None:
        run.results.append(item_at(items, index))
    else:
        following(as_node(items[index]) if 0 <= index < len(items) else None, (place, index), run)


def _array(token: Index | FromEnd | Indices | Slice, fragment: str, following: Step | None) -> Step:
    indices = _indices(token)

    def evaluate(model: Any, place: Place, run: Run) -> None:
        if model is None:
            raise NoResult(f"The path {show(place)} is null")
        if not is_array(model):
            text = java_text(model)
            raise Impossible(f"Filter: {fragment} can only be applied to arrays. Current context is: {text}")
        chosen_indices = indices(len(model))
        run.spend(len(chosen_indices))
        for index in chosen_indices:
            _take(model, index, place, run, following)

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


def _wildcard(following: Step | None) -> Step:
    def evaluate(model: Any, place: Place, run: Run) -> None:
        if is_object(model):
            run.spend(len(model))
            if following is None:
                run.results.extend(model.values())
                return
            for name, value in model.items():
                following(value, (place, name), run)
        elif is_array(model):
            run.spend(len(model))
            if following is None:
                run.results.extend(model)
                return
            for index, item in enumerate(model):
                try:
                    following(as_node(item), (place, index), run)
                except Impossible:
                    raise
                except NoResult:  # an item without a result is passed over; a field without one is not
                    continue

    return evaluate


def _filter(token: Filter, fragment: str, following: Step | None) -> Step:
    accepts = _acceptance(token)

    def evaluate(model: Any, place: Place, run: Run) -> None:
        if is_object(model):
            if accepts(model, run):
                if following is None:
                    run.results.append(model)
                else:
                    following(model, place, run)
        elif is_array(model):
            run.spend(len(model))
            for index, item in enumerate(model):
                if accepts(item, run):
                    _take(model, index, place, run, following)
        else:
            text = java_text(model)
            raise Impossible(f"Filter: {fragment} can not be applied to primitives. Current context is: {text}")

    return evaluate


def _acceptance(token: Filter) -> Test:
    return _no_filter if token.test is None else token.test


def _no_filter(_: Any, run: Run) -> bool:
    raise Impossible(_NO_FILTER)


# -- scans -------------------------------------------------------------------------------------------------------------


def _scan(token: Token, compiled: Sequence[Step]) -> Step:
    """``..``: the token that follows it, at every object and array that the token fits.

    At an array, a token that is not the path's last one is passed over: the tokens after it get every item.
    """
    target, after = compiled[-1], compiled[-2] if len(compiled) > 1 else None
    if isinstance(token, Property) and len(token.names) == 1 and after is None:
        return _scan_for_leaf(token.names[0])
    fits = _fitting(token)

    def evaluate(model: Any, place: Place, run: Run) -> None:
        pending = [(model, place)]
        while pending:
            value, at = pending.pop()
            if is_object(value):
                run.spend(1)
                if fits(value, run):
                    target(value, at, run)
                pending.extend(_containers(value.items(), at))
            elif is_array(value):
                run.spend(1)
                if fits(value, run):
                    if after is None:
                        target(value, at, run)
                    else:
                        run.spend(len(value))
                        for index, item in enumerate(value):
                            after(item, (at, index), run)
                pending.extend(_containers(enumerate(value), at))

    return evaluate


def _scan_for_nothing(_: Any, __: Place, run: Run) -> None:
    # The reader refuses a path that ends with "..", but not the path ".", before which it puts "$.".
    raise Impossible("Current path token is a leaf")


def _containers(items: Iterable[tuple[str | int, Any]], place: Place) -> list[tuple[Any, Place]]:
    """The objects and arrays among items, the first one last."""
    found: list[tuple[Any, Place]] = [
        (value, (place, step)) for step, value in items if is_object(value) or is_array(value)
    ]
    found.reverse()
    return found


def _scan_for_leaf(name: str) -> Step:
    """``..name``, which cannot fail and need not know places."""

    def evaluate(model: Any, _: Place, run: Run) -> None:
        found = run.results
        pending = [model]
        while pending:
            value = pending.pop()
            if is_object(value):
                run.spend(1)
                if name in value:
                    found.append(value[name])
                children: Iterable[Any] = value.values()
            elif is_array(value):
                run.spend(1)
                children = value
            else:
                continue
            containers = [child for child in children if is_object(child) or is_array(child)]
            containers.reverse()
            pending += containers

    return evaluate


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
