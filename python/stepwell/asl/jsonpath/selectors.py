"""Steps to functions: what a path finds in a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stepwell.asl.errors import AslError, runtime_error
from stepwell.asl.json import is_array, is_object
from stepwell.asl.jsonpath.functions import FUNCTIONS
from stepwell.asl.jsonpath.syntax import (
    MISSING,
    Filter,
    Find,
    Function,
    Index,
    Predicate,
    Property,
    Run,
    Scan,
    Slice,
    Step,
    Wildcard,
)

Values = list[Any]
Many = Callable[[Values, Run], Values]
"""A step of an indefinite path: from the values found so far to the values one step on; it skips what does not fit."""


def is_definite(steps: Sequence[Step]) -> bool:
    """Whether the path finds one value or nothing; a path that is not definite always gives a list."""
    return _definite_length(steps) == len(steps) or _aggregates_scan(steps)


def compile_find(steps: Sequence[Step]) -> Find:
    """The function that gives what the path finds in a value."""
    if _aggregates_scan(steps):
        scanned = steps[:-1]
        # The length of a scan counts what is inside the arrays it finds: "$..book.length()", Jayway's README.
        if steps[-1] == Function("length", ()):
            scanned = (*scanned, Wildcard())
        return _function(compile_find(scanned), steps[-1])
    length = _definite_length(steps)
    find = _definite(steps[:length])
    return find if length == len(steps) else _indefinite(find, steps[length:])


def _aggregates_scan(steps: Sequence[Step]) -> bool:
    """``$..price.sum()``: Jayway applies the function to all that the scan found, not to each."""
    return len(steps) > 1 and isinstance(steps[0], Scan) and isinstance(steps[-1], Function)


def _definite_length(steps: Sequence[Step]) -> int:
    """How many of the first steps find one value at most."""
    for position, step in enumerate(steps):
        match step:
            case Property(names) if len(names) == 1 or position == len(steps) - 1:
                continue
            case Index(indices) if len(indices) == 1:
                continue
            case Function():
                continue
            case _:
                return position
    return len(steps)


# -- definite paths ----------------------------------------------------------------------------------------------------


def _definite(steps: Sequence[Step]) -> Find:
    names = [step.names[0] for step in steps if isinstance(step, Property) and len(step.names) == 1]
    if len(names) == len(steps):
        return _names(names)
    find: Find = _names([])
    for step in steps:
        find = _function(find, step) if isinstance(step, Function) else _then(find, _ONE[type(step)](step))
    return find


def _names(names: list[str]) -> Find:
    """The path of plain names, which most paths are."""
    # Subscripting a list, a string, a number or null by a name is a TypeError: nothing is there.
    if not names:
        return lambda model, _: model
    if len(names) == 1:
        return _name(names[0])

    def find(model: Any, _: Run) -> Any:
        try:
            for name in names:
                model = model[name]
        except (KeyError, TypeError):
            return MISSING
        return model

    return find


def _name(name: str) -> Find:
    def find(model: Any, _: Run) -> Any:
        try:
            return model[name]
        except (KeyError, TypeError):
            return MISSING

    return find


def _then(find: Find, one: Callable[[Any], Any]) -> Find:
    def found(model: Any, run: Run) -> Any:
        value = find(model, run)
        return value if value is MISSING else one(value)

    return found


def _one_property(step: Property) -> Callable[[Any], Any]:
    if len(step.names) == 1:
        name = step.names[0]
        return lambda model: model.get(name, MISSING) if is_object(model) else MISSING
    names = step.names
    return lambda model: {name: model[name] for name in names if name in model} if is_object(model) else MISSING


def _one_index(step: Index) -> Callable[[Any], Any]:
    index = step.indices[0]
    return lambda model: item_at(model, index) if is_array(model) else MISSING


def item_at(items: Values, index: int) -> Any:
    """The item at an index; null outside of the array (AWS: "index past the end ⇒ null", ASL A3.11)."""
    return items[index] if -len(items) <= index < len(items) else None


_ONE: dict[type, Callable[[Any], Callable[[Any], Any]]] = {Property: _one_property, Index: _one_index}


def _function(find: Find, step: Step) -> Find:
    assert isinstance(step, Function)
    compute = FUNCTIONS[step.name]

    def found(model: Any, run: Run) -> Any:
        value = find(model, run)
        if value is MISSING:
            return MISSING
        arguments = [argument(model, run) for argument in step.arguments]
        if any(argument is MISSING for argument in arguments):
            return MISSING
        return _computed(compute, value, arguments)

    return found


def _computed(compute: Callable[[Any, Values], Any], value: Any, arguments: Values) -> Any:
    try:
        return compute(value, arguments)
    except AslError:
        raise
    except (ArithmeticError, ValueError) as error:
        raise runtime_error("The result of a JSONPath function is out of range.") from error


# -- indefinite paths --------------------------------------------------------------------------------------------------


def _indefinite(find: Find, steps: Sequence[Step]) -> Find:
    fits = _FITS[type(steps[0])]
    stages = _stages(steps)

    def found(model: Any, run: Run) -> Any:
        start = find(model, run)
        # After a definite beginning the value must be of the kind that the step needs; after an indefinite step it
        # is passed over.
        if start is MISSING or not fits(start):
            return MISSING
        values = [start]
        for stage in stages:
            values = stage(values, run)
            run.spend(len(values) + 1)
        return values

    return found


_FITS: dict[type, Callable[[Any], bool]] = {
    Property: lambda model: is_object(model),
    Index: lambda model: is_array(model),
    Slice: lambda model: is_array(model),
    Wildcard: lambda _: True,
    Scan: lambda _: True,
    Filter: lambda model: is_object(model) or is_array(model),
}


def _stages(steps: Sequence[Step]) -> list[Many]:
    stages: list[Many] = []
    position = 0
    while position < len(steps):
        step = steps[position]
        if isinstance(step, Scan):
            position += 1
            is_last = position == len(steps) - 1
            stages.append(_scan(steps[position], is_last))
        else:
            stages.append(_many(step, position == len(steps) - 1))
        position += 1
    return stages


def _many(step: Step, is_last: bool) -> Many:
    match step:
        case Property(names) if len(names) == 1:
            return _many_name(names[0])
        case Property(names):
            return _many_names(names, is_last)
        case Index(indices):
            return _from_lists(lambda items: [item_at(items, index) for index in indices])
        case Slice(start, stop):
            return _from_lists(lambda items: items[start:stop])
        case Wildcard():
            return _many_children
        case Filter():
            return _many_filtered(step)
        case Function():
            return _many_computed(step)
        case Scan():
            raise AssertionError("a scan is part of the step that follows it")


def _many_name(name: str) -> Many:
    return lambda values, _: [value[name] for value in values if is_object(value) and name in value]


def _many_names(names: tuple[str, ...], is_last: bool) -> Many:
    def select(values: Values, _: Run) -> Values:
        objects = [value for value in values if is_object(value)]
        if is_last:
            return [{name: item[name] for name in names if name in item} for item in objects]
        return [item[name] for item in objects for name in names if name in item]

    return select


def _from_lists(choose: Callable[[Values], Values]) -> Many:
    return lambda values, _: [item for value in values if is_array(value) for item in choose(value)]


def _many_children(values: Values, _: Run) -> Values:
    return [child for value in values for child in children(value)]


def children(value: Any) -> Values:
    """The values one level down."""
    if is_object(value):
        return list(value.values())
    return value if is_array(value) else []


def _many_filtered(step: Filter) -> Many:
    predicate = step.predicate

    def select(values: Values, run: Run) -> Values:
        found: Values = []
        for value in values:
            # On an object the filter tests the object itself: Jayway's reading.
            candidates: Values = value if is_array(value) else [value] if is_object(value) else []
            run.spend(len(candidates))
            found.extend(candidate for candidate in candidates if predicate(candidate, run))
        return found

    return select


def _many_computed(step: Function) -> Many:
    compute = FUNCTIONS[step.name]

    def select(values: Values, run: Run) -> Values:
        arguments = [argument(run.root, run) for argument in step.arguments]
        return [_computed(compute, value, arguments) for value in values]

    return select


def _scan(step: Step, is_last: bool) -> Many:
    """``..`` with its step: each value at any depth, itself first, and what the step finds in those that have it."""
    apply = _many(step, is_last)
    matches = _scan_condition(step, is_last)

    def select(values: Values, run: Run) -> Values:
        found: Values = []
        stack = values[::-1]
        while stack:
            value = stack.pop()
            run.spend(1)
            if not (is_object(value) or is_array(value)):
                continue
            if matches(value, run):
                found.extend(apply([value], run))
            stack.extend(children(value)[::-1])
        return found

    return select


def _scan_condition(step: Step, is_last: bool) -> Predicate:
    match step:
        case Property(names) if len(names) == 1 or is_last:
            return lambda value, _: is_object(value) and all(name in value for name in names)
        case Filter(predicate):
            return predicate  # each object is tested where the scan meets it, not once more from its array
        case _:
            return lambda value, _: True
