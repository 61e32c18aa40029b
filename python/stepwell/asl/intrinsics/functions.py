"""The intrinsic functions, with AWS's limits (ASL A13.66)."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from stepwell.asl.intrinsics import surroundings
from stepwell.asl.intrinsics.java_random import JavaRandom
from stepwell.asl.json import canonical, dumps, is_array, is_number, is_object, loads, rendered
from stepwell.asl.sizes import check_size
from stepwell.errors import InvalidInput

Values = list[Any]

MAX_RANGE = 1_000
MAX_CHARACTERS = 10_000
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class IntrinsicError(Exception):
    """A failed call; the text follows "had the following error: "."""


def array(*items: Any) -> Values:
    """States.Array: its arguments."""
    values = list(items)
    if len(values) > 1:
        check_size(values)
    return values


def array_partition(items: Any, size: Any) -> list[Values]:
    """States.ArrayPartition: chunks of ``size``, the last one with what is left."""
    values, chunk = _array("ArrayPartition", items), _rounded("ArrayPartition", size)
    if chunk < 1:
        raise IntrinsicError("States.ArrayPartition needs a chunk size above zero.")
    return [values[start : start + chunk] for start in range(0, len(values), chunk)]


def array_contains(items: Any, wanted: Any) -> bool:
    """States.ArrayContains: whether an item equals ``wanted``."""
    key = canonical(wanted)
    return any(canonical(item) == key for item in _array("ArrayContains", items))


def array_range(first: Any, last: Any, step: Any) -> list[int]:
    """States.ArrayRange: first, first + step, … up to and including last; at most 1,000 items."""
    start, stop, by = (_rounded("ArrayRange", number) for number in (first, last, step))
    if by == 0:
        raise IntrinsicError("States.ArrayRange needs a step other than zero.")
    if (stop - start) // by >= MAX_RANGE:
        raise IntrinsicError(f"States.ArrayRange makes {MAX_RANGE} items at most.")
    return list(range(start, stop + (1 if by > 0 else -1), by))


def array_get_item(items: Any, index: Any) -> Any:
    """States.ArrayGetItem: the item at an index from zero."""
    values, at = _array("ArrayGetItem", items), _rounded("ArrayGetItem", index)
    if not 0 <= at < len(values):
        raise IntrinsicError(f"The index {at} of States.ArrayGetItem is outside of its array of {len(values)} items.")
    return values[at]


def array_length(items: Any) -> int:
    """States.ArrayLength."""
    return len(_array("ArrayLength", items))


def array_unique(items: Any) -> Values:
    """States.ArrayUnique: the items in their order, without repetitions."""
    first: dict[bytes, Any] = {}
    for item in _array("ArrayUnique", items):
        first.setdefault(canonical(item), item)
    return list(first.values())


def base64_encode(text: Any) -> str:
    """States.Base64Encode: of UTF-8 text of at most 10,000 characters."""
    return base64.b64encode(_short_text("Base64Encode", text).encode("utf-8", "replace")).decode()


def base64_decode(text: Any) -> str:
    """States.Base64Decode: to UTF-8 text; the padding may be missing, as in Java."""
    encoded = _short_text("Base64Decode", text)
    padding = "=" * (-len(encoded) % 4)
    try:
        return base64.b64decode(encoded + padding, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise IntrinsicError("The argument of States.Base64Decode is not base64.") from None


def hash_value(data: Any, algorithm: Any) -> str:
    """States.Hash: the digest of a string, or of a value's JSON text, in hexadecimal."""
    import hashlib  # imports OpenSSL

    name = _HASHES.get(algorithm) if isinstance(algorithm, str) else None
    if name is None:
        raise IntrinsicError(f"States.Hash knows the algorithms {', '.join(_HASHES)}.")
    text = _short_text("Hash", data if isinstance(data, str) else dumps(data).decode())
    return hashlib.new(name, text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def json_merge(first: Any, second: Any, deep: Any) -> dict[str, Any]:
    """States.JsonMerge: the fields of both objects; the second's replace the first's. Only shallow merging exists."""
    if not is_object(first) or not is_object(second):
        raise IntrinsicError("States.JsonMerge needs two objects.")
    if deep is not False:
        raise IntrinsicError("The third argument of States.JsonMerge must be false: only shallow merging is supported.")
    return {**first, **second}


def json_to_string(value: Any) -> str:
    """States.JsonToString: compact JSON text."""
    check_size(value)
    return dumps(value).decode()


def string_to_json(text: Any) -> Any:
    """States.StringToJson: the value of a JSON text."""
    if not isinstance(text, str):
        raise IntrinsicError("The argument of States.StringToJson must be a string.")
    try:
        return loads(text)
    except InvalidInput:
        raise IntrinsicError("The argument of States.StringToJson is not valid JSON.") from None


def math_add(first: Any, second: Any) -> int:
    """States.MathAdd: the sum of two numbers, each rounded to a whole one."""
    return _integer("MathAdd", first) + _integer("MathAdd", second)


def math_random(first: Any, last: Any, seed: Any = None) -> int:
    """States.MathRandom: a whole number from ``first`` up to, but without ``last``; the same one for the same seed."""
    start, stop = _integer("MathRandom", first), _integer("MathRandom", last)
    if start >= stop:
        raise IntrinsicError("The first number of States.MathRandom must be below the second.")
    if seed is None:
        return surroundings.source().randrange(start, stop)
    return start + JavaRandom(_rounded("MathRandom", seed)).below(stop - start)


def string_split(text: Any, delimiters: Any) -> list[str]:
    """States.StringSplit: splits at every character of ``delimiters``; empty pieces are dropped."""
    if not isinstance(text, str) or not isinstance(delimiters, str):
        raise IntrinsicError("The arguments of States.StringSplit must be strings.")
    if not delimiters:
        return [text] if text else []
    separator = delimiters[0]
    for other in delimiters[1:]:
        text = text.replace(other, separator)
    return [piece for piece in text.split(separator) if piece]


def new_uuid() -> str:
    """States.UUID: a random (version 4) UUID."""
    return str(surroundings.new_uuid())


class Function(NamedTuple):
    """A function and how many arguments it takes; ``most`` None: any number."""

    compute: Callable[..., Any]
    least: int
    most: int | None

    @property
    def arity(self) -> str:
        """How many arguments, as text."""
        return str(self.least) if self.least == self.most else f"{self.least} to {self.most}"


# States.Format is not here, because its template is compiled: see ``formatting``.
FUNCTIONS: dict[str, Function] = {
    "Array": Function(array, 0, None),
    "ArrayPartition": Function(array_partition, 2, 2),
    "ArrayContains": Function(array_contains, 2, 2),
    "ArrayRange": Function(array_range, 3, 3),
    "ArrayGetItem": Function(array_get_item, 2, 2),
    "ArrayLength": Function(array_length, 1, 1),
    "ArrayUnique": Function(array_unique, 1, 1),
    "Base64Encode": Function(base64_encode, 1, 1),
    "Base64Decode": Function(base64_decode, 1, 1),
    "Hash": Function(hash_value, 2, 2),
    "JsonMerge": Function(json_merge, 3, 3),
    "JsonToString": Function(json_to_string, 1, 1),
    "StringToJson": Function(string_to_json, 1, 1),
    "MathAdd": Function(math_add, 2, 2),
    "MathRandom": Function(math_random, 2, 3),
    "StringSplit": Function(string_split, 2, 2),
    "UUID": Function(new_uuid, 0, 0),
}


def _array(name: str, value: Any) -> Values:
    if not is_array(value):
        raise IntrinsicError(f"The first argument of States.{name} must be an array.")
    return value


def _rounded(name: str, value: Any) -> int:
    """A number as Java rounds it: half up, so that -1.5 is -1 (AWS recording)."""
    if not is_number(value):
        raise IntrinsicError(f"States.{name} needs numbers, not {rendered(value)[:100]}.")
    if isinstance(value, int):
        return value
    # Java's Math.round saturates; such a large number is outside the range of every function.
    return math.floor(value + 0.5) if abs(value) < 2**62 else int(math.copysign(2**63, value))


def _integer(name: str, value: Any) -> int:
    number = _rounded(name, value)
    if not INT32_MIN <= number <= INT32_MAX:
        raise IntrinsicError(f"States.{name} needs numbers from {INT32_MIN} to {INT32_MAX}.")
    return number


def _short_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise IntrinsicError(f"The first argument of States.{name} must be a string.")
    if len(value) > MAX_CHARACTERS:
        raise IntrinsicError(f"The first argument of States.{name} may have {MAX_CHARACTERS} characters at most.")
    return value
