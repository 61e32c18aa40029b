"""Retry and Catch (ASL A7): fields, bounds, and States.ALL alone and last."""

from __future__ import annotations

from typing import Any, cast

from stepwell.asl.validate import values
from stepwell.asl.validate.assign import check_assign
from stepwell.asl.validate.diagnostic import Report
from stepwell.asl.validate.fields import CATCHER_FIELDS, RETRIER_FIELDS
from stepwell.asl.validate.paths import check_result_path
from stepwell.asl.validate.scope import Place
from stepwell.asl.validate.templates import ERROR_OUTPUT, check_expressions

# AWS's guide, "Handling errors": less than 31622400.
MAX_DELAY_SECONDS = 31_622_399
_WILDCARD = "States.ALL"


def check_retry(state: dict[str, Any], at: Place) -> None:
    """The retriers of a state."""
    if "Retry" not in state:
        return
    place, report = f"{at.path}/Retry", at.report
    if not values.is_array(state["Retry"], place, report):
        return
    retriers: list[Any] = state["Retry"]
    for index, retrier in enumerate(retriers):
        here = f"{place}[{index}]"
        if values.is_object(retrier, here, report):
            _check_retrier(retrier, here, report)
    _check_error_names(retriers, place, report)


def check_catch(state: dict[str, Any], at: Place) -> None:
    """The catchers of a state."""
    if "Catch" not in state:
        return
    place, report = f"{at.path}/Catch", at.report
    if not values.is_array(state["Catch"], place, report):
        return
    catchers: list[Any] = state["Catch"]
    for index, catcher in enumerate(catchers):
        here = at.inside(f"Catch[{index}]")
        if values.is_object(catcher, here.path, report):
            _check_catcher(catcher, here)
    _check_error_names(catchers, place, report)


def _check_retrier(retrier: dict[str, Any], place: str, report: Report) -> None:
    values.require(retrier, ("ErrorEquals",), place, report)
    values.refuse_unknown(retrier, RETRIER_FIELDS, place, report)
    if "IntervalSeconds" in retrier:
        here = f"{place}/IntervalSeconds"
        values.is_integer(retrier["IntervalSeconds"], here, report, minimum=1, maximum=values.MAX_SECONDS)
    if "MaxAttempts" in retrier:
        here = f"{place}/MaxAttempts"
        values.is_integer(retrier["MaxAttempts"], here, report, minimum=0, maximum=values.MAX_SECONDS)
    if "BackoffRate" in retrier:
        values.is_number(retrier["BackoffRate"], f"{place}/BackoffRate", report, minimum=1.0)
    if "MaxDelaySeconds" in retrier:
        here = f"{place}/MaxDelaySeconds"
        values.is_integer(retrier["MaxDelaySeconds"], here, report, minimum=1, maximum=MAX_DELAY_SECONDS)
    if "JitterStrategy" in retrier:
        values.one_of(retrier["JitterStrategy"], ("NONE", "FULL"), f"{place}/JitterStrategy", report)


def _check_catcher(catcher: dict[str, Any], at: Place) -> None:
    values.require(catcher, ("ErrorEquals", "Next"), at.path, at.report)
    values.refuse_unknown(catcher, CATCHER_FIELDS, at.path, at.report)
    at.refuse_other_language(catcher)
    if at.is_jsonata:
        check_expressions(catcher.get("Output"), f"{at.path}/Output", at.report, has=ERROR_OUTPUT)
    elif "ResultPath" in catcher:
        check_result_path(catcher["ResultPath"], f"{at.path}/ResultPath", at.report)
    check_assign(catcher, at, has=ERROR_OUTPUT)


def _check_error_names(entries: list[Any], place: str, report: Report) -> None:
    last = len(entries) - 1
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or "ErrorEquals" not in entry:
            continue
        here = f"{place}[{index}]/ErrorEquals"
        names: Any = cast("dict[str, Any]", entry)["ErrorEquals"]
        if not values.is_filled_array(names, here, report):
            continue
        for position, name in enumerate(names):
            if not values.is_text(name, f"{here}[{position}]", report):
                continue
            if name == _WILDCARD and (len(names) > 1 or index < last):
                report.error("States.ALL must appear alone and at end of list", f"{here}[{position}]")
