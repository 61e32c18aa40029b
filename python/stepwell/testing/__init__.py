"""Tests of state machines: runs on a virtual clock, with scripted tasks or the cases of a mock file."""

from .mocks import MockFile, UnscriptedTask
from .scripted import scripted_run

__all__ = ["MockFile", "UnscriptedTask", "scripted_run"]
