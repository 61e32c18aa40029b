"""The types and lengths of TestState's members, from the API's model."""

from __future__ import annotations

from typing import Any, cast

from stepwell.errors import ApiError

MAX_TEXT = 262_144


class _Text:
    def __init__(self, longest: int = MAX_TEXT, shortest: int = 0) -> None:
        self._longest, self._shortest = longest, shortest

    def check(self, value: Any, place: str) -> None:
        if not isinstance(value, str):
            raise _refusal(f"The parameter '{place}' must be a text")
        if len(value) > self._longest:
            raise _constraint(place, f"Member must have length less than or equal to {self._longest}")
        if len(value) < self._shortest:
            raise _constraint(place, f"Member must have length greater than or equal to {self._shortest}")


class _Count:
    def check(self, value: Any, place: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _refusal(f"The parameter '{place}' must be a whole number")
        if value < 0:
            raise _constraint(place, "Member must have value greater than or equal to 0")


class _Choice:
    def __init__(self, *allowed: str) -> None:
        self._allowed = allowed

    def check(self, value: Any, place: str) -> None:
        if value not in self._allowed:
            rule = f"Member must satisfy enum value set: [{', '.join(self._allowed)}]"
            raise _constraint(place, rule, f"Value '{value}'")


class _Structure:
    def __init__(self, needs: tuple[str, ...] = (), **members: _Shape) -> None:
        self._needs, self._members = needs, members

    def check(self, value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise _refusal(f"The parameter '{place}' must be an object")
        for name, member in cast("dict[str, Any]", value).items():
            if name not in self._members:
                raise _refusal(f"Unknown parameter in {place}: {name}")
            self._members[name].check(member, f"{place}.{name}")
        for name in self._needs:
            if name not in value:
                raise _constraint(f"{place}.{name}", "Member must not be null")


_Shape = _Text | _Count | _Choice | _Structure

_MEMBERS: dict[str, _Shape] = {
    "mock": _Structure(
        result=_Text(),
        # The guide: "This field is required if mock.errorOutput is specified."
        errorOutput=_Structure(needs=("error",), error=_Text(256), cause=_Text(32_768)),
        fieldValidationMode=_Choice("STRICT", "PRESENT", "NONE"),
    ),
    "stateConfiguration": _Structure(
        retrierRetryCount=_Count(),
        errorCausedByState=_Text(80, 1),
        mapIterationFailureCount=_Count(),
        mapItemReaderData=_Text(),
    ),
    "inspectionLevel": _Choice("INFO", "DEBUG", "TRACE"),
    "stateName": _Text(80, 1),
}


def check_shapes(given: dict[str, Any]) -> None:
    """Refuse a member that does not have the type of the API. None is a member that was left out."""
    for name, shape in _MEMBERS.items():
        if given.get(name) is not None:
            shape.check(given[name], name)


def _refusal(message: str) -> ApiError:
    return ApiError("ValidationException", message)


def _constraint(place: str, rule: str, value: str = "Value") -> ApiError:
    return _refusal(f"1 validation error detected: {value} at '{place}' failed to satisfy constraint: {rule}")
