"""The parts of a filter as tests of an item: a comparison, a pattern, or whether something is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl.json import is_array, is_object
from stepwell.asl.jsonpath.comparison import OPERATORS, ORDERING, order, order_of
from stepwell.asl.jsonpath.definite import compile_definite, plain_names
from stepwell.asl.jsonpath.errors import Impossible, NoResult
from stepwell.asl.jsonpath.java import java_class, java_text
from stepwell.asl.jsonpath.regex import compile_regex
from stepwell.asl.jsonpath.run import MISSING, Run
from stepwell.asl.jsonpath.steps import compile_steps
from stepwell.asl.jsonpath.tokens import Property, Test, Token


class Literal:
    """A text as it stands in the filter."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Pattern:
    """A regular expression; as a text it is its source."""

    __slots__ = ("regex", "text")

    def __init__(self, source: str, flags: str) -> None:
        self.text = source
        self.regex = compile_regex(source, flags)


class Reference:
    """A definite path from the item (``@``) or from the document (``$``)."""

    __slots__ = ("_find", "_steps", "from_root", "names", "path", "tokens")

    def __init__(self, tokens: tuple[Token, ...], path: str, *, from_root: bool) -> None:
        self.tokens, self.path, self.from_root = tokens, path, from_root
        self.names = plain_names(tokens)
        self._find = compile_definite(tokens)
        self._steps = compile_steps(tokens)

    def value(self, item: Any, run: Run) -> Any:
        """What it finds. Raises NoResult."""
        return self.value_in(run.root if self.from_root else item, run)

    def value_in(self, start: Any, run: Run) -> Any:
        """What it finds from a value on. Raises NoResult."""
        value = self._find(start)
        if value is MISSING:
            if self.names is None:
                self._steps(start, None, Run(run.root))
            raise NoResult
        return value


Operand = Literal | Pattern | Reference


def existence(path: Reference, *, negated: bool) -> Test:
    """``@.a``: something that is not null is there; it looks in the item for ``$.a`` too. ``!@.a``: the contrary."""
    if path.names is not None:
        return _plain_existence(path.names, negated)
    last = path.tokens[-1]
    needed = last.names if isinstance(last, Property) and len(last.names) != 1 else ()

    def test(item: Any, run: Run) -> bool:
        try:
            value = path.value_in(item, run)
        except Impossible:
            raise
        except NoResult:
            return negated
        # Of several names all must be there.
        return (value is None or any(name not in value for name in needed)) == negated

    return test


def _plain_existence(names: tuple[str, ...], negated: bool) -> Test:
    def test(item: Any, _: Run) -> bool:
        try:
            for name in names:
                item = item[name]
        except (KeyError, TypeError):
            return negated
        return (item is None) == negated

    return test


def comparison(left: Operand, operator: str, right: Operand) -> Test:
    """``left operator right``; where a side finds nothing it is false."""
    compare = _matching if operator == "=~" else _comparing(operator)
    if isinstance(left, Reference) and isinstance(right, Literal) and operator != "=~":
        return _with_literal(left, operator, right.text)
    read_left, read_right = _reader(left), _reader(right)
    is_one_path = (
        isinstance(left, Reference)
        and isinstance(right, Reference)
        and left.from_root
        and right.from_root
        and left.path == right.path
    )

    def test(item: Any, run: Run) -> bool:
        try:
            model, expected = read_left(item, run), read_right(item, run)
        except Impossible:
            raise
        except NoResult:
            return False
        # A path of the document is looked up once, so that on both sides it gives the same array or object.
        if is_one_path and model is not None and operator != "=~":
            return OPERATORS[operator](0)
        return compare(expected, model, run)

    return test


def _with_literal(left: Reference, operator: str, literal: str) -> Test:
    """The comparison of a path with a fixed text, which most filters are."""
    compare, accepts, is_ordering = order_of(literal), OPERATORS[operator], operator in ORDERING

    def holds(model: Any) -> bool:
        if model is None and is_ordering:
            return False
        sign = compare(model)
        return sign is not None and accepts(sign)

    if left.names is not None and not left.from_root:
        return _names_with(left.names, holds)

    def test(item: Any, run: Run) -> bool:
        try:
            model = left.value(item, run)
        except Impossible:
            raise
        except NoResult:
            return False
        return holds(model)

    return test


def _names_with(names: tuple[str, ...], holds: Callable[[Any], bool]) -> Test:
    if len(names) == 1:
        name = names[0]

        def one_name(item: Any, _: Run) -> bool:
            try:
                model = item[name]
            except (KeyError, TypeError):
                return False
            return holds(model)

        return one_name

    def test(item: Any, _: Run) -> bool:
        try:
            for name in names:
                item = item[name]
        except (KeyError, TypeError):
            return False
        return holds(item)

    return test


def _reader(operand: Operand) -> Callable[[Any, Run], Any]:
    if isinstance(operand, Reference):
        return operand.value
    value = operand.text if isinstance(operand, Literal) else operand
    return lambda _, run: value


def _comparing(operator: str) -> Callable[[Any, Any, Run], bool]:
    accepts, is_ordering = OPERATORS[operator], operator in ORDERING

    def compare(expected: Any, model: Any, _: Run) -> bool:
        if is_ordering and (expected is None) != (model is None):
            return False
        sign = order(expected, model)
        return sign is not None and accepts(sign)

    return compare


def _matching(expected: Any, model: Any, run: Run) -> bool:
    """``=~``: the whole text of one side matches the pattern that the other one is; null never does."""
    pattern, target = (model, expected) if isinstance(model, Pattern) else (expected, model)
    if not isinstance(pattern, Pattern):
        return _without_pattern(pattern, target)
    if target is None:
        return False
    text = target.text if isinstance(target, Pattern) else java_text(target)
    if is_array(target) or is_object(target):
        run.spend(len(text) // 16)
    return pattern.regex.matches(text, run)


def _without_pattern(value: Any, target: Any) -> bool:
    if value is not None:
        raise Impossible(_not_a_pattern(java_class(value)))
    if target is None:
        return False
    raise Impossible(
        'Cannot invoke "java.util.regex.Pattern.matcher(java.lang.CharSequence)" because "pattern" is null'
    )


_PATTERN = "java.util.regex.Pattern"
_NO_PATTERN = f'Cannot invoke "{_PATTERN}.matcher(java.lang.CharSequence)" because "pattern" is null'


def _not_a_pattern(name: str) -> str:
    if name.startswith("java."):
        where = f"{name} and {_PATTERN} are in module java.base of loader 'bootstrap'"
    else:
        where = f"{name} is in unnamed module of loader 'app'; {_PATTERN} is in module java.base of loader 'bootstrap'"
    return f"class {name} cannot be cast to class {_PATTERN} ({where})"
