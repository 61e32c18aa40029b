"""The data flow of a JSONata state: Arguments from the input, Output and Assign from the result (ASL A4, A5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl.jsonata_template import Template, compile_template, compile_typed
from stepwell.asl.outcome import Outcome
from stepwell.asl.scope import Scope

Read = Callable[[Scope], Any]
Finish = Callable[[Scope, Any], Outcome]


def compile_read(template: Template) -> Read:
    """A field as a function of the scope; it may read the input, the context and the variables."""
    evaluate, constant = template.evaluate, template.constant
    if evaluate is None:
        return lambda scope: constant
    if template.needs_context:
        return lambda scope: evaluate({"input": scope.input, "context": scope.context}, scope.variables)
    return lambda scope: evaluate({"input": scope.input}, scope.variables)


def compile_field(definition: dict[str, Any], name: str, *, prefix: str = "") -> Read | None:
    """The field ``name`` as a function of the scope; None if the definition does not have it."""
    if name not in definition:
        return None
    return compile_read(compile_template(definition[name], prefix + name))


def compile_typed_field(definition: dict[str, Any], name: str, expected: str, *, prefix: str = "") -> Read | None:
    """Like ``compile_field``, for a field that must have the JSON type ``expected``."""
    if name not in definition:
        return None
    return compile_read(compile_typed(definition[name], prefix + name, expected))


def compile_finish(definition: dict[str, Any], *, reads: str | None = None, prefix: str = "") -> Finish | None:
    """Output and Assign of a state, a choice rule or a catcher; None if it has neither.

    The function takes the scope of the state and the output that it has without an Output field. ``reads`` names that
    value within ``$states``: ``result``, ``errorOutput``, or nothing. Both fields read the variables as on entry.
    """
    assign = compile_template(definition.get("Assign") or {}, prefix + "Assign")
    output = compile_template(definition["Output"], prefix + "Output") if "Output" in definition else None
    if output is None and not definition.get("Assign"):
        return None
    assigned_constant: dict[str, Any] | None = assign.constant or None
    assign_evaluate = assign.evaluate
    output_evaluate = output.evaluate if output else None
    has_output, output_constant = output is not None, output.constant if output else None
    needs_context = assign.needs_context or (output is not None and output.needs_context)

    def finish(scope: Scope, value: Any) -> Outcome:
        states: dict[str, Any] = {"input": scope.input}
        if needs_context:
            states["context"] = scope.context
        if reads is not None:
            states[reads] = value
        assigned = assigned_constant if assign_evaluate is None else assign_evaluate(states, scope.variables)
        if has_output:
            value = output_constant if output_evaluate is None else output_evaluate(states, scope.variables)
        return Outcome(value, assigned)

    return finish
