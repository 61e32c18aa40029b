"""A text and a position in it, for parsers of small languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from stepwell.asl.errors import ExpressionSyntaxError


class Cursor:
    """A text and a position in it."""

    __slots__ = ("depth", "position", "text")

    MAX_DEPTH = 64

    def __init__(self, text: str) -> None:
        self.text, self.position, self.depth = text, 0, 0

    @property
    def done(self) -> bool:
        """Whether the end is reached."""
        return self.position >= len(self.text)

    def peek(self, ahead: int = 0) -> str:
        """The character at the position, or ``ahead`` characters after it; empty at the end."""
        at = self.position + ahead
        return self.text[at] if at < len(self.text) else ""

    def take(self, token: str) -> bool:
        """Whether ``token`` comes next; if so, it is read."""
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

    def descend(self) -> None:
        """Enter a nested expression; their depth is limited, because parsing recurses."""
        self.depth += 1
        if self.depth > self.MAX_DEPTH:
            self.fail("nested too deeply")

    def fail(self, problem: str) -> NoReturn:
        """Raise the syntax error ``problem`` at the position."""
        raise ExpressionSyntaxError(f"Invalid text '{self.text}': {problem} at character {self.position + 1}.")
