"""Reads requests: a body as the struct of its operation, or the error that AWS answers.

A body that fits is decoded and checked at once, by msgspec. Only of one that does not are the values looked at one by
one, to name every constraint that is broken, in AWS's texts (API semantics, chapter 1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from .errors import Fault, broken_constraints, not_serialized

_PLAIN = msgspec.json.Decoder()


class Reader:
    """Reads the requests of one operation."""

    def __init__(self, request: type[msgspec.Struct]) -> None:
        self._request = request
        self._decoder = msgspec.json.Decoder(request)
        self._in_bytes = [(each.attribute, each.most_bytes) for each in members_of(request) if each.most_bytes]

    def read(self, body: bytes) -> Any:
        """The request of a body. Raises ``Fault`` for one that AWS refuses."""
        try:
            request = self._decoder.decode(body or b"{}")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._fault(_parsed(body or b"{}")) from None
        if self._has_long_text(request):
            raise self._fault(_parsed(body))
        return request

    def convert(self, value: dict[str, Any]) -> Any:
        """The request that a value describes. Raises ``Fault`` for one that AWS refuses."""
        try:
            request = msgspec.convert(value, self._request)
        except msgspec.MsgspecError:
            raise self._fault(value) from None
        if self._has_long_text(request):
            raise self._fault(value)
        return request

    def _has_long_text(self, request: Any) -> bool:
        """Whether a text has more bytes than it may have, though not more characters."""
        for name, most in self._in_bytes:
            text: str | None = getattr(request, name)
            # A character has 4 bytes at most, and one of ASCII has 1.
            if text is not None and len(text) * 4 > most and not text.isascii() and len(text.encode()) > most:
                return True
        return False

    def _fault(self, value: Any) -> Fault:
        broken = _of_struct(self._request, value, "")
        return broken_constraints(broken) if broken else not_serialized()


def _parsed(body: bytes) -> Any:
    try:
        return _PLAIN.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise not_serialized() from error


class Member(NamedTuple):
    """A member of a request: its names here and there, its type, whether it must be given, and its constraints."""

    attribute: str
    name: str
    type: Any
    is_required: bool
    meta: msgspec.Meta | None

    @property
    def extra(self) -> dict[str, Any]:
        """What msgspec does not check."""
        return (self.meta.extra if self.meta is not None else None) or {}

    @property
    def most_bytes(self) -> int:
        """How long it may be in UTF-8; 0: its characters count."""
        return cast("int", self.meta.max_length) if self.meta is not None and self.extra.get("in_bytes") else 0


def members_of(struct: type[msgspec.Struct]) -> list[Member]:
    """The members of a request, in the model's order."""
    hints = get_type_hints(struct, include_extras=True)
    found: list[Member] = []
    for field in msgspec.structs.fields(struct):
        kind, meta = _without_meta(hints[field.name])
        found.append(Member(field.name, field.encode_name, kind, field.required, meta))
    return found


