"""Reads brackets with indices: ``[0]``, ``[0,2]``, ``[1:3]``, ``[(@.length-1)]``."""

from __future__ import annotations

from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.jsonpath.java import char_at, parse_int, past_end, shown
from stepwell.asl.jsonpath.tokens import FromEnd, Index, Indices, Slice, Token

_LENGTH_NAMES = ("size", "length")


def begins_index(character: str) -> bool:
    """Whether a component that has this character is read as indices."""
    return character in ":-@" or character.isdecimal()


def read_indices(component: str, position: int) -> Token:
    """The token of a component whose first significant character, at ``position``, begins an index."""
    if component[position] == "@":
        return _from_end(component, position)
    return _Reader(component, position).read()


def _from_end(component: str, position: int) -> FromEnd:
    char_at(component, position + 1)
    at = position + 2  # Jayway does not check that the next character is a dot
    name, at = _until(component, at, "-", " ()")
    if name not in _LENGTH_NAMES:
        raise ExpressionSyntaxError(
            f"Invalid function: @.{shown(name)}. Supported functions are: [(@.length - n)] and [(@.size() - n)]"
        )
    number, _ = _until(component, at, ")", " ")
    return FromEnd(parse_int(number))


def _until(component: str, at: int, end: str, skipped: str) -> tuple[str, int]:
    stop = component.find(end, at)
    if stop < 0:
        past_end(component, max(at, len(component)))
    return "".join(character for character in component[at:stop] if character not in skipped), stop


class _Reader:
    """Numbers between colons and commas. Blanks are dropped, even within a number; ``[1:2:3]`` is ``[1:2]``."""

    def __init__(self, component: str, position: int) -> None:
        self.component, self.position = component, position
        self.digits = ""
        self.numbers: list[int] = []
        self.slice_to = self.slice_from = self.slice_between = self.is_sequence = False

    def read(self) -> Token:
        while (character := char_at(self.component, self.position)).isdecimal() or character in ", :-":
            match character:
                case " ":
                    pass
                case ":":
                    self._read_colon()
                    if self.component[self.position] == "]":
                        break
                case ",":
                    self._take_number()
                    self.is_sequence = True
                case _:
                    self.digits += character
            self.position += 1
        if self.digits:
            self._take_number()
        return self._token()

    def _read_colon(self) -> None:
        # The character after the second number is dropped too, unless it ends the component.
        if not self.digits:
            self.slice_to = True
            self._read_digits()
            self._take_number()
            return
        self._take_number()
        self._read_digits()
        if self.digits:
            self.slice_between = True
            self._take_number()
        else:
            self.slice_from = True

    def _read_digits(self) -> None:
        self.position += 1
        while (character := char_at(self.component, self.position)).isdecimal() or character in " -":
            if character != " ":
                self.digits += character
            self.position += 1

    def _take_number(self) -> None:
        self.numbers.append(parse_int(self.digits))
        self.digits = ""

    def _token(self) -> Token:
        numbers = self.numbers
        if len(numbers) == 1 and not self.slice_to and not self.slice_from:
            return Index(numbers[0])
        if self.is_sequence:
            return Indices(tuple(numbers))
        if self.slice_from:
            return Slice(numbers[0], None)
        if self.slice_to:
            return Slice(None, numbers[0])
        return Slice(numbers[0], numbers[1])
