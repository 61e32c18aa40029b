"""Typed stubs of a machine's tasks: their names, and the shapes of inputs and outputs that the definition shows."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stepwell.asl.flow import JSONATA
from stepwell.asl.json import is_array, is_object
from stepwell.asl.states import TaskState

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine

_RESULT = re.compile(r"\$states\.result((?:\.\w+)+)")
_PATH = re.compile(r"\$((?:\.\w+)+)")
Shape = dict[str, Any]
"""Members by name; a value is a shape, a list of one element, or the text of a type."""


def stubs(machine: StateMachine, name: str) -> str:
    """The text of a Python module with the types of all tasks of a machine, to be imported by handlers and tests.

    Of an input it has the members of Parameters or Arguments, with the types of constants. Of an output it has the
    members that ResultSelector, Output or Assign read. Whatever the definition does not show is ``Any``.
    """
    return _Module(machine, name).text()


class _Module:
    def __init__(self, machine: StateMachine, name: str) -> None:
        self._machine, self._name = machine, name
        self._used: set[str] = {"Any", "HandlerContext", "Literal", "Protocol", "StateName", "TypeAlias", "TypedDict"}
        self._classes: list[str] = []

    def text(self) -> str:
        tasks = [state for state in self._machine.by_name.values() if isinstance(state, TaskState)]
        protocols = [(state, self._protocol(state)) for state in tasks]
        names = ", ".join(_literal(name) for name in self._machine.by_name)
        by_resource: dict[str, list[str]] = {}
        for state, protocol in protocols:
            by_resource.setdefault(state.resource, []).append(protocol)
        lines = [
            f'"""Types of the tasks of {_in_docstring(self._name)}, made by `stepwell stubs`: do not edit."""',
            "",
            "from __future__ import annotations",
            "",
            "from typing import Any, Literal, Protocol, TypeAlias, TypedDict",
            "",
            "from stepwell import HandlerContext",
            "",
            f"StateName: TypeAlias = Literal[{names}]",
            *self._classes,
        ]
        if by_resource:
            members = [f"    {_literal(resource)}: {' | '.join(found)}," for resource, found in by_resource.items()]
            lines += ["", "", 'Handlers = TypedDict("Handlers", {', *members, "}, total=False)",
                      '"""Handlers by their resources."""']  # fmt: skip
        return "\n".join(lines) + "\n"

    def _protocol(self, state: TaskState) -> str:
        """The protocol of a state's handler, and the types that it needs."""
        base = self._unused(_identifier(state.name))
        given = _template(_arguments(state))
        input_type = self._type(given, f"{base}Input")
        found = _results(state)
        output_type = self._type(found, f"{base}Output") if found else "Any"
        errors = sorted({name for entry in [*_entries(state, "Retry"), *_entries(state, "Catch")]
                         for name in entry["ErrorEquals"] if not name.startswith("States.")})  # fmt: skip
        told = f" Errors that are handled: {', '.join(errors)}." if errors else ""
        self._classes += [
            "",
            "",
            f"class {base}(Protocol):",
            f'    """The task of state {_in_docstring(state.name)}: {_in_docstring(state.resource)}.'
            f'{_in_docstring(told)}"""',
            "",
            f"    def __call__(self, input: {input_type}, context: HandlerContext, /) -> {output_type}: ...",
        ]
        return base

    def _type(self, shape: Any, name: str) -> str:
        """The annotation of a shape; classes are added for its objects."""
        if isinstance(shape, str):
            return shape
        if is_array(shape):
            return f"list[{self._type(shape[0], f'{name}Item')}]" if shape else "list[Any]"
        name = self._unused(name)
        members = {
            member: self._type(inner, f"{name}{_identifier(member)}") for member, inner in _object(shape).items()
        }
        self._classes += ["", "", *_typed_dict(name, members)]
        return name

    def _unused(self, name: str) -> str:
        found, number = name, 2
        while found in self._used:
            found, number = f"{name}{number}", number + 1
        self._used.add(found)
        return found


def _object(shape: Any) -> dict[str, Any]:
    return shape


def _typed_dict(name: str, members: dict[str, str]) -> Iterator[str]:
    if all(
        member.isidentifier() and not keyword.iskeyword(member) and not member.startswith("__") for member in members
    ):
        yield f"class {name}(TypedDict):"
        yield from (f"    {member}: {type}" for member, type in members.items())
        if not members:
            yield "    pass"
    else:
        yield f"{name} = TypedDict({_literal(name)}, {{"
        yield from (f"    {_literal(member)}: {type}," for member, type in members.items())
        yield "})"


# what the definition shows


def _entries(state: TaskState, field: str) -> list[dict[str, Any]]:
    return state.definition.get(field) or []


def _arguments(state: TaskState) -> Any:
    """The template of what a handler is called with; None: the state's input, of which nothing is known."""
    definition = state.definition
    template = definition.get("Arguments" if state.query_language == JSONATA else "Parameters")
    if is_object(template) and state.parsed.invokes_function:
        return template.get("Payload", template.get("Payload.$"))
    return template


def _template(value: Any) -> Any:
    """The shape of a payload template."""
    if is_object(value):
        return {key.removesuffix(".$"): "Any" if key.endswith(".$") else _template(item) for key, item in value.items()}
    if is_array(value):
        shapes = [_template(item) for item in value]
        return [shapes[0] if shapes and all(shape == shapes[0] for shape in shapes) else "Any"]
    if isinstance(value, str):
        return "Any" if value.startswith("{%") else "str"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "Any"


def _results(state: TaskState) -> Shape:
    """The members of a result that the state's own fields read."""
    definition, pattern = state.definition, _PATH
    if state.query_language == JSONATA:
        fields: list[Any] = [definition.get("Output"), definition.get("Assign")]
        pattern = _RESULT
    else:
        fields = [definition.get("ResultSelector")]
    shape: Shape = {}
    for text in _texts(fields):
        for found in pattern.finditer(text):
            members = found[1].strip(".").split(".")
            if state.parsed.invokes_function:
                members = members[1:] if members[0] == "Payload" else []
            _add(shape, members)
    return shape


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_object(value):
        for item in value.values():
            yield from _texts(item)
    elif is_array(value):
        for item in value:
            yield from _texts(item)


def _add(shape: Shape, members: list[str]) -> None:
    for index, member in enumerate(members):
        is_last = index == len(members) - 1
        inner = shape.get(member)
        if is_object(inner):
            shape = inner
        elif is_last:
            shape.setdefault(member, "Any")
        else:
            shape[member] = shape = {}


# texts of Python


def _identifier(text: str) -> str:
    """A name of a class: ``Charge card`` is ``ChargeCard``."""
    words = re.findall(r"\w+", text)
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    name = "".join(sign for sign in joined if ("a" + sign).isidentifier())
    if not name or not name[0].isidentifier():
        name = f"Task{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def _literal(text: str) -> str:
    """A text as a literal of Python, in double quotes where that is possible."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in literal else literal


def _in_docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'").replace("\n", " ")