def _without_meta(hint: Any) -> tuple[Any, msgspec.Meta | None]:
    """A type without None and without its constraints, and these."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
    meta = next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, msgspec.Meta)), None)
    return (hint if meta is None else hint.__origin__), meta


def _of_struct(struct: type[msgspec.Struct], value: Any, path: str) -> list[str]:
    """The constraints that an object breaks. Raises ``Fault`` for values of wrong types, before all constraints."""
    if not isinstance(value, dict):
        raise not_serialized()
    given = cast("dict[str, Any]", value)
    found: list[str] = []
    for member in members_of(struct):
        item, place = given.get(member.name), path + member.name
        if item is not None:
            found += _of_value(member.type, member.meta, item, place)
        elif member.is_required:
            found.append(_broken(member.meta, "null", place, "Member must not be null", is_text=False))
    return found


def _of_value(kind: Any, meta: msgspec.Meta | None, value: Any, place: str) -> Iterator[str]:
    if get_origin(kind) is list:
        yield from _of_list(kind, meta, value, place)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _of_struct(kind, value, place + ".")
    elif get_origin(kind) is Literal:
        _expect(isinstance(value, str))
        if value not in (names := get_args(kind)):
            yield _broken(meta, value, place, f"Member must satisfy enum value set: [{', '.join(names)}]")
    else:
        yield from _of_scalar(kind, meta, value, place)


def _of_list(kind: Any, meta: msgspec.Meta | None, value: Any, place: str) -> Iterator[str]:
    _expect(isinstance(value, list))
    inner, inner_meta = _without_meta(get_args(kind)[0])
    inside: list[str] = []
    for number, item in enumerate(value, 1):
        _expect(item is not None)
        inside += _of_value(inner, inner_meta, item, f"{place}.{number}.member")
    if meta is not None:
        for tail in _lengths(meta, len(value)):
            yield _broken(meta, shown(kind, value), place, tail)
    yield from inside


def _of_scalar(kind: Any, meta: msgspec.Meta | None, value: Any, place: str) -> Iterator[str]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    _expect(
        isinstance(value, str) if kind is str else isinstance(value, bool) if kind is bool else is_number,
        kind is not int or isinstance(value, int) or (isinstance(value, float) and value.is_integer()),
    )
    if meta is not None:
        for tail in _texts(meta, value) if kind is str else _numbers(meta, value):
            yield _broken(meta, value, place, tail)


def _texts(meta: msgspec.Meta, text: Any) -> Iterator[str]:
    extra = meta.extra or {}
    if extra.get("in_bytes"):
        if meta.max_length is not None and len(text.encode("utf-8", "surrogatepass")) > meta.max_length:
            yield f"Member must have size less than or equal to {meta.max_length} bytes in UTF-8 encoding"
    else:
        yield from _lengths(meta, len(text))
    if meta.pattern is not None and not re.search(meta.pattern, text):
        yield f"Member must satisfy regular expression pattern: {extra['pattern']}"


def _lengths(meta: msgspec.Meta, length: int) -> Iterator[str]:
    if meta.min_length is not None and length < meta.min_length:
        yield f"Member must have length greater than or equal to {meta.min_length}"
    if meta.max_length is not None and length > meta.max_length:
        yield f"Member must have length less than or equal to {meta.max_length}"


def _numbers(meta: msgspec.Meta, number: Any) -> Iterator[str]:
    if meta.ge is not None and number < meta.ge:
        yield f"Member must have value greater than or equal to {meta.ge}"
    if meta.le is not None and number > meta.le:
        yield f"Member must have value less than or equal to {meta.le}"


def _broken(meta: msgspec.Meta | None, value: Any, place: str, tail: str, *, is_text: bool = True) -> str:
    """One broken constraint. The value of a sensitive member is not shown."""
    if meta is not None and (meta.extra or {}).get("sensitive"):
        return f"Value at '{place}' failed to satisfy constraint: {tail}"
    shown_value = f"'{value}'" if is_text else value
    return f"Value {shown_value} at '{place}' failed to satisfy constraint: {tail}"


def _expect(*fits: bool) -> None:
    if not all(fits):
        raise not_serialized()


def shown(kind: Any, value: Any) -> str:
    """A value of a request as AWS's texts show it: ``[Tag(key=a, value=b)]``."""
    if isinstance(value, list):
        inner, _ = _without_meta(get_args(kind)[0])
        return f"[{', '.join(shown(inner, item) for item in cast('list[Any]', value))}]"
    if isinstance(value, dict):
        items = [(member, cast("dict[str, Any]", value).get(member.name)) for member in members_of(kind)]
        text = ", ".join(f"{member.name}={shown(member.type, item)}" for member, item in items if item is not None)
        return f"{kind.__name__}({text})"
    return str(value).lower() if isinstance(value, bool) else str(value)
