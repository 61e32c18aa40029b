"""Checks a value against the output shape of an AWS API, by botocore's model if botocore is installed.

The names are Step Functions': every member begins with a capital letter. Members that the model does not have are
accepted, as by AWS.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

# botocore has no types; these are its shapes (StructureShape, ListShape, …).
Shape = Any

_SERVICES = {"states": "stepfunctions", "sfn": "stepfunctions", "cloudwatchlogs": "logs", "eventbridge": "events"}
# The answers of these integrations differ from those of the API with the same name.
_OWN_ANSWERS = frozenset({"apigateway", "http", "eks"})


class _Misfit(Exception):
    pass


def output_problem(service: str, action: str, value: Any, *, requires_all: bool) -> str | None:
    """What is wrong with ``value`` as the answer of ``service:action``; None if nothing is, or the API is unknown.

    ``requires_all`` also requires every member that the API always returns.
    """
    name = service.removeprefix("aws-sdk:")
    if name in _OWN_ANSWERS:
        return None
    shape = _output_shape(_SERVICES.get(name, name), action)
    if shape is None:
        return None
    # Step Functions passes on a function's payload as a value.
    opaque = frozenset({"Payload"}) if (name, action) == ("lambda", "invoke") else frozenset[str]()
    try:
        _check_structure(value, shape, requires_all, opaque)
    except _Misfit as problem:
        return str(problem)
    return None


@lru_cache(256)
def _output_shape(service: str, action: str) -> Shape | None:
    try:
        from botocore.exceptions import UnknownServiceError  # pyright: ignore[reportMissingTypeStubs]
        from botocore.model import OperationNotFoundError  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        return None
    try:
        model: Any = _session().get_service_model(service)
        return model.operation_model(action[:1].upper() + action[1:]).output_shape
    except (UnknownServiceError, OperationNotFoundError):
        return None


@lru_cache(1)
def _session() -> Any:
    from botocore.session import Session  # pyright: ignore[reportMissingTypeStubs]

    return Session()


def _check_structure(value: Any, shape: Shape, requires_all: bool, opaque: frozenset[str] = frozenset()) -> None:
    if not isinstance(value, dict):
        raise _Misfit("The result must be an object")
    given = cast("dict[str, Any]", value)
    members: dict[str, Shape] = {name[:1].upper() + name[1:]: member for name, member in shape.members.items()}
    if requires_all:
        for name in shape.required_members:
            required = name[:1].upper() + name[1:]
            if required not in given:
                raise _Misfit(f"Required field '{required}' is missing")
    for name, item in given.items():
        if name in members and name not in opaque:
            _check(item, members[name], name, requires_all)


def _check(value: Any, shape: Shape, name: str, requires_all: bool) -> None:
    match shape.type_name:
        case "structure" if not getattr(shape, "is_document_type", False):
            _expect(isinstance(value, dict), name, "an object")
            _check_structure(value, shape, requires_all)
        case "list":
            _expect(isinstance(value, list), name, "an array")
            for item in value:
                _check(item, shape.member, name, requires_all)
        case "map":
            _expect(isinstance(value, dict), name, "an object")
            for item in value.values():
                _check(item, shape.value, name, requires_all)
        case "string" | "timestamp" | "blob" | "char":
            _expect(isinstance(value, str), name, "a string")
            _check_text(value, shape, name)
        case "boolean":
            _expect(isinstance(value, bool), name, "a boolean")
        case "integer" | "long" | "float" | "double" | "bigdecimal" | "biginteger" | "short" | "byte":
            _expect(isinstance(value, int | float) and not isinstance(value, bool), name, "a number")
        case _:
            pass


def _expect(fits: bool, name: str, expected: str) -> None:
    if not fits:
        raise _Misfit(f"Field '{name}' must be {expected}")


def _check_text(value: str, shape: Shape, name: str) -> None:
    allowed: list[str] = getattr(shape, "enum", None) or []
    if allowed and value not in allowed:
        raise _Misfit(f"Field '{name}' is not an expected value")
    limits: dict[str, Any] = shape.metadata
    if len(value) < limits.get("min", 0):
        raise _Misfit(f"Field '{name}' is smaller than the minimum length")
    if len(value) > limits.get("max", len(value)):
        raise _Misfit(f"Field '{name}' is larger than the maximum length")
