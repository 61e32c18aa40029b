"""Why a path finds nothing."""

from __future__ import annotations


class NoResult(Exception):
    """The path finds nothing; ``str`` is Jayway's text. In a filter the comparison is then false."""


class Impossible(NoResult):
    """A step cannot be applied to a value. Unlike a miss this ends the whole path, in filters too."""
