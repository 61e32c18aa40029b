"""Operations called by Task states: ``aws-sdk:sfn:describeExecution`` and its like (ASL A15).

Parameters and answers have the names of AWS's SDK integrations, in PascalCase; times are texts. What a request may not
have is refused before the call, as AWS refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from stepwell.asl.json import dumps, is_array, is_number, is_object
from stepwell.asl.resources import parse_resource
from stepwell.asl.timestamps import format_timestamp
from stepwell.engine.api.borrowed_executor import BorrowedExecutor
from stepwell.engine.client.client import Client
from stepwell.tasks.context import HandlerContext
from stepwell.tasks.integrations.sfn import service_error, task_uuid, wrong_parameters

from . import model
from .api import Api
from .constraints import members_of
from .errors import Fault
from .service import Service


class ApiTasks:
    """Answers the tasks of one engine."""

    def __init__(self, client: Client) -> None:
        self._api = Api(Service(BorrowedExecutor(client)))

    async def call(self, arguments: Any, context: HandlerContext) -> dict[str, Any]:
        """The answer to a task. Raises ``TaskError``: a service's errors begin with ``Sfn.``."""
        resource = parse_resource(context.resource)
        operation = pascal(resource.action)
        request = request_of(operation, {} if arguments is None else arguments)
        if operation == "RedriveExecution":  # a task whose handler is called again redrives once
            request.setdefault("clientToken", task_uuid(f"{context.execution_id} {context.task_id}"))
        try:
            answer = await self._api.call(operation, request)
        except Fault as fault:
            code = fault.code if fault.code in model.ERRORS else "Sfn"  # the SDK's name for what its model has not
            raise service_error(resource, code, fault.message, context.task_id, status=fault.status) from fault
        return answer_of(answer)


def request_of(operation: str, arguments: Any) -> dict[str, Any]:
    """The request that the parameters of a task make. Raises ``TaskError`` for those that the operation has not."""
    problems: list[str] = []
    request = _value(model.OPERATIONS[operation].request, arguments, "Parameters", problems)
    if problems:
        raise wrong_parameters(arguments, problems)
    return request


def _value(kind: Any, value: Any, name: str, problems: list[str]) -> Any:
    """A value in the form that the API has for it; what is wrong with it is added to ``problems``."""
    if get_origin(kind) is list:
        if is_array(value):
            return [_value(_bare(get_args(kind)[0]), item, name, problems) for item in value]
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if is_object(value):
            return dict(_members(kind, value, problems))
    elif kind in (int, float, bool):
        if isinstance(value, bool) if kind is bool else is_number(value):
            return value
    else:  # a text, or one of several
        return value if isinstance(value, str) else dumps(value).decode()  # AWS serialises documents
    problems.append(f"The value of the field '{name}' has an invalid format")
    return None


def _members(kind: type[msgspec.Struct], value: dict[str, Any], problems: list[str]) -> Iterator[tuple[str, Any]]:
    members = {pascal(member.name): member for member in members_of(kind)}
    for name, item in value.items():
        if name not in members:
            problems.append(f"The field '{name}' is not supported by Step Functions")
        elif item is not None:
            yield members[name].name, _value(members[name].type, item, name, problems)
    for name, member in members.items():
        if member.is_required and value.get(name) is None:
            problems.append(f"The field '{name}' is required but was missing")


def _bare(hint: Any) -> Any:
    """A type without None, and without its constraints."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    return hint.__origin__ if hasattr(hint, "__metadata__") else hint


def answer_of(value: Any) -> Any:
    """An answer with the names of SDK integrations, and its times as texts."""
    if is_array(value):
        return [answer_of(item) for item in value]
    if not is_object(value):
        return value
    return {pascal(name): _form(name)(item) for name, item in value.items()}


def _form(name: str) -> Callable[[Any], Any]:
    if name in model.TIMES:
        return _time
    return _as_it_is if name in model.MAPS else answer_of


def _time(seconds: float) -> str:
    return format_timestamp(round(seconds * 1000) * 1000)


def _as_it_is(value: Any) -> Any:
    return value


def pascal(name: str) -> str:
    """A name with a capital: ``executionArn`` as ``ExecutionArn``."""
    return name[:1].upper() + name[1:]
