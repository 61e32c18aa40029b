"""The query of a resource's address, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stepwell.step_functions import errors

_DIGITS = 16


class Query:
    """The parameters after the ``?``. What cannot be read is a ValidationException."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        """A parameter; None if it is absent or empty."""
        values = self._values.get(name, ())
        return values[-1] or None if values else None

    def texts(self, name: str) -> list[str]:
        """The parts of a parameter that are separated by commas."""
        return [part for value in self._values.get(name, ()) for part in value.split(",") if part]

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 0 on, at most ``most``."""
        text = self.text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal() and len(text) < _DIGITS):
            raise errors.invalid(f"{name} is a whole number, not '{text}'")
        return min(int(text), most)

    def time(self, name: str) -> float | None:
        """A time in seconds since the Unix epoch."""
        text = self.text(name)
        try:
            return None if text is None else float(text)
        except ValueError as error:
            raise errors.invalid(f"{name} is a time in seconds since 1970, not '{text}'") from error

    def flag(self, name: str) -> bool:
        """Whether a parameter is ``1`` or ``true``."""
        return self.text(name) in ("1", "true")
