"""Typed handlers: ``def charge(order: Order)`` gets an ``Order``.

A handler whose first parameter is annotated with a type that JSON does not have (a dataclass, a msgspec struct, a
pydantic model, a TypedDict, an enumeration, a date, or a list or union of such) gets its input as that type. Other
handlers get the JSON value, and are called as they are.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeGuard, cast, get_args, get_origin, is_typeddict

import msgspec

from stepwell.asl.json import dumps
from stepwell.errors import TaskError
from stepwell.logs import logger

log = logger("stepwell.handlers")

RUNTIME = "States.Runtime"
"""The error of a task whose input is not of the handler's type: no retrier and no catcher matches it."""
_OF_MSGSPEC = frozenset(
    {
        *("datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "uuid.UUID", "decimal.Decimal"),
        *("builtins.set", "builtins.frozenset", "builtins.tuple", "builtins.bytes", "builtins.bytearray"),
    }
)
"""Classes that JSON does not have, and that msgspec makes of JSON."""
_MAKES = ("__dataclass_fields__", "__struct_fields__", "__attrs_attrs__", "model_validate_json", "__members__")
"""What dataclasses, structs, attrs classes, pydantic models and enumerations have."""


def taking_typed_input(function: Callable[..., Any], annotation: Any) -> Callable[..., Any]:
    """A handler that is called with JSON: itself, or one that makes its typed input first."""
    resolved = _resolved(function, annotation)
    if not _is_typed(resolved):
        return function

    @wraps(function)
    def call(input: Any, *context: Any) -> Any:
        return function(_made(resolved, input), *context)

    return call


def _made(annotation: Any, input: Any) -> Any:
    """The typed input. Raises ``TaskError`` with the place that is wrong."""
    try:
        made = msgspec.convert(input, annotation, dec_hook=_from_model)
        _set_defaults(made)
        return made
    except (msgspec.MsgspecError, ValueError, TypeError, NotImplementedError) as error:
        raise TaskError(RUNTIME, f"The handler's input is not of its type {_name(annotation)}: {error}") from error


def _set_defaults(made: Any) -> None:
    """Set the fields of dataclasses that have their defaults.

    msgspec leaves those to the class, where they can be read, but would be missing in the JSON of an output.
    """
    pending = [made]
    while pending:
        value = pending.pop()
        kind = cast("Any", type(value))
        fields: Any = getattr(kind, "__dataclass_fields__", ())
        held: Any = getattr(value, "__dict__", None)
        if held is not None:
            held.update({name: getattr(value, name) for name in fields if name not in held and hasattr(value, name)})
        if isinstance(value, dict):
            pending += cast("dict[Any, Any]", value).values()
        elif isinstance(value, list | tuple | set | frozenset):
            pending += cast("list[Any]", value)
        else:
            pending += [getattr(value, name, None) for name in fields or getattr(kind, "__struct_fields__", ())]


def _from_model(kind: type[Any], value: Any) -> Any:
    """A pydantic model within a type that msgspec knows, or alone."""
    if hasattr(kind, "model_validate_json"):
        return kind.model_validate_json(dumps(value))
    if isinstance(value, kind):
        return value
    raise NotImplementedError(f"{_name(kind)} cannot be made of JSON")


def _is_typed(annotation: Any) -> bool:
    """Whether JSON has to be converted for this annotation."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return any(isinstance(each, msgspec.Meta) for each in annotation.__metadata__) or _is_typed(
            get_args(annotation)[0]
        )
    if origin is not None and any(map(_is_typed, get_args(annotation))):
        return True
    return _is_class_to_make(origin or annotation)


def _is_class_to_make(kind: Any) -> bool:
    if not _is_class(kind):
        return False
    if is_typeddict(kind) or any(hasattr(kind, mark) for mark in _MAKES):
        return True
    return issubclass(kind, tuple) or f"{kind.__module__}.{kind.__qualname__}" in _OF_MSGSPEC


def _is_class(kind: Any) -> TypeGuard[type[Any]]:
    return isinstance(kind, type)


def _resolved(function: Callable[..., Any], annotation: Any) -> Any:
    """An annotation; one that is a text is evaluated where the handler was defined."""
    if not isinstance(annotation, str):
        return annotation
    defined = _function(function)
    names = dict(zip(defined.__code__.co_freevars, defined.__closure__ or (), strict=False)) if defined else {}
    try:
        known = {name: cell.cell_contents for name, cell in names.items()}
        return eval(annotation, getattr(defined, "__globals__", {}), known)
    except Exception as error:  # noqa: BLE001 - whatever the evaluation of an annotation raises
        log.warning(
            "the annotation %r of handler %r cannot be evaluated (%s: %s): it gets JSON",
            annotation,
            getattr(function, "__qualname__", function),
            type(error).__name__,
            error,
        )
        return Any


def _function(function: Any) -> types.FunctionType | None:
    """The function that was written: of a method, a partial function, a decorated one, an object that is called."""
    for _ in range(100):
        if isinstance(function, types.FunctionType) and not hasattr(function, "__wrapped__"):
            return function
        inner = (getattr(function, name, None) for name in ("__wrapped__", "__func__", "func"))
        found: Any = next((each for each in inner if each is not None), None)
        if found is None:
            found = getattr(cast("Any", type(function)), "__call__", None)  # noqa: B004 - an object with a __call__
        if found is None or found is function:
            break
        function = found
    return None


def _name(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)
