"""Fields that hold a path: InputPath and OutputPath, ResultPath, and every field whose name ends with Path."""

from __future__ import annotations

from typing import Any

from stepwell.asl.validate import values
from stepwell.asl.validate.diagnostic import Report
from stepwell.asl.validate.expressions import is_intrinsic, is_path, reference_path_error, returns_string


def check_path(value: Any, place: str, report: Report) -> None:
    """InputPath, OutputPath: any path, or null."""
    if value is not None and values.is_text(value, place, report) and not is_path(value):
        report.error("Value must be a valid JSONPath.", place)


def check_result_path(value: Any, place: str, report: Report) -> None:
    """ResultPath: a Reference Path into the state's input, or null; not into the Context Object (ASL A3.13)."""
    if value is None or not values.is_text(value, place, report):
        return
    problem = reference_path_error(value)
    if problem is None and value != "$" and not value.startswith(("$.", "$[")):
        problem = "Value is not a Reference Path"
    if problem is not None:
        report.error(problem, place)


def check_reference_path(value: Any, place: str, report: Report, *, context: bool = False) -> None:
    """A Reference Path: one that names exactly one place. ``context`` allows the Context Object."""
    if values.is_text(value, place, report) and (problem := reference_path_error(value, context=context)):
        report.error(problem, place)


def check_text_path(value: Any, place: str, report: Report) -> None:
    """ErrorPath, CausePath: a Reference Path, or an intrinsic that returns a string (ASL A13.67)."""
    if not values.is_text(value, place, report):
        return
    if value.startswith("States."):
        if not is_intrinsic(value) or not returns_string(value):
            message = "Value must be a valid JSONPath or a valid intrinsic function call that returns a string"
            report.error(message, place)
    elif problem := reference_path_error(value, context=True):
        report.error(problem, place)
