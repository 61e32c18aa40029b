"""The generator of java.util.Random, so that a seed gives the same number as on AWS."""

from __future__ import annotations

_MULTIPLIER, _INCREMENT, _MASK = 0x5DEECE66D, 0xB, (1 << 48) - 1


class JavaRandom:
    """A linear congruential generator of 48 bits (java.util.Random, "General contract of next")."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ _MULTIPLIER) & _MASK

    def _next(self, bits: int) -> int:
        self._state = (self._state * _MULTIPLIER + _INCREMENT) & _MASK
        return self._state >> (48 - bits)

    def below(self, bound: int) -> int:
        """A whole number from 0 up to, but without ``bound``."""
        if bound & (bound - 1) == 0 and bound <= 1 << 31:
            return (bound * self._next(31)) >> 31
        while True:
            drawn = self._next(31) if bound < 1 << 31 else self._next(32)
            number = drawn % bound
            if bound >= 1 << 31 or drawn - number + bound - 1 < 1 << 31:
                return number
