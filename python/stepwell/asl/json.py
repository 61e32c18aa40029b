"""JSON text to values and back, with numbers as on AWS (ASL A3.15)."""

from __future__ import annotations

import math
import re
from typing import Any, TypeGuard, cast

import msgspec

from stepwell.errors import InvalidInput

from .json_places import place_without_form

MAX_NUMBER_CHARACTERS = 400
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

_SPECIAL_NUMBER = re.compile(rb"[0-9]{19}|[0-9](?:\.0+|[eE][+-]?[0-9]+)(?=[],}\s]|\Z)")
_SHAPES = bytes.maketrans(b"0123456789E", b"9999999999e")
_LONG_NUMBER = b"9" * 19

_NO_FORM = (TypeError, ValueError, OverflowError)
_PLAIN = frozenset((str, int, float, bool, type(None), dict, list, tuple, msgspec.Raw))


def _of_model(value: Any) -> Any:
    """A pydantic model as JSON, for values that msgspec does not know."""
    dump = getattr(value, "model_dump", None)
    if dump is None or isinstance(value, type):
        raise TypeError(f"Objects of type {type(value).__name__} are not supported")
    return dump(mode="json", by_alias=True)


_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder(enc_hook=_of_model)
_canonical_encoder = msgspec.json.Encoder(order="deterministic")


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a JSON value is a number; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _may_hold_special_number(data: bytes) -> bool:
    """Whether a number in the text may need conversion: 19 digits or more, a whole fraction, an exponent.

    A match within a string is harmless: it costs a pass over the values that changes nothing. Searches for substrings
    exclude most texts ten times as fast as the regular expression, which matters for large documents.
    """
    if b".0" not in data:
        shapes = data.translate(_SHAPES)
        if b"9e" not in shapes and _LONG_NUMBER not in shapes:
            return False
    return _SPECIAL_NUMBER.search(data) is not None


def loads(text: bytes | str) -> Any:
    """The value of a JSON text.

    Integers are exact if they fit into 64 bits and doubles otherwise; a whole double becomes an integer.
    Raises InvalidInput if the text is not JSON.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    try:
        value = _decoder.decode(data)
        return _exact_numbers(value) if _may_hold_special_number(data) else value
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInput(f"This is not valid JSON: {error}. Give one JSON value in UTF-8.") from error
    except RecursionError as error:
        raise InvalidInput("This JSON is nested too deeply.") from error


def dumps(value: Any) -> bytes:
    """The compact JSON text of a value, in UTF-8. Raises InvalidInput, with the place, if it cannot be JSON."""
    try:
        return _encoded(value)
    except _NO_FORM as error:
        place = place_without_form(value, _has_form)
        at = "" if place == "$" else f" at {place}"
        raise InvalidInput(f"This value has no JSON form{at}: {error}.") from error
    except RecursionError as error:
        raise InvalidInput("This value is nested too deeply for JSON.") from error


def _encoded(value: Any) -> bytes:
    data = _encoder.encode(value)
    if _may_hold_special_number(data):
        return _encoder.encode(_printable_numbers(value))
    if b"null" in data:  # msgspec writes null for NaN too
        _check_finite(value)
    return data


def _has_form(value: Any) -> bool:
    try:
        _encoded(value)
    except (*_NO_FORM, RecursionError):
        return False
    return True


def rendered(value: Any) -> str:
    """The JSON text of a value for messages; it never fails."""
    try:
        return dumps(value).decode()
    except InvalidInput:
        return "…"


def canonical(value: Any) -> bytes:
    """Bytes that are equal for two values if they are the same JSON: in any order of fields, 1 equal to 1.0."""
    return _canonical_encoder.encode(_exact_numbers(value))


def number_value(text: str) -> int | float | None:
    """The number of a text that consists of JSON's number characters; None if it is not a number, or too large."""
    if len(text) > MAX_NUMBER_CHARACTERS:
        return None
    try:
        value = float(text)
        whole = int(text) if text.lstrip("-+").isdigit() else None
    except ValueError:
        return None
    return _exact_numbers(value if whole is None else whole) if math.isfinite(value) else None


def number_text(value: float) -> str:
    """A number as AWS prints it: an integer plainly, a double as Java does (``1.5``, ``1.0E20``)."""
    if isinstance(value, int):
        return str(value) if INT64_MIN <= value <= INT64_MAX else number_text(float(value))
    if value.is_integer() and INT64_MIN <= value <= INT64_MAX:
        return str(int(value))
    magnitude = abs(value)
    if 1e-3 <= magnitude < 1e7:
        return repr(value)
    # Java writes one digit before the point, at least one after it, and a bare exponent.
    mantissa, exponent = _scientific(repr(value))
    return f"{mantissa}E{exponent}"


def _scientific(shortest: str) -> tuple[str, int]:
    """Mantissa ``d.d…`` and decimal exponent of a number that Python printed as ``shortest``."""
    sign = "-" if shortest.startswith("-") else ""
    digits, _, exponent = shortest.lstrip("-").partition("e")
    whole, _, fraction = digits.partition(".")
    point = len(whole) + int(exponent or 0)
    significant = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(significant)
    significant = significant.rstrip("0") or "0"
    return f"{sign}{significant[0]}.{significant[1:] or '0'}", point - 1


def _exact_numbers(value: Any) -> Any:
    if is_object(value):
        return {key: _exact_numbers(item) for key, item in value.items()}
    if is_array(value):
        return [_exact_numbers(item) for item in value]
    if type(value) is float and value.is_integer() and INT64_MIN <= value < 2.0**63:
        return int(value)
    if type(value) is int and not INT64_MIN <= value <= INT64_MAX:
        return _double(value)
    return value


def _printable_numbers(value: Any) -> Any:
    if is_object(value):
        return {key: _printable_numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        value = cast("list[Any]", value)
        return [_printable_numbers(item) for item in value]
    if type(value) is float or (type(value) is int and not INT64_MIN <= value <= INT64_MAX):
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a JSON number")
        return msgspec.Raw(number_text(value).encode())
    return value if type(value) in _PLAIN else _printable_numbers_of(value)


def _printable_numbers_of(value: Any) -> Any:
    """The same of a dataclass, a struct, a model: of what it holds."""
    held = _held(value)
    return value if type(held) is type(value) else _printable_numbers(held)


def _held(value: Any) -> Any:
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_of_model)


def _check_finite(value: Any) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if type(item) is float and not math.isfinite(item):
            raise ValueError(f"{item} is not a JSON number")
        if is_object(item):
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(cast("list[Any]", item))
        elif type(item) not in _PLAIN:
            held = _held(item)
            if type(held) is not type(item):
                pending.append(held)


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise InvalidInput("A number in this JSON is too large for a double.") from error
