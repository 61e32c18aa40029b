"""Tests of state machines: runs on a virtual clock, with scripted tasks."""

from .scripted import scripted_run

__all__ = ["scripted_run"]
