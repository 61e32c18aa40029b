"""The Resource of a Task state, parsed once (ASL A15.68)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from msgspec import Struct

PATTERNS = ("waitForTaskToken", "sync:2", "sync")
"""What may follow the action of an integration, behind a point."""

_LAMBDA = re.compile(r"arn:[^:]+:lambda:[^:]*:[^:]*:function:(?P<name>[^:]+)(?::(?P<qualifier>[^:]+))?")
_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:activity:(?P<name>.+)")
_INTEGRATION = re.compile(
    r"arn:[^:]+:states:[^:]*:[^:]*:(?P<service>aws-sdk:[^:.]+|[^:.]+):(?P<action>[^.]+)(?:\.(?P<pattern>.+))?"
)


class Resource(Struct, frozen=True):
    """The target of a Task state.

    ``kind`` is "lambda" (a function, by ARN or by its plain local name), "activity" or "integration".
    ``name`` is the function's or the activity's; ``service``, ``action`` and ``pattern`` ("", "sync", "sync:2" or
    "waitForTaskToken") are an integration's. ``text`` is the Resource as it was written.
    """

    text: str
    kind: str
    name: str = ""
    qualifier: str = ""
    service: str = ""
    action: str = ""
    pattern: str = ""

    @property
    def history_type(self) -> str:
        """``resourceType`` of the history's Task events: ``sqs``, ``aws-sdk:dynamodb``."""
        return self.service

    @property
    def history_resource(self) -> str:
        """``resource`` of the history's Task events: ``sendMessage.waitForTaskToken``."""
        return f"{self.action}.{self.pattern}" if self.pattern else self.action

    @property
    def waits_for_token(self) -> bool:
        """Whether the task ends when somebody returns its token."""
        return self.pattern == "waitForTaskToken"

    @property
    def invokes_function(self) -> bool:
        """Whether it is ``lambda:invoke``, whose arguments name the function."""
        return self.service == "lambda" and self.action == "invoke"


@lru_cache(maxsize=1024)  # definitions have few
def parse_resource(text: str) -> Resource:
    """Parse a Resource. A text in none of AWS's forms is the name of a handler of this process."""
    if match := _LAMBDA.fullmatch(text):
        return Resource(text, "lambda", match["name"], match["qualifier"] or "")
    if match := _ACTIVITY.fullmatch(text):
        return Resource(text, "activity", match["name"])
    if match := _INTEGRATION.fullmatch(text):
        action, pattern = match["action"], match["pattern"] or ""
        if pattern and pattern not in PATTERNS:
            action, pattern = f"{action}.{pattern}", ""
        return Resource(text, "integration", "", "", match["service"], action, pattern)
    return Resource(text, "lambda", text)


def handler_name(resource: Resource, arguments: Any) -> str:
    """The name of the handler that a task needs: the function that it invokes, or its Resource."""
    return (function_name(arguments) if resource.invokes_function else None) or resource.text


def function_name(arguments: Any) -> str | None:
    """The function that ``lambda:invoke`` calls: FunctionName is its name or its ARN, partial or with a qualifier."""
    if not isinstance(arguments, dict):
        return None
    given: Any = arguments.get("FunctionName")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(given, str) or not given:
        return None
    if match := _LAMBDA.fullmatch(given):
        return match["name"]
    _, separator, partial = given.partition(":function:")
    return (partial if separator else given).partition(":")[0]
