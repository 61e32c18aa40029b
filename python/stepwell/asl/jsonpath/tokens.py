"""The tokens of a path, and their form in messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from stepwell.asl.jsonpath.run import Run

Test = Callable[[Any, "Run"], bool]


class Root(Struct, frozen=True):
    """``$``. The reader accepts it within a path too, where it only resets the place in messages."""

    fragment = "$"
    definite = True


class Property(Struct, frozen=True):
    """``.a``, ``['a']`` or ``['a','b']``; a bracket that Jayway's reader misreads may have no name."""

    names: tuple[str, ...]
    definite = True

    @property
    def fragment(self) -> str:
        """The token in the form of messages."""
        return "[" + ", ".join(f"'{name}'" for name in self.names) + "]"


class Index(Struct, frozen=True):
    """``[0]``; a negative one finds null."""

    index: int
    definite = True

    @property
    def fragment(self) -> str:
        """The token in the form of messages."""
        return f"[{self.index}]"


class FromEnd(Struct, frozen=True):
    """``[(@.length-1)]``: ``offset`` is added to the array's length."""

    offset: int
    definite = True

    @property
    def fragment(self) -> str:
        """The token in the form of messages."""
        return f"[@.size(){self.offset}]"


class Indices(Struct, frozen=True):
    """``[0,2]``."""

    indices: tuple[int, ...]
    definite = False

    @property
    def fragment(self) -> str:
        """The token in the form of messages."""
        return "[" + ",".join(map(str, self.indices)) + "]"


class Slice(Struct, frozen=True):
    """``[1:3]``, ``[-2:]``, ``[:2]``."""

    start: int | None
    stop: int | None
    definite = False

    @property
    def fragment(self) -> str:
        """The token in the form of messages."""
        start, stop = ("" if bound is None else str(bound) for bound in (self.start, self.stop))
        return f"[{start}:{stop}]"

    def indices(self, length: int) -> range:
        """The indices in an array. Of two bounds none counts from the end; an index before the array gives null."""
        if self.stop is None:
            start = self.start or 0
            return range(max(0, start + length if start < 0 else start), length)
        if self.start is None:
            return range(min(length, self.stop + length if self.stop < 0 else self.stop))
        return range(self.start, min(length, self.stop)) if length else range(0)


class Wildcard(Struct, frozen=True):
    """``.*`` or ``[*]``."""

    fragment = "[*]"
    definite = False


class Scan(Struct, frozen=True):
    """``..``: applies the following token to every value below."""

    fragment = ".."
    definite = False


class Filter(Struct, frozen=True):
    """``[?(…)]``. ``[?]`` and ``[?,?]`` stand for filters that only Java code can pass: they have no test."""

    test: Test | None
    count: int = 1
    definite = False

    @property
    def fragment(self) -> str:
        """The token in the form of messages."""
        return "[" + ",".join("?" * self.count) + "]"


Token = Root | Property | Index | FromEnd | Indices | Slice | Wildcard | Scan | Filter


def is_definite(tokens: Sequence[Token]) -> bool:
    """Whether they find one value or none, not a list."""
    return False not in [token.definite for token in tokens]


def fragments(tokens: Sequence[Token]) -> str:
    """The tokens in the form of messages."""
    return "".join(token.fragment for token in tokens)
