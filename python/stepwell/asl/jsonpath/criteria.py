"""The parts of a filter as tests of an item: a comparison, a pattern, or an existence check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stepwell._core import JavaRegex
from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.json import is_array, is_object
from stepwell.asl.jsonpath.comparison import OPERATORS, Holds, compare, compare_with
from stepwell.asl.jsonpath.definite import compile_definite, find_names, plain_names
from stepwell.asl.jsonpath.errors import Impossible, NoResult
from stepwell.asl.jsonpath.java import java_class, java_text
from stepwell.asl.jsonpath.run import MISSING, Run
from stepwell.asl.jsonpath.steps import compile_steps
from stepwell.asl.jsonpath.tokens import Property, Test, Token


class Literal:
    """A text of the filter, as it is written."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Pattern:
    """A regular expression; as a text it is its source."""

    __slots__ = ("_regex", "text")

    def __init__(self, source: str, flags: str) -> None:
        self.text = source
        try:
            self._regex = JavaRegex(source, flags)
        except ExpressionSyntaxError as error:
            raise ExpressionSyntaxError(f"java.util.regex.PatternSyntaxException: {error}") from None

    def matches(self, text: str, run: Run) -> bool:
        """Whether a whole text matches."""
        result, steps = self._regex.matches_within(text, run.pattern_steps)
        run.pattern_steps -= steps
        return result


class Reference:
    """A definite path from the item (``@``) or from the document (``$``)."""

    __slots__ = ("_find", "_steps", "from_root", "names", "path", "tokens")

    def __init__(self, tokens: tuple[Token, ...], path: str, *, from_root: bool) -> None:
        self.tokens, self.path, self.from_root = tokens, path, from_root
        self.names = plain_names(tokens)
        self._find = compile_definite(tokens) if self.names is None else find_names(self.names)
        self._steps = compile_steps(tokens) if self.names is None else None

    def value(self, item: Any, run: Run) -> Any:
        """The value that it finds, or MISSING. Raises Impossible if one of its steps cannot be applied."""
        return self.value_in(run.root if self.from_root else item, run)

    def value_in(self, start: Any, run: Run) -> Any:
        """The same, from a given value."""
        value = self._find(start)
        if value is MISSING and self._steps is not None:
            try:
                self._steps(start, None, Run(run.root, explains=True))
            except Impossible:
                raise
            except NoResult:
                return MISSING
        return value


Operand = Literal | Pattern | Reference


def existence(path: Reference, *, negated: bool) -> Test:
    """``@.a``: the path finds something but null; ``$.a`` is looked up in the item too. ``!@.a``: the opposite."""
    if path.names is not None:
        return _plain_existence(path.names, negated)
    last = path.tokens[-1]
    needed = last.names if isinstance(last, Property) and len(last.names) != 1 else ()

    def test(item: Any, run: Run) -> bool:
        value = path.value_in(item, run)
        # If a step has several names, all of them must exist.
        is_there = value is not None and value is not MISSING and all(name in value for name in needed)
        return is_there != negated

    return test


def _plain_existence(names: tuple[str, ...], negated: bool) -> Test:
    *before, last = names or ("",)
    find = find_names(before)

    def test(item: Any, _: Run) -> bool:
        try:
            return (find(item)[last] is None) == negated
        except (KeyError, TypeError):
            return negated

    def one_name(item: Any, _: Run) -> bool:
        try:
            return (item[last] is None) == negated
        except (KeyError, TypeError):
            return negated

    if not names:
        return lambda item, _: (item is None) == negated
    return test if before else one_name


def comparison(left: Operand, symbol: str, right: Operand) -> Test:
    """``left symbol right``; false if a side finds nothing."""
    if symbol == "=~":
        return _match(left, right)
    if isinstance(left, Reference) and isinstance(right, Literal):
        return _with_literal(left, compare_with(symbol, right.text))
    holds = compare(symbol)
    if isinstance(left, Reference) and isinstance(right, Reference) and _are_one(left, right):
        # A path of the document is looked up once, so that both sides are the same array or object.
        result = OPERATORS[symbol](0, 0)
        return _between(left, right, lambda _, __: result)
    return _between(left, right, holds)


def comparison_of_names(names: list[str], symbol: str, literal: str) -> Test:
    """``comparison`` of ``@`` and plain names with a text of the filter, made without tokens."""
    return _names_with(names, compare_with(symbol, literal))


def _are_one(left: Reference, right: Reference) -> bool:
    return left.from_root and right.from_root and left.path == right.path


def _between(left: Operand, right: Operand, holds: Callable[[Any, Any], bool]) -> Test:
    read_left, read_right = _reader(left), _reader(right)

    def test(item: Any, run: Run) -> bool:
        model = read_left(item, run)
        if model is MISSING:
            return False
        expected = read_right(item, run)
        return expected is not MISSING and holds(model, expected)

    return test


def _with_literal(left: Reference, holds: Holds) -> Test:
    """The comparison of a path with a fixed text, as in most filters."""
    if left.names is not None and not left.from_root:
        return _names_with(left.names, holds)
    read = _reader(left)

    def test(item: Any, run: Run) -> bool:
        model = read(item, run)
        return model is not MISSING and holds(model)

    return test


def _names_with(names: Sequence[str], holds: Holds) -> Test:
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
    """Reads an operand's value, or MISSING."""
    if not isinstance(operand, Reference):
        value = operand.text if isinstance(operand, Literal) else operand
        return lambda _, run: value
    if operand.names is None:
        return operand.value
    find = find_names(operand.names)
    if operand.from_root:
        return lambda _, run: find(run.root)
    return lambda item, _: find(item)


def _match(left: Operand, right: Operand) -> Test:
    read_left, read_right = _reader(left), _reader(right)

    def test(item: Any, run: Run) -> bool:
        model = read_left(item, run)
        if model is MISSING:
            return False
        expected = read_right(item, run)
        return expected is not MISSING and _matching(model, expected, run)

    return test


def _matching(model: Any, expected: Any, run: Run) -> bool:
    """``=~``: the whole text of one side matches the pattern on the other side; null never does."""
    pattern, target = (model, expected) if isinstance(model, Pattern) else (expected, model)
    if not isinstance(pattern, Pattern):
        return _without_pattern(pattern, target)
    if target is None:
        return False
    text = target.text if isinstance(target, Pattern) else java_text(target)
    if is_array(target) or is_object(target):
        run.spend(len(text) // 16)
    return pattern.matches(text, run)


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
