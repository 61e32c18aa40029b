"""Tests of state machines: runs on a virtual clock, with scripted tasks or the cases of a mock file."""

from .mocks import MockFile
from .scripted import scripted_run

__all__ = ["MockFile", "scripted_run"]
