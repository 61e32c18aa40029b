"""Where in a value the part is that has no JSON form: for the message of a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

_NAME = re.compile(r"[A-Za-z_]\w*")
_DEEPEST = 1000


def place_without_form(value: Any, has_form: Callable[[Any], bool]) -> str:
    """The path of the innermost part that has no JSON form, such as ``$.a[0].b``; ``$`` is the value itself."""
    path = "$"
    for _ in range(_DEEPEST):  # a value that changes while it is looked at would have no end
        for step, part in _parts(value):
            if not has_form(part):
                path, value = path + step, part
                break
        else:
            break
    return path


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What an array, an object, a dataclass or a struct has in it, in the order in which it is encoded."""
    if isinstance(value, dict):
        for key, part in cast("dict[Any, Any]", value).items():
            yield (f".{key}" if isinstance(key, str) and _NAME.fullmatch(key) else f"[{key!r}]"), part
    elif isinstance(value, list | tuple):
        for index, part in enumerate(cast("list[Any]", value)):
            yield f"[{index}]", part
    else:
        kind = cast("Any", type(value))
        for name in getattr(kind, "__dataclass_fields__", ()) or getattr(kind, "__struct_fields__", ()):
            if hasattr(value, name):
                yield f".{name}", getattr(value, name)
