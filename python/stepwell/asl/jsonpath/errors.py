"""Why a path finds nothing, as the evaluator tells it to its caller."""

from __future__ import annotations


class NoResult(Exception):
    """A path finds nothing; ``str`` is Jayway's text. In a filter its comparison is false."""


class Impossible(NoResult):
    """A step meets a value that it cannot be applied to. Unlike a miss it ends the whole path, in filters too."""
