"""What a JSONPath is made of: its steps, and the cursor that reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from msgspec import Struct

from stepwell.asl.errors import ExpressionSyntaxError, runtime_error

# What an evaluation may touch before it is stopped: a few times what the largest payload holds, so that only paths
# that multiply (``$..*..*..*``, filters that read ``$..``) ever meet it.
STEP_BUDGET = 1_000_000


class _Missing:
    """The type of MISSING."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""What a definite path gives that finds nothing."""


class Run:
    """One evaluation: the document that ``$`` stands for inside filters, and what may still be touched."""

    __slots__ = ("budget", "root")

    def __init__(self, root: Any) -> None:
        self.root = root
        self.budget = STEP_BUDGET

    def spend(self, values: int) -> None:
        """Account for ``values`` touched values; raises States.Runtime when the evaluation has no more left."""
        self.budget -= values
        if self.budget < 0:
            raise runtime_error("The JSONPath touches too many values of the input.")


Predicate = Callable[[Any, Run], bool]
Find = Callable[[Any, Run], Any]
"""What a path finds in a value: the value, the list of values, or MISSING."""


class Property(Struct, frozen=True):
    """``.a``, ``['a']`` or ``['a','b']``."""

    names: tuple[str, ...]

    @property
    def fragment(self) -> str:
        """The step as Jayway writes it in its messages."""
        return "[" + ",".join(f"'{name}'" for name in self.names) + "]"


class Index(Struct, frozen=True):
    """``[0]``, ``[-1]`` or ``[0,2]``."""

    indices: tuple[int, ...]

    @property
    def fragment(self) -> str:
        """The step as Jayway writes it in its messages."""
        return "[" + ",".join(map(str, self.indices)) + "]"


class Slice(Struct, frozen=True):
    """``[1:3]``, ``[-2:]``, ``[:2]``."""

    start: int | None
    stop: int | None

    @property
    def fragment(self) -> str:
        """The step as Jayway writes it in its messages."""
        start, stop = ("" if bound is None else str(bound) for bound in (self.start, self.stop))
        return f"[{start}:{stop}]"


class Wildcard(Struct, frozen=True):
    """``.*`` or ``[*]``."""

    fragment = "[*]"


class Filter(Struct, frozen=True):
    """``[?(…)]``."""

    predicate: Predicate
    fragment = "[?]"


class Scan(Struct, frozen=True):
    """``..``: every value below, applied to the step that follows."""

    fragment = ".."


class Function(Struct, frozen=True):
    """``.length()`` and its like. An argument is a literal, or the query of a path."""

    name: str
    arguments: tuple[Find, ...]

    @property
    def fragment(self) -> str:
        """The step as Jayway writes it in its messages."""
        return f".{self.name}()"


Step = Property | Index | Slice | Wildcard | Filter | Scan | Function


class Cursor:
    """A text and a position in it."""

    __slots__ = ("depth", "position", "text")

    MAX_DEPTH = 64

    def __init__(self, text: str) -> None:
        self.text, self.position, self.depth = text, 0, 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to read."""
        return self.position >= len(self.text)

    def peek(self, ahead: int = 0) -> str:
        """The character at the position, or ``ahead`` characters after it; empty at the end."""
        at = self.position + ahead
        return self.text[at] if at < len(self.text) else ""

    def take(self, token: str) -> bool:
        """Whether the text goes on with ``token``, which is then read."""
        if self.text.startswith(token, self.position):
            self.position += len(token)
            return True
        return False

    def expect(self, token: str) -> None:
        """Read ``token``; anything else is a syntax error."""
        if not self.take(token):
            self.fail(f"expected '{token}'")

    def blanks(self) -> None:
        """Read white space."""
        while self.peek().isspace():
            self.position += 1

    def take_while(self, wanted: Callable[[str], bool]) -> str:
        """Read the characters that are ``wanted``."""
        start = self.position
        while self.position < len(self.text) and wanted(self.text[self.position]):
            self.position += 1
        return self.text[start : self.position]

    def quoted(self) -> str:
        """Read a string in single or double quotes; a backslash escapes as in JSON, or stands for what follows it."""
        quote = self.peek()
        self.position += 1
        parts: list[str] = []
        while not self.done:
            character = self.peek()
            self.position += 1
            if character == quote:
                return "".join(parts)
            parts.append(self._escape() if character == "\\" else character)
        return self.fail(f"a string has no closing {quote}")

    def quoted_name(self) -> str:
        """Read a name in single or double quotes; a backslash only keeps a quote from ending it (AWS recording)."""
        quote = self.peek()
        self.position += 1
        start = self.position
        while not self.done and self.peek() != quote:
            self.position += 2 if self.peek() == "\\" else 1
        name = self.text[start : self.position]
        self.expect(quote)
        return name.replace(f"\\{quote}", quote)

    def _escape(self) -> str:
        character = self.peek()
        self.position += 1
        if character == "u":
            digits = self.text[self.position : self.position + 4]
            try:
                code = int(digits, 16)
            except ValueError:
                self.fail("\\u needs four hexadecimal digits")
            self.position += 4
            return chr(code)
        return {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}.get(character, character)

    def descend(self) -> None:
        """Go one level deeper into a nested expression; there is a limit, as parsing recurses."""
        self.depth += 1
        if self.depth > self.MAX_DEPTH:
            self.fail("nested too deeply")

    def fail(self, problem: str) -> NoReturn:
        """Raise the syntax error ``problem`` at the position."""
        raise ExpressionSyntaxError(f"Invalid JSONPath '{self.text}': {problem} at character {self.position + 1}.")
