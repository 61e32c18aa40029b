"""Choice states: rules, their operators and operands, and the nesting of And, Or and Not (ASL A9)."""

from __future__ import annotations

from typing import Any

from stepwell.asl.validate import fields, values
from stepwell.asl.validate.assign import check_assign
from stepwell.asl.validate.paths import check_reference_path
from stepwell.asl.validate.scope import Place
from stepwell.asl.validate.templates import check_expressions

_SELECTORS = "The object must have only one of the following fields, [And, Or, Not, Variable, Condition]"


def check_choice(state: dict[str, Any], at: Place) -> None:
    """The rules and the Default of a Choice state."""
    values.require(state, ("Choices",), at.path, at.report)
    if "Default" in state:
        values.is_text(state["Default"], f"{at.path}/Default", at.report)
    if "Choices" not in state or not values.is_filled_array(state["Choices"], f"{at.path}/Choices", at.report):
        return
    for index, rule in enumerate(state["Choices"]):
        here = at.inside(f"Choices[{index}]")
        if values.is_object(rule, here.path, at.report):
            _check_rule(rule, here)


def _check_rule(rule: dict[str, Any], at: Place) -> None:
    values.require(rule, ("Next",), at.path, at.report)
    values.refuse_unknown(rule, fields.TOP_RULE_FIELDS, at.path, at.report)
    if "Next" in rule:
        values.is_text(rule["Next"], f"{at.path}/Next", at.report)
    check_assign(rule, at)
    if at.is_jsonata:
        _check_condition(rule, at)
    else:
        if "Output" in rule:
            at.refuse_for_language("Output", fields.JSONPATH, fields.JSONATA)
        _check_test(rule, at)


def _check_condition(rule: dict[str, Any], at: Place) -> None:
    used = [name for name in rule if name in ("Variable", "And", "Or", "Not") or name in fields.OPERATOR_NAMES]
    for name in used:
        at.refuse_for_language(name, fields.JSONATA, fields.JSONPATH)
    if "Condition" not in rule:
        if not used:
            values.require(rule, ("Condition",), at.path, at.report)
        return
    condition, place = rule["Condition"], f"{at.path}/Condition"
    if isinstance(condition, bool) or values.is_expression(condition):
        check_expressions(condition, place, at.report)
    elif values.is_text(condition, place, at.report):
        at.report.error("JSONata string must start with {% and end with %}", place)
    check_expressions(rule.get("Output"), f"{at.path}/Output", at.report)


def _check_nested(rule: Any, at: Place) -> None:
    if values.is_object(rule, at.path, at.report):
        values.refuse_unknown(rule, fields.RULE_FIELDS, at.path, at.report)
        _check_test(rule, at)


def _check_test(rule: dict[str, Any], at: Place) -> None:
    """The part of a JSONPath rule that is true or false."""
    if "Condition" in rule:
        at.refuse_for_language("Condition", fields.JSONPATH, fields.JSONATA)
        return
    if sum(name in rule for name in fields.RULE_SELECTORS) != 1:
        at.report.error(_SELECTORS, at.path)
    for name in ("And", "Or"):
        if name in rule and values.is_filled_array(rule[name], f"{at.path}/{name}", at.report):
            for index, nested in enumerate(rule[name]):
                _check_nested(nested, at.inside(f"{name}[{index}]"))
    if "Not" in rule:
        _check_nested(rule["Not"], at.inside("Not"))
    if "Variable" in rule:
        check_reference_path(rule["Variable"], f"{at.path}/Variable", at.report, context=True)
        _check_comparison(rule, at)


def _check_comparison(rule: dict[str, Any], at: Place) -> None:
    operators = [name for name in rule if name in fields.OPERATOR_NAMES]
    if not operators:
        at.report.error(
            f"This object should have only one of the following fields: {values.listed(fields.OPERATORS)}", at.path
        )
    elif len(operators) > 1:
        at.report.error(f"There should only be one of the following fields: {values.listed(operators)}", at.path)
    for name in operators:
        _check_operand(name, rule[name], f"{at.path}/{name}", at)


def _check_operand(operator: str, operand: Any, place: str, at: Place) -> None:
    if operator in fields.PATH_OPERATORS:
        check_reference_path(operand, place, at.report, context=True)
    elif operator.startswith(("Is", "Boolean")):
        values.is_boolean(operand, place, at.report)
    elif operator.startswith("Numeric"):
        values.is_number(operand, place, at.report)
    elif (
        values.is_text(operand, place, at.report)
        and operator.startswith("Timestamp")
        and not values.is_timestamp(operand)
    ):
        at.report.error("String does not match RFC3339 timestamp", place)
