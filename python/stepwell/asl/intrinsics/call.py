"""Compiles the nodes of a call into functions of the scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl.errors import AslError, ExpressionSyntaxError, runtime_error
from stepwell.asl.intrinsics.formatting import compile_format
from stepwell.asl.intrinsics.functions import FUNCTIONS, IntrinsicError
from stepwell.asl.intrinsics.parser import Call, Literal, Node, PathText, parse_call
from stepwell.asl.json import rendered
from stepwell.asl.paths import MISSING, Path, compile_path
from stepwell.asl.scope import Scope
from stepwell.errors import InvalidInput

Evaluate = Callable[[Scope], Any]


class Intrinsic:
    """A compiled call. Calling it with a scope returns the value; a failure raises States.Runtime."""

    __slots__ = ("_evaluate", "name", "paths", "text")

    def __init__(self, text: str, call: Call) -> None:
        self.text, self.name = text, call.name
        self.paths: list[Path] = []
        self._evaluate = _compile(call, self.paths)

    def __call__(self, scope: Scope) -> Any:
        try:
            return self._evaluate(scope)
        except (IntrinsicError, InvalidInput) as error:
            raise runtime_error(f"The function '{self.text}' had the following error: {error}") from None
        except RecursionError as error:
            raise runtime_error(f"The function '{self.text}' met values that are nested too deeply.") from error
        except AslError as error:  # raised by a path: too many values
            raise runtime_error(f"The function '{self.text}' had the following error: {error.cause}") from None

    def __repr__(self) -> str:
        return f"Intrinsic({self.text!r})"


def compile_intrinsic(text: str) -> Intrinsic:
    """The compiled call of a text. Raises ExpressionSyntaxError."""
    return Intrinsic(text, parse_call(text))


def _compile(node: Node, paths: list[Path]) -> Evaluate:
    match node:
        case Literal(value):
            return lambda scope: value
        case PathText(text):
            path = compile_path(text)
            paths.append(path)
            return _read(path)
        case Call():
            return _compile_call(node, paths)


def _compile_call(call: Call, paths: list[Path]) -> Evaluate:
    if call.name == "Format":
        return _compile_format(call, paths)
    function = FUNCTIONS.get(call.name)
    if function is None:
        raise ExpressionSyntaxError(f"There is no intrinsic function 'States.{call.name}'.")
    count = len(call.arguments)
    if count < function.least or (function.most is not None and count > function.most):
        raise ExpressionSyntaxError(f"States.{call.name} takes {function.arity} arguments, not {count}.")
    compute = function.compute
    arguments = [_compile(argument, paths) for argument in call.arguments]
    match arguments:
        case []:
            return lambda scope: compute()
        case [first]:
            return lambda scope: compute(first(scope))
        case [first, second]:
            return lambda scope: compute(first(scope), second(scope))
        case _:
            return lambda scope: compute(*[argument(scope) for argument in arguments])


def _compile_format(call: Call, paths: list[Path]) -> Evaluate:
    if not call.arguments:
        raise ExpressionSyntaxError("States.Format takes a template and the values for its {}.")
    template, *values = call.arguments
    arguments = [_compile(value, paths) for value in values]
    if isinstance(template, Literal) and template.raw is not None:
        raw = template.raw
        try:
            fill = compile_format(raw)
        except IntrinsicError:  # AWS reads the template when the call is evaluated, and fails then
            return lambda scope: compile_format(raw)([])
        return lambda scope: fill([argument(scope) for argument in arguments])
    read = _compile(template, paths)

    def evaluate(scope: Scope) -> str:
        text = read(scope)
        if not isinstance(text, str):
            raise IntrinsicError("The template of States.Format must be a string.")
        return compile_format(text)([argument(scope) for argument in arguments])

    return evaluate


def _read(path: Path) -> Evaluate:
    def read(scope: Scope) -> Any:
        value = path.find(scope)
        # In an argument an index past the end is a miss, other than in a field that is a path itself.
        if value is MISSING or (value is None and path.finds_past_end(scope)):
            raise _missing(path, scope)
        return value

    return read


def _missing(path: Path, scope: Scope) -> IntrinsicError:
    root = path.root(scope)
    problem = "" if root is MISSING else path.query.problem(root)
    if problem.startswith("Filter:"):  # AWS shows this text of its path library
        return IntrinsicError(problem)
    # AWS shows the state's input even if the Context Object was searched.
    return IntrinsicError(
        f"The JsonPath argument for the field '{path.reference}' could not be found in the input "
        f"'{rendered(scope.input)}'"
    )
